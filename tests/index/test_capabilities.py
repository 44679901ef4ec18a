"""What a registry can do is asked now and then, and remembered with its date."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui.index import capabilities, fetch, sync
from regui.index.models import Registry, Repository
from tests.fake import Fake
from tests.index.conftest import registered
from tests.registry import RunningRegistry

pytestmark = pytest.mark.django_db


def test_all_of_it_is_remembered_with_when_and_how(
    registry: RunningRegistry, index_registry: Registry
) -> None:
    name = registry.unique()
    registry.push(name)
    fetch.repository(registered_repository(index_registry, name))
    assert index_registry.can("deletes") == "unknown"
    before = timezone.now()
    capabilities.look(index_registry)
    row = Registry.objects.get(pk=index_registry.pk)
    assert {key: row.can(key) for key in ("family", "writes", "deletes", "referrers", "ranges")} == {
        "family": "yes",
        "writes": "yes",
        "deletes": "yes",
        "referrers": "no",
        "ranges": "yes",
    }
    assert row.capabilities["deletes"]["evidence"].startswith("DELETE /v2/")
    assert row.capabilities["deletes"]["at"] >= before.isoformat()
    assert not row.keeps_all


def registered_repository(row: Registry, name: str) -> Repository:
    return Repository(registry=row, name=name, first_seen_at=timezone.now())


def test_it_is_asked_now_and_then_by_one_alone(index_registry: Registry) -> None:
    now = timezone.now()
    assert capabilities.keep_up(index_registry, now)
    assert not capabilities.keep_up(index_registry, now + timedelta(hours=1))
    assert capabilities.keep_up(index_registry, now + capabilities.EVERY + timedelta(minutes=1))


def test_what_was_found_outlives_an_outage_with_its_date(
    stoppable: RunningRegistry, stoppable_row: Registry
) -> None:
    capabilities.look(stoppable_row)
    found = stoppable_row.capabilities["deletes"]
    stoppable.stop()
    capabilities.look(stoppable_row)
    assert stoppable_row.can("reachable") == "no"
    assert stoppable_row.capabilities["deletes"] == found
    assert stoppable_row.examined_at is None, "the next round asks again"
    stoppable.start()


def test_deletes_that_are_switched_on_are_noticed(tmp_path: Path, settings: Settings) -> None:
    running = RunningRegistry(tmp_path / "registry", delete=False)
    row = registered(settings, running.url)
    capabilities.look(row)
    assert row.keeps_all
    assert not row.is_read_only
    running.stop()
    running._delete = True
    running.start()
    row = registered(settings, running.url)
    capabilities.look(row)
    assert not row.keeps_all
    running.stop()


def test_a_registry_the_settings_no_longer_name_is_not_asked(
    index_registry: Registry, settings: Settings
) -> None:
    settings.REGISTRIES = {}
    capabilities.look(index_registry)
    assert index_registry.can("reachable") == "no"


def test_a_foreground_round_asks_none_of_it(fake: Fake, settings: Settings) -> None:
    row = registered(settings, fake.url)
    sync.run(row)
    assert [ask.method for ask in fake.seen if ask.method in {"DELETE", "OPTIONS"}] == []
