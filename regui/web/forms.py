"""What a list is asked for. Nothing here can fail: a word that means nothing is as good as none."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from regui.index import search

LONGEST = search.LONGEST


@dataclass(frozen=True)
class Wanted:
    """The filters and the order of a list. `sort` is one of the list's own orders, with or without a leading
    -; `keys` are those of the search language that its rows have an answer to, all when none are named."""

    q: str
    sort: str
    namespace: str = ""
    kind: str = ""
    keys: Collection[str] = ()

    @property
    def filtered(self) -> bool:
        return bool(self.query or self.namespace or self.kind)

    @property
    def query(self) -> search.Query:
        """What the words ask for; nothing, which lets everything through, when that can't be told."""
        parsed = self.parsed
        return search.Query() if isinstance(parsed, search.Wrong) else parsed

    @property
    def wrong(self) -> search.Wrong | None:
        """What is wrong with the words."""
        return self.parsed if isinstance(self.parsed, search.Wrong) else None

    @cached_property
    def parsed(self) -> search.Query | search.Wrong:
        try:
            return search.parse(self.q, self.keys)
        except search.Wrong as error:
            return error


def wanted(
    query: Mapping[str, str], sorts: Collection[str] = (), default: str = "", keys: Collection[str] = ()
) -> Wanted:
    """What a query string asks of a list that can be sorted by these; without a known order, the default
    one. `keys` as in `Wanted`."""
    sort = query.get("sort", "")
    return Wanted(
        q=cleaned(query.get("q", "")),
        sort=sort if sort in sorts else default,
        namespace=cleaned(query.get("ns", "")),
        kind=cleaned(query.get("kind", "")),
        keys=keys,
    )


def cleaned(text: str) -> str:
    """Text that a database takes: PostgreSQL refuses NUL."""
    return text.replace("\0", "").strip()[:LONGEST]
