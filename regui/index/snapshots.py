"""What registries, namespaces and repositories came to, day by day.

A registry has a row for each day it was looked at; the others only for days on which they changed, so ten
thousand repositories that rest cost nothing. All by name: no crawl can bring yesterday back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings

from regui.index.batches import batches
from regui.index.models import Namespace, Registry, Repository, Snapshot, Storage

# Days are kept one by one for so long, later one a week.
DAILY = timedelta(days=90)
FIELDS = ("size", "repositories", "tags")


@dataclass(frozen=True)
class Point:
    """How many bytes there were at the end of a day."""

    day: date
    size: int


def take(registry: Registry, day: date) -> int:
    """Keep what the registry's sums are as that day's, those that are no longer the same; how many. Taken
    again on the same day, the later sums hold. Nothing is kept of a registry that was never summed up."""
    storage = Storage.objects.filter(registry=registry).first()
    if storage is None:
        return 0
    whole = Snapshot(
        registry=registry.name,
        day=day,
        size=storage.size,
        repositories=storage.repositories,
        tags=storage.tags,
    )
    write([whole])
    return 1 + sum(changed(registry, day, some) for some in batches(scopes(registry)))


def scopes(registry: Registry) -> Iterable[tuple[str, int, int, int]]:
    """Namespaces, then repositories of known size: scope, bytes, repositories, tags."""
    for space in Namespace.objects.filter(registry=registry).exclude(name="").iterator():
        yield f"{space.name}/", space.size, space.repositories, space.tags
    rows = Repository.objects.filter(registry=registry, size__isnull=False).listed()
    for name, size, tags in rows.values_list("name", "size", "tag_count").iterator():
        yield name, size or 0, 1, tags or 0


def changed(registry: Registry, day: date, some: Sequence[tuple[str, int, int, int]]) -> int:
    """Keep those of some scopes that differ from what was last kept before that day; how many."""
    before = Snapshot.objects.filter(
        registry=registry.name, scope__in=[scope for scope, *_ in some], day__lt=day
    )
    last = {scope: values for scope, *values in before.order_by("day").values_list("scope", *FIELDS)}
    rows = [
        Snapshot(registry=registry.name, scope=scope, day=day, **dict(zip(FIELDS, values, strict=True)))
        for scope, *values in some
        if last.get(scope) != values
    ]
    write(rows)
    return len(rows)


def write(rows: Sequence[Snapshot]) -> None:
    Snapshot.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["registry", "scope", "day"], update_fields=FIELDS
    )


def thin(registry: Registry, today: date) -> int:
    """Let go of days that are too old, save the last of each week while `SNAPSHOTS_KEEP` lasts, and the very
    last, which still holds where nothing has changed since; how many went."""
    old = Snapshot.objects.filter(registry=registry.name, day__lt=today - DAILY)
    horizon = today - settings.SNAPSHOTS_KEEP
    doomed: list[int] = []
    previous, weeks = None, set[tuple[int, int]]()
    for pk, scope, day in old.order_by("scope", "-day").values_list("pk", "scope", "day").iterator():
        if scope != previous:
            previous, weeks = scope, set()
        week = day.isocalendar()[:2]
        if week in weeks or (day < horizon and weeks):
            doomed.append(pk)
        weeks.add(week)
    for some in batches(doomed):
        Snapshot.objects.filter(pk__in=some).delete()
    return len(doomed)


def series(registry: Registry, scope: str = "", *, since: date | None = None) -> list[Point]:
    """The days kept of a registry, of a namespace ("team/") or of a repository, in order."""
    rows = Snapshot.objects.filter(registry=registry.name, scope=scope)
    if since is not None:
        rows = rows.filter(day__gte=since)
    return [Point(day, size) for day, size in rows.order_by("day").values_list("day", "size")]
