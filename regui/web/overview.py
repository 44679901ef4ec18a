"""A registry in a few numbers, none of them more certain than what was read."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q

from regui.accounts import access, hush
from regui.index import fetch, sums, usage
from regui.index.models import Namespace, Registry, RepositoryQuerySet, Storage
from regui.web import pulls

# What the list of registries may wait for all of them together, in seconds.
BUDGET = 2.0


@dataclass(frozen=True)
class Stats:
    """`repositories` are listed, `empty` of them have no tag, `unread` were not read yet and `unsized` not in
    full. `tags` and `manifests` are sums over those that were read, None when none was; `size` is in bytes,
    each blob counted once, None when none was read or nothing summed up yet. `partial`: of what somebody
    sees who doesn't see all; then what several repositories share counts in each, and nobody can tell how
    many manifests there are without looking at all."""

    repositories: int
    empty: int
    unread: int
    tags: int | None
    manifests: int | None
    size: int | None
    unsized: int = 0
    namespaces: int = 0
    partial: bool = False


def stats(actor: access.Actor, registry: Registry) -> Stats:
    """The registry's numbers as they were last summed up, which for a small one is now; for who sees only
    some of it, the sums of that."""
    if access.sees_all(actor, registry):
        return of(registry, usage.storage(registry))
    return of_some(access.repositories(actor, registry))


def of_some(repositories: RepositoryQuerySet) -> Stats:
    """The numbers of these repositories, by what each says of itself."""
    found = sums.of(repositories)
    nothing = found.repositories > 0 and found.unread == found.repositories
    return Stats(
        repositories=found.repositories,
        empty=found.empty,
        unread=found.unread,
        tags=None if nothing else found.tags,
        manifests=None,
        size=None if nothing else found.size,
        unsized=found.unsized,
        partial=True,
    )


def of(registry: Registry, found: Storage | None) -> Stats:
    """The numbers that these sums are."""
    if found is None:
        counts = (
            registry.repositories.listed()
            .order_by()
            .aggregate(
                repositories=Count("pk"),
                empty=Count("pk", filter=Q(tag_count=0)),
                unread=Count("pk", filter=Q(tag_count=None)),
            )
        )
        return Stats(**counts, tags=None, manifests=None, size=None)
    nothing = found.repositories > 0 and found.unread == found.repositories
    return Stats(
        repositories=found.repositories,
        empty=found.empty,
        unread=found.unread,
        tags=None if nothing else found.tags,
        manifests=None if nothing else found.images,
        size=None if nothing else found.size,
        unsized=found.unsized,
        namespaces=Namespace.objects.filter(registry=registry).exclude(name="").count(),
    )


@dataclass(frozen=True)
class Row:
    """A registry in the list of registries."""

    registry: Registry
    host: str
    reading: fetch.Reading
    stats: Stats


def rows(actor: access.Actor, registries: Sequence[Registry], max_age: timedelta) -> list[Row]:
    """The registries as they are, or were when they last answered. Those read longer ago than that are asked,
    with a common limit of time, of which each may use half of what is left: most need next to nothing, and
    one that hangs leaves some."""
    deadline = time.monotonic() + BUDGET

    def reading_of(registry: Registry) -> fetch.Reading:
        budget = max(deadline - time.monotonic(), 0) / 2
        return hush.reading(actor, registry, fetch.catalog(registry, budget=budget, max_age=max_age))

    return [
        Row(registry, pulls.host(registry), reading_of(registry), stats(actor, registry))
        for registry in registries
    ]


def reading(rows: Sequence[Row]) -> fetch.Reading:
    """The reading of all of them: as old as the oldest."""
    moments = [row.reading.as_of for row in rows if row.reading.as_of is not None]
    return fetch.Reading(
        min(moments) if len(moments) == len(rows) and moments else None,
        complete=all(row.reading.complete for row in rows),
    )
