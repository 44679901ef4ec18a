"""Sums over some of a registry's repositories, for who doesn't see the others: of what each says of itself,
so that no sum tells of any but these. What several share counts in each. All in bytes."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, FloatField, Q, Sum, Value
from django.db.models.functions import Cast, Left, StrIndex

from regui.index.models import RepositoryQuerySet


@dataclass(frozen=True)
class Sums:
    """`repositories` are listed, `empty` of them have no tag, `unread` were never listed and `unsized` not
    read in full; `tags` and `size` are of those that were."""

    repositories: int
    empty: int
    unread: int
    unsized: int
    tags: int
    size: int


@dataclass(frozen=True)
class Space:
    """What the repositories come to whose names begin alike, as far as these are among them."""

    name: str
    size: int
    repositories: int
    tags: int


def of(repositories: RepositoryQuerySet) -> Sums:
    """What these come to; one query."""
    counts = repositories.order_by().aggregate(
        repositories=Count("pk"),
        empty=Count("pk", filter=Q(tag_count=0)),
        unread=Count("pk", filter=Q(tag_count=None)),
        unsized=Count("pk", filter=Q(size=None)),
        tags=Sum("tag_count", default=0),
        bytes=total(),
    )
    return Sums(**{"size": int(counts.pop("bytes") or 0), **counts})


def total() -> Sum:
    """The sum of sizes: as floating point, for hostile ones must not overflow a database's integers."""
    return Sum(Cast("size", FloatField()))


def spaces(repositories: RepositoryQuerySet, most: int) -> list[Space]:
    """The largest namespaces that these are in, no more than so many."""
    rows = by_space(repositories).annotate(tags=Sum("tag_count", default=0), bytes=total())
    found = rows.order_by("-bytes", "space").values_list("space", "bytes", "repositories", "tags")
    largest = sorted(found.exclude(bytes=None)[:most], key=lambda row: (-row[1], row[0]))
    return [Space(name, int(size), count, tags) for name, size, count, tags in largest]


def fullest(repositories: RepositoryQuerySet, most: int) -> list[str]:
    """The names of the namespaces that these are in; of very many, those with the most of them."""
    rows = by_space(repositories).order_by("-repositories", "space")
    return sorted(rows.values_list("space", flat=True)[:most])


def by_space(repositories: RepositoryQuerySet) -> Any:
    """One row for each first part of a name that has more than one, with how many have it."""
    spaced = repositories.filter(name__contains="/").order_by()
    named = spaced.annotate(space=Left("name", StrIndex("name", Value("/")) - 1))
    return named.values("space").annotate(repositories=Count("pk"))


def kinds(repositories: RepositoryQuerySet) -> list[str]:
    """The kinds of these repositories' newest tags."""
    rows = repositories.exclude(kind="").order_by().values_list("kind", flat=True)
    return sorted(rows.distinct())
