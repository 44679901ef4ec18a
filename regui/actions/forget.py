"""Lets go of the bytes that would bring something back, once they can't or are too old. What was done stays
in the journal."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from regui.actions import remains
from regui.actions.models import Collection, Kept, Remains

BATCH = 500


def bytes_kept(now: datetime, keep: timedelta) -> Iterator[int]:
    """Let go of the bytes of what a collection has made impossible to bring back, and, unless `keep` is zero,
    of those of actions that ended longer ago than that; yields how many rows each batch took."""
    if keep:
        yield from gone(Kept.objects.filter(action__finished_at__lt=now - keep))
    for registry in Collection.objects.order_by().values_list("registry", flat=True).distinct():
        yield from collected(registry)


def collected(registry: str) -> Iterator[int]:
    """Let go of what blobs are missing for since a collection that is known of. Content that is missing for
    no known reason may come back."""
    latest = Collection.objects.filter(registry=registry).latest()
    kept = Kept.objects.filter(action=OuterRef("item__action"), digest=OuterRef("item__digest"))
    rows = Remains.objects.filter(
        Exists(kept), item__action__registry=registry, item__action__finished_at__lt=latest.before
    ).exclude(gone=[])
    for row in rows.select_related("item"):
        lost = set(row.gone)
        useless = [
            one.pk
            for one, blobs in remains.below(row.item)
            if one.digest == row.item.digest or lost.intersection(blobs)
        ]
        yield from gone(Kept.objects.filter(pk__in=useless))


def gone(rows: QuerySet[Kept]) -> Iterator[int]:
    """Delete these rows."""
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield Kept.objects.filter(pk__in=keys).delete()[0]
