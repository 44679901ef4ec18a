"""A registry's list of repositories: what can be asked of it, and what its page shows."""

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from django.core.paginator import Page
from django.utils import timezone

from regui import oci
from regui.accounts import access, hush
from regui.index import fetch, search, snapshots, sums, usage
from regui.index.models import Manifest, Namespace, Registry, Repository, RepositoryQuerySet, Storage
from regui.web import charts, freshness, links, overview, pulls
from regui.web.forms import Wanted
from regui.web.http import Request
from regui.web.paging import by_key

SORTS = {
    "-created": "Last change",
    "name": "Name",
    "-size": "Largest first",
    "-tags": "Most tags",
    "created": "Oldest first",
    "-name": "Name, from the end",
    "size": "Smallest first",
    "tags": "Fewest tags",
}


# How many namespaces a list to choose from may hold, and how much of the past the little chart shows.
NAMESPACES, CHARTED = 200, timedelta(days=60)
# The kinds to choose among, in a list's words.
KINDS = {
    Manifest.Kind.IMAGE: "Images",
    Manifest.Kind.INDEX: "Multi-platform images",
    Manifest.Kind.HELM: "Helm charts",
    Manifest.Kind.ARTIFACT: "Artifacts",
    Manifest.Kind.ATTESTATION: "Attestations",
    Manifest.Kind.LEGACY: "Schema 1 images",
}


def namespace(name: str) -> str:
    """The first part of a repository's name; empty when it is the only one."""
    first, slash, _ = name.partition("/")
    return first if slash else ""


def hides_empty(request: Request, wanted: Wanted, repositories: RepositoryQuerySet) -> bool:
    """Whether repositories without tags are left out: where there are any, unless they were asked for, or
    something by name. To leave out what isn't there would cost deep pages what their index saves."""
    return "empty" not in request.GET and not wanted.filtered and repositories.empty().exists()


def matching(
    repositories: RepositoryQuerySet, wanted: Wanted, *, hides_empty: bool = False
) -> RepositoryQuerySet:
    """Those that the filters let through, in the order asked for."""
    repositories = repositories.with_tags() if hides_empty else repositories
    found = search.repositories(repositories, wanted.query)
    if wanted.namespace:
        found = found.filter(name__startswith=f"{wanted.namespace}/")
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    return found.in_order(wanted.sort)


@dataclass(frozen=True)
class Catalog:
    """What the page shows beside the rows, to this actor. A part of the page that isn't asked for costs no
    query."""

    actor: access.Actor
    registry: Registry
    repositories: RepositoryQuerySet
    page: Page[Repository]
    hides_empty: bool = False

    @property
    def state(self) -> object:
        """What tells whether the page would look different."""
        seen = [(row.name, row.tag_count, row.size, row.changed_at, row.problem) for row in self.page]
        return seen, self.page.paginator.count

    @property
    def rows(self) -> list[tuple[Repository, str]]:
        """The repositories, each with its address."""
        link = links.repositories(self.registry.name)
        return [(row, link(row.name)) for row in self.page]

    @property
    def largest(self) -> int:
        """The size that fills a row's bar."""
        return max((row.size or 0 for row in self.page), default=0)

    @cached_property
    def total(self) -> int:
        return self.repositories.count()

    @property
    def empty(self) -> int:
        """How many without tags are left out."""
        return self.total - self.page.paginator.count if self.hides_empty else 0

    @cached_property
    def whole(self) -> bool:
        """Whether they may know what the registry as a whole comes to."""
        return access.sees_all(self.actor, self.registry)

    @cached_property
    def stats(self) -> overview.Stats:
        if not self.whole:
            return overview.of_some(self.repositories)
        return overview.of(self.registry, self.storage)

    @cached_property
    def storage(self) -> Storage | None:
        return usage.storage(self.registry)

    @cached_property
    def chart(self) -> charts.Line | None:
        """What it held each day of the last months, when that is known for two of them. That is kept of the
        registry as a whole, and told to nobody else."""
        if not self.whole:
            return None
        since = timezone.now().date() - CHARTED
        return charts.line(snapshots.series(self.registry, since=since), 116, 32)

    @cached_property
    def namespaces(self) -> list[str]:
        """The first parts of names, those that have more than one; of very many, the fullest."""
        if not self.whole:
            return sums.fullest(self.repositories, NAMESPACES)
        rows = Namespace.objects.filter(registry=self.registry).exclude(name="")
        return sorted(rows.order_by("-repositories", "name").values_list("name", flat=True)[:NAMESPACES])

    @cached_property
    def kinds(self) -> list[tuple[str, str]]:
        """The kinds there are, with the words for them."""
        if not self.whole:
            there = sums.kinds(self.repositories)
        elif self.storage:
            there = self.storage.kinds
        else:
            there = []
        return [(kind.value, words) for kind, words in KINDS.items() if kind in there]

    @property
    def sorts(self) -> list[tuple[str, str]]:
        return list(SORTS.items())

    @property
    def tag(self) -> str:
        return pulls.tag(self.registry)

    @property
    def push(self) -> str:
        return pulls.push(self.registry)

    @property
    def host(self) -> str:
        return pulls.host(self.registry)

    @property
    def insecure(self) -> bool:
        return pulls.needs_insecure(self.registry)


def read(
    request: Request, registry: Registry, found: RepositoryQuerySet
) -> tuple[fetch.Reading, Page[Repository]]:
    """The page asked for of the repositories found: as remembered, unless something on it was never read or
    the registry's own word is asked for. Then the registry's list is read, and after it the page's rows. A
    list that takes long leaves time for rows that are known without it."""
    page = by_key(request, found)

    def told(reading: fetch.Reading) -> fetch.Reading:
        return hush.reading(request.actor, registry, reading)

    if not freshness.wanted(request) and is_read(registry, page):
        return told(fetch.remembered_all(registry, list(page))), page
    deadline, max_age = time.monotonic() + fetch.BUDGET, freshness.max_age(request)
    share = 2 if page.object_list else 1
    reading = told(fetch.catalog(registry, budget=fetch.BUDGET / share, max_age=max_age))
    page = by_key(request, found)
    slow = reading.error_code == oci.TimedOut.code and bool(page.object_list)
    if reading.error_code and not slow:
        return reading, page  # where the list can't be had, its rows would only be waited for in vain
    rows = fetch.repositories(list(page), budget=max(deadline - time.monotonic(), 0), max_age=max_age)
    if slow and rows.error_code:
        return reading, page
    whole = replace(
        reading,
        as_of=fetch.remembered_all(registry, list(page)).as_of,
        complete=reading.complete and rows.complete,
        problem="" if slow else reading.problem or rows.problem,
        error_code=rows.error_code,
        hint=fetch.SO_FAR if slow else reading.hint or rows.hint,
    )
    return whole, by_key(request, found)


def is_read(registry: Registry, page: Page[Repository]) -> bool:
    """Whether there is something to show: a part of the catalog at least, and all that is shown was read, or
    can't be."""
    known = registry.listed_at is not None or registry.unlisted or page.object_list
    return bool(known) and all(row.tag_count is not None or row.problem for row in page)
