"""A registry's list of repositories: what can be asked of it, and what its page shows."""

import time
from dataclasses import dataclass, replace
from functools import cached_property

from django.core.paginator import Page
from django.db.models import Value
from django.db.models.functions import StrIndex, Substr
from django.http import HttpRequest

from regui.index import fetch, search
from regui.index.models import Manifest, Registry, Repository, RepositoryQuerySet
from regui.web import overview, pulls
from regui.web.forms import Wanted
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


def matching(repositories: RepositoryQuerySet, wanted: Wanted) -> RepositoryQuerySet:
    """Those that the filters let through, in the order asked for."""
    found = search.repositories(repositories, wanted.query)
    if wanted.namespace:
        found = found.filter(name__startswith=f"{wanted.namespace}/")
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    return found.in_order(wanted.sort)


@dataclass(frozen=True)
class Catalog:
    """What the page shows beside the rows. A part of the page that isn't asked for costs no query."""

    registry: Registry
    repositories: RepositoryQuerySet
    page: Page[Repository]

    @property
    def largest(self) -> int:
        """The size that fills a row's bar."""
        return max((row.size or 0 for row in self.page), default=0)

    @cached_property
    def total(self) -> int:
        return self.repositories.count()

    @cached_property
    def stats(self) -> overview.Stats:
        return overview.stats(self.repositories)

    @cached_property
    def namespaces(self) -> list[str]:
        """The first parts of names, those that have more than one."""
        first = Substr("name", 1, StrIndex("name", Value("/")) - 1)
        deep = self.repositories.filter(name__contains="/").order_by()
        return sorted(deep.annotate(first=first).values_list("first", flat=True).distinct())

    @cached_property
    def kinds(self) -> list[tuple[str, str]]:
        """The kinds there are, with the words for them."""
        there = set(self.repositories.order_by().values_list("kind", flat=True).distinct())
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
    request: HttpRequest, registry: Registry, found: RepositoryQuerySet
) -> tuple[fetch.Reading, Page[Repository]]:
    """The page asked for of the repositories found, after reading the registry's list and then the page's
    rows."""
    deadline = time.monotonic() + fetch.BUDGET
    reading = fetch.catalog(registry, budget=fetch.BUDGET)
    page = by_key(request, found)
    if reading.error_code:
        return reading, page  # where the list can't be had, its rows would only be waited for in vain
    rows = fetch.repositories(list(page), budget=max(deadline - time.monotonic(), 0))
    whole = replace(
        reading,
        complete=reading.complete and rows.complete,
        problem=reading.problem or rows.problem,
        error_code=rows.error_code,
        hint=reading.hint or rows.hint,
    )
    return whole, by_key(request, found)
