"""The two listings, catalog and tags, page by page.

Specification: distribution, "Content Discovery". The next page is at the same path as the one before; only
the query of its Link is taken, unread. So no registry can lead us to another host, and a proxy that loses
its prefix (Artifactory), an absolute address (Quay) and an opaque cursor (ECR) all come out right.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from regui.oci.caller import Caller, Request
from regui.oci.errors import Invalid, InvalidName, Malformed, Misbehaved, NameUnknown, NotFound, Unsupported
from regui.oci.headers import next_link
from regui.oci.lenient import parse_object
from regui.oci.names import check_repository, check_tag

PAGE = 1000  # more is refused by distribution and ECR
SMALLER = (100, 0)  # tried when the first is too much; 0 asks for no size at all
MAX_EMPTY = 50  # pages without a name, which a registry that hides names from us may send
MAX_QUERY = 8 * 1024
TOO_MANY = frozenset({"PAGINATION_NUMBER_INVALID", "UNSUPPORTED"})


class Moved(Misbehaved):
    """The place where a listing was to go on has gone meanwhile."""


@dataclass(frozen=True)
class Part:
    """The part of a catalog that lies under a prefix: for "team", all names that begin with "team/".

    Registries order names byte by byte, component by component (distribution: a/b before a-b) or by the rules
    of a database's language. In each of these a prefix's names follow the prefix itself, and among them stand
    at most names that begin with its letters and digits."""

    prefix: str

    def holds(self, name: str) -> bool:
        return name.startswith(f"{self.prefix}/")

    def ends_before(self, name: str) -> bool:
        """Whether none of its names can follow that one, in whichever order."""
        letters, own = bare(name), bare(self.prefix)
        return letters > own and not letters.startswith(own)


class Listings(Caller):
    """The calls that list."""

    def catalog(self, *, under: str = "", page_size: int = PAGE) -> Iterator[str]:
        """Yield the names of the repositories this user may see, in the registry's order, each once; `under`
        a prefix such as "team" those alone that begin with "team/", which costs no more than their pages
        where the registry can begin a listing at a name.

        Unsupported when the registry has no catalog, which is usual for hosted ones."""
        scopes = frozenset({"registry:catalog:*"})
        request = Request("GET", "/v2/_catalog", scopes)
        part = Part(check_repository(under)) if under else None
        try:
            for name in self._listing(request, "repositories", page_size, check_repository, part):
                if part is None or part.holds(name):
                    yield name
        except (NotFound, Unsupported) as error:
            raise Unsupported(
                "The registry doesn't list its repositories.",
                status=error.status,
                codes=error.codes,
                detail=error.detail,
                hint="Open a repository by its name.",
            ) from error

    def tags(self, name: str, *, page_size: int = PAGE) -> Iterator[str]:
        """Yield a repository's tags, in the registry's order, each once; NotFound without the repository."""
        path = f"/v2/{check_repository(name)}/tags/list"
        request = Request("GET", path, frozenset({f"repository:{name}:pull"}), missing=NameUnknown)
        yield from self._listing(request, "tags", page_size, check_tag)

    def _listing(
        self,
        request: Request,
        key: str,
        page_size: int,
        check: Callable[[str], str],
        part: Part | None = None,
    ) -> Iterator[str]:
        """Yield the names of all pages, or of those that a part needs, each once. Names outside the grammar,
        about which nothing could be asked, are left out. A listing whose place went away (zot, Harbor) begins
        anew, once."""
        yielded = set[str]()
        for last_try in (False, True):
            try:
                for name in self._walk(request, key, page_size, part):
                    if name not in yielded and is_valid(name, check):
                        yielded.add(name)
                        yield name
            except Moved:
                if last_try:
                    raise
            else:
                return

    def _walk(self, request: Request, key: str, page_size: int, part: Part | None) -> Iterator[str]:
        """Yield the names page by page; Misbehaved when a page doesn't advance, Moved when the next has
        gone."""
        seen, queries, empty = set[str](), set[str](), 0
        try:
            names, query = self._first_page(request, key, page_size, part.prefix if part else "")
        except (NotFound, Invalid, Unsupported):
            if part is None:
                raise
            # zot and Harbor begin behind no name but one they have. Then it has to be all of it.
            part = None
            names, query = self._first_page(request, key, page_size)
        while True:
            fresh = [name for name in names if name not in seen]
            seen.update(fresh)
            yield from fresh
            if query is None or (part and names and is_behind(part, names[-1], query)):
                return
            empty = empty + 1 if not names else 0
            if (names and not fresh) or query in queries or empty > MAX_EMPTY:
                raise Misbehaved(
                    "The registry's listing doesn't advance: a page repeats.",
                    hint="Look for a cache or a proxy in between that drops the query of an address.",
                )
            queries.add(query)
            try:
                names, query = self._page(request, key, query)
            except (NotFound, Invalid) as error:
                raise Moved("The registry's listing broke off: where it was to go on has gone.") from error

    def _first_page(
        self, request: Request, key: str, page_size: int, after: str = ""
    ) -> tuple[list[str], str | None]:
        """The first page, or that after some name, asked for smaller when the registry finds the size too
        large."""
        place = [f"last={quote(after, safe='')}"] if after else []
        for size in (page_size, *(size for size in SMALLER if size < page_size)):
            try:
                return self._page(request, key, "&".join([f"n={size}"] * bool(size) + place))
            except (Invalid, Unsupported) as error:
                if not TOO_MANY & set(error.codes) or not size:
                    raise
        raise AssertionError("the last size asked for is none")

    def _page(self, request: Request, key: str, query: str) -> tuple[list[str], str | None]:
        """The names of one page, and the query of the next, None on the last."""
        path = f"{request.path}?{query}" if query else request.path
        answer = self.call(
            Request(
                request.method, path, request.scopes, {"Accept": "application/json"}, missing=request.missing
            )
        )
        names = parse_object(answer.body).get(key, "")
        if names is None:  # distribution says null for a repository whose tags were all deleted
            names = []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise Malformed(f"The registry's listing holds no {key}.")
        target = next_link(answer.headers.getlist("Link"))
        return names, None if target is None else following(target)


def is_behind(part: Part, last: str, query: str) -> bool:
    """Whether a page that ends in this name was the last a part needs. Only a registry that goes on by that
    name has its names in an order; one with a cursor of its own may list them as they came."""
    return part.ends_before(last) and parse_qs(query).get("last") == [last]


def bare(name: str) -> str:
    """The letters and digits of a name, which is all some databases order by."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def following(target: str) -> str:
    """The query of a Link's target, ready to be sent: zot leaves characters as they are that should be
    escaped."""
    try:
        query = quote(urlsplit(target).query, safe="%/:?@!$&'()*+,;=~-._")
    except ValueError as error:
        raise Misbehaved("The registry's listing goes on at no usable address.") from error
    if not query or len(query) > MAX_QUERY:
        raise Misbehaved("The registry's listing doesn't say where it goes on.")
    return query


def is_valid(name: str, check: Callable[[str], str]) -> bool:
    try:
        check(name)
    except InvalidName:
        return False
    return True
