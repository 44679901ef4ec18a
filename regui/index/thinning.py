"""Forgets events that can't come again, and sums up old days: what was pulled when stays known by the
month."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from regui.index import pulls
from regui.index.batches import batches
from regui.index.models import Event, PullCount

# A single pull has been counted; its event is needed only to know it when it comes again.
PULLS_KEPT = timedelta(days=1)
# Days are told apart for so long, then they become their month's first.
DAYS_KEPT = timedelta(days=90)
BATCH = 500


def thin(now: datetime, keep: timedelta) -> Iterator[int]:
    """Forget what is older than it need be, a batch at a time; yields how many rows each took."""
    applied = Event.objects.exclude(applied_at=None)
    yield from forgotten(applied.filter(received_at__lt=now - keep))
    yield from forgotten(applied.filter(action="pull", received_at__lt=now - min(keep, PULLS_KEPT)))
    yield from months((now - DAYS_KEPT).date().replace(day=1))


def forgotten(rows: QuerySet[Event]) -> Iterator[int]:
    """Delete these rows."""
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield Event.objects.filter(pk__in=keys).delete()[0]


def months(before: date) -> Iterator[int]:
    """Add up the days before that one by month; each batch in one transaction, so that nothing counts
    twice."""
    days = PullCount.objects.filter(day__lt=before).exclude(day__day=1)
    for some in batches(days.order_by("registry", "pk").values_list("pk", flat=True).iterator(), BATCH):
        with transaction.atomic():
            rows = list(PullCount.objects.select_for_update().filter(pk__in=some))
            for registry in {row.registry for row in rows}:
                sums: dict[tuple[str, str, str, date], tuple[int, datetime]] = {}
                for row in (row for row in rows if row.registry == registry):
                    key = (row.repository, row.tag, row.digest, row.day.replace(day=1))
                    times, last_at = sums.get(key, (0, row.last_at))
                    sums[key] = times + row.count, max(last_at, row.last_at)
                pulls.add(registry, sums)
            PullCount.objects.filter(pk__in=[row.pk for row in rows]).delete()
        yield len(rows)
