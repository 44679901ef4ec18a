"""A registry in a few numbers, none of them more certain than what was read."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, FloatField, Q, Sum
from django.db.models.functions import Cast

from regui.accounts import access
from regui.index import fetch
from regui.index.models import Blob, BlobUse, Registry, RepositoryQuerySet, Revision, Tag
from regui.web import pulls

# What the list of registries may wait for all of them together, in seconds.
BUDGET = 2.0


@dataclass(frozen=True)
class Stats:
    """`repositories` are listed, `empty` of them have no tag, `unread` were not read yet. `tags` and
    `manifests` are sums over those that were read, None when none was; `size` is in bytes, each blob counted
    once."""

    repositories: int
    empty: int
    unread: int
    tags: int | None
    manifests: int | None
    size: int | None


def stats(repositories: RepositoryQuerySet) -> Stats:
    """The numbers over these repositories."""
    counts = repositories.order_by().aggregate(
        repositories=Count("pk"),
        empty=Count("pk", filter=Q(tag_count=0)),
        unread=Count("pk", filter=Q(tag_count=None)),
        tags=Sum("tag_count"),
    )
    nothing = counts["unread"] == counts["repositories"] and counts["repositories"] > 0
    tags = Tag.objects.visible().filter(repository__in=repositories.order_by().values("pk"))
    return Stats(
        **{key: counts[key] for key in ("repositories", "empty", "unread")},
        tags=None if nothing else counts["tags"] or 0,
        manifests=None if nothing else tags.aggregate(n=Count("manifest", distinct=True))["n"],
        size=None if nothing else used(repositories),
    )


def used(repositories: RepositoryQuerySet) -> int:
    """The bytes of every blob that a manifest known to lie in these repositories needs, each counted once."""
    # IN, not EXISTS: the database goes once from repositories to blobs instead of back again from each blob.
    held = Revision.objects.held().filter(repository__in=repositories.order_by().values("pk"))
    needed = BlobUse.objects.filter(manifest__in=held.values("manifest")).values("blob")
    # As floating point, exact below 2**53: a sum of hostile sizes must not overflow a database's integers.
    total = Blob.objects.filter(pk__in=needed).aggregate(size=Sum(Cast("size", FloatField())))
    return int(total["size"] or 0)


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
    return [
        Row(
            registry=registry,
            host=pulls.host(registry),
            reading=fetch.catalog(registry, budget=max(deadline - time.monotonic(), 0) / 2, max_age=max_age),
            stats=stats(access.repositories(actor, registry)),
        )
        for registry in registries
    ]


def reading(rows: Sequence[Row]) -> fetch.Reading:
    """The reading of all of them: as old as the oldest."""
    moments = [row.reading.as_of for row in rows if row.reading.as_of is not None]
    return fetch.Reading(
        min(moments) if len(moments) == len(rows) and moments else None,
        complete=all(row.reading.complete for row in rows),
    )
