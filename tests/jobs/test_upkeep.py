"""What a round in the background does beside reading: it finds out what the registry can do, and whether it
was collected, and changes nothing."""

from pathlib import Path

import pytest
from pytest_django import Settings

from regui.actions.models import Garbage
from regui.index.connect import ensure_registries
from regui.index.models import Registry
from regui.jobs import tasks
from regui.registries import RegistrySettings
from tests.registry import RunningRegistry

pytestmark = pytest.mark.django_db

CHANGES = {"PUT", "POST", "PATCH"}


def test_a_round_finds_out_what_the_registry_can_do_and_not_every_round(
    tmp_path: Path, settings: Settings
) -> None:
    running = RunningRegistry(tmp_path / "registry", delete=False)
    running.push("team/app")
    settings.REGISTRIES = {"main": RegistrySettings("main", running.url)}
    ensure_registries()
    asked = len(running.requests())
    tasks.crawl.func("main")
    row = Registry.objects.get()
    assert (row.can("deletes"), row.can("referrers"), row.can("ranges")) == ("no", "no", "yes")
    assert Garbage.objects.get().looked_at is not None
    assert not {one.method for one in running.requests()[asked:]} & CHANGES
    Registry.objects.update(due_at=None)
    deletes = [one for one in running.requests() if one.method == "DELETE"]
    tasks.crawl.func("main")
    assert [one for one in running.requests() if one.method == "DELETE"] == deletes
    running.stop()
