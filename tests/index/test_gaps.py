"""Since when events come in without a known gap, and what is forgotten of them."""

from datetime import date, timedelta

import pytest

from regui.index import gaps, thinning
from regui.index.models import Event, PullCount, Registry, TagMove
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def told() -> Registry:
    """A registry whose events come in since an hour ago."""
    return factories.registry(events_at=NOW, events_since=NOW - 60 * MINUTE)


def since(registry: Registry) -> int:
    """For how many minutes they have come in without a known gap."""
    registry.refresh_from_db()
    assert registry.events_since is not None
    return int((NOW - registry.events_since) / MINUTE)


def move(registry: Registry, how: TagMove.How, minutes_ago: int) -> None:
    at = NOW - minutes_ago * MINUTE
    TagMove.objects.create(registry=registry.name, repository="team/app", tag="v1", after="x", at=at, how=how)


def test_a_worker_that_is_there_leaves_no_gap(told: Registry) -> None:
    for seconds in range(0, 300, 10):
        gaps.beat(told, NOW + timedelta(seconds=seconds))
    assert since(told) == 60


def test_a_worker_that_was_away_leaves_one(told: Registry) -> None:
    gaps.beat(told, NOW - 10 * MINUTE)
    gaps.beat(told, NOW - 5 * MINUTE)
    assert since(told) == 5


def test_a_move_that_no_event_explains_is_a_gap(told: Registry) -> None:
    move(told, TagMove.How.EVENT, 10)
    gaps.look(told, NOW)
    assert since(told) == 60
    move(told, TagMove.How.CRAWL, 20)
    gaps.look(told, NOW)
    assert since(told) == 20


def test_an_event_may_come_after_the_crawl_that_found_out(told: Registry) -> None:
    move(told, TagMove.How.CRAWL, 0)
    gaps.look(told, NOW)
    assert since(told) == 60


def test_without_events_there_is_no_gap() -> None:
    registry = factories.registry()
    gaps.beat(registry, NOW - 10 * MINUTE)
    gaps.beat(registry, NOW)
    gaps.look(registry, NOW)
    registry.refresh_from_db()
    assert registry.events_since is None


def event(action: str, days_ago: float, *, applied: bool = True) -> Event:
    at = NOW - days_ago * DAY
    return Event.objects.create(
        registry="main",
        uid=f"{action} {days_ago} {applied}",
        action=action,
        repository="team/app",
        at=at,
        received_at=at,
        applied_at=at if applied else None,
    )


def test_applied_events_are_forgotten_by_age_and_pulls_after_a_day() -> None:
    kept = [event("push", 29), event("pull", 0.5), event("push", 40, applied=False)]
    for old in (event("push", 31), event("pull", 2)):
        assert old.pk
    assert sum(thinning.thin(NOW, 30 * DAY)) == 2
    assert set(Event.objects.values_list("pk", flat=True)) == {one.pk for one in kept}


def test_old_days_become_months_and_nothing_is_lost() -> None:
    for day, count in [(date(2026, 1, 1), 1), (date(2026, 1, 5), 2), (date(2026, 1, 31), 4), (NOW.date(), 8)]:
        PullCount.objects.create(
            registry="main", repository="team/app", tag="v1", digest="x", day=day, count=count, last_at=NOW
        )
    list(thinning.thin(NOW, 30 * DAY))
    list(thinning.thin(NOW, 30 * DAY))
    rows = PullCount.objects.order_by("day").values_list("day", "count")
    assert list(rows) == [(date(2026, 1, 1), 7), (NOW.date(), 8)]
