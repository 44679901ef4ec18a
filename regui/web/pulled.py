"""How often tags and digests were pulled, as far as events told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, QuerySet, Sum
from django.utils import timezone

from regui.index.models import PullCount, Registry, Repository
from regui.index.snapshots import Point
from regui.web import charts

DAYS = 30
# The size of a little chart.
WIDTH, HEIGHT = 90, 18


@dataclass(frozen=True)
class Span:
    """The days that pulls are counted over, both included: the last thirty, or fewer when events haven't
    come in for so long. `since` is when they began to come without a gap."""

    first: date
    last: date
    since: datetime

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_full(self) -> bool:
        return self.days == DAYS

    @property
    def words(self) -> str:
        """When that was, behind a count."""
        return f"in {DAYS} d" if self.is_full else f"since {self.first.day} {self.first:%b}"


def span(registry: Registry) -> Span | None:
    """The days to count over; None where no event ever came in, and so nothing is known."""
    if registry.events_at is None:
        return None
    today = timezone.now().date()
    since = registry.events_since or registry.events_at
    return Span(max(today - timedelta(days=DAYS - 1), min(since.date(), today)), today, since)


def by_tag(repository: Repository, names: Sequence[str], span: Span) -> dict[str, int]:
    """How often each of these tags was pulled by name in these days; those that weren't are left out."""
    rows = counts(repository).filter(tag__in=names, day__gte=span.first)
    return dict(rows.values_list("tag").annotate(Sum("count")).values_list("tag", "count__sum"))


def counts(repository: Repository) -> QuerySet[PullCount]:
    return PullCount.objects.filter(registry=repository.registry.name, repository=repository.name)


@dataclass(frozen=True)
class Pulls:
    """The pulls of one thing, by `words`: how many in a span of days, with a chart of these when there were
    any, and when the last one was, in that span or before."""

    words: str
    count: int
    last_at: datetime | None
    chart: charts.Line | None


def of_tag(repository: Repository, tag: str, span: Span) -> Pulls:
    """The pulls by that name, whatever it was on."""
    return summed(counts(repository).filter(tag=tag), "by this tag", span)


def of_digest(repository: Repository, digest: str, span: Span) -> Pulls:
    """The pulls of that digest, by whatever name."""
    return summed(counts(repository).filter(digest=digest), "of this digest", span)


def summed(rows: QuerySet[PullCount], words: str, span: Span) -> Pulls:
    days = {
        day: (count, last_at)
        for day, count, last_at in rows.order_by("day")
        .values_list("day")
        .annotate(Sum("count"), Max("last_at"))
    }
    points = [
        Point(day, days.get(day, (0, None))[0])
        for day in (span.first + timedelta(days=number) for number in range(span.days))
    ]
    count = sum(point.size for point in points)
    last_at = max((last for _, last in days.values()), default=None)
    return Pulls(words, count, last_at, charts.line(points, WIDTH, HEIGHT) if count else None)
