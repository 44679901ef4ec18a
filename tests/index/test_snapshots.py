"""Snapshots: a row for a day on which something changed, and fewer with age."""

from datetime import date, timedelta

import pytest
from pytest_django import Settings

from regui.index import snapshots, usage
from regui.index.models import Registry, Snapshot
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TODAY = date(2026, 8, 1)


@pytest.fixture
def registry() -> Registry:
    for name in ("team/app", "team/web", "solo"):
        repository = factories.repository(name)
        factories.tags(repository, ["1"])
        usage.total(repository)
    registry = factories.registry()
    usage.settle_now(registry)
    return registry


def kept() -> list[tuple[str, date, int]]:
    return list(Snapshot.objects.order_by("scope", "day").values_list("scope", "day", "size"))


def test_a_registry_its_namespaces_and_repositories_are_kept(registry: Registry) -> None:
    assert snapshots.take(registry, TODAY) == 5

    assert kept() == [
        ("", TODAY, 3000),
        ("solo", TODAY, 1000),
        ("team/", TODAY, 2000),
        ("team/app", TODAY, 1000),
        ("team/web", TODAY, 1000),
    ]
    assert snapshots.take(registry, TODAY) == 5, "once more on the same day replaces"
    assert len(kept()) == 5


def test_only_what_changed_is_kept_the_next_day(registry: Registry) -> None:
    snapshots.take(registry, TODAY)
    repository = registry.repositories.get(name="team/web")
    factories.tags(repository, ["2"])
    usage.total(repository)
    usage.settle_now(registry)
    snapshots.take(registry, TODAY + DAY)

    assert [scope for scope, day, _ in kept() if day > TODAY] == ["", "team/", "team/web"]
    assert snapshots.series(registry) == [
        snapshots.Point(TODAY, 3000),
        snapshots.Point(TODAY + DAY, 4000),
    ]
    assert snapshots.series(registry, "team/", since=TODAY + DAY) == [snapshots.Point(TODAY + DAY, 3000)]


def test_a_registry_never_summed_up_has_none() -> None:
    assert snapshots.take(factories.registry(), TODAY) == 0
    assert kept() == []


def test_old_days_become_weeks_and_older_ones_go(settings: Settings) -> None:
    settings.SNAPSHOTS_KEEP = timedelta(days=365)
    registry = factories.registry()
    days = [TODAY - n * DAY for n in range(500)]
    Snapshot.objects.bulk_create(
        Snapshot(registry="main", scope=scope, day=day, size=1, repositories=1, tags=1)
        for scope in ("", "team/")
        for day in days
    )
    Snapshot.objects.create(
        registry="main", scope="rests", day=TODAY - 400 * DAY, size=1, repositories=1, tags=1
    )
    snapshots.thin(registry, TODAY)

    left = [one.day for one in snapshots.series(registry)]
    assert left[-91:] == sorted(days)[-91:]
    older = [day for day in left if day < TODAY - snapshots.DAILY]
    assert 38 <= len(older) <= 41
    assert len({day.isocalendar()[:2] for day in older}) == len(older)
    assert min(left) >= TODAY - settings.SNAPSHOTS_KEEP
    assert snapshots.series(registry, "rests"), "what has not changed since still holds"
    assert snapshots.thin(registry, TODAY) == 0
