"""A policy that drops half of twenty thousand tags, in a time that whoever runs it has."""

import time
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui.actions import retain, run
from regui.demo.images import Built
from regui.index import fetch, sync
from regui.index.connect import close, ensure_registries
from regui.index.models import Registry
from regui.registries import RegistrySettings
from regui.retention.policy import Policy
from tests import images
from tests.actions.stand import ALICE
from tests.actions.test_any_actions import put
from tests.fake import Fake
from tests.memory import Repository

NAME = "team/app"


@pytest.fixture
def fake(settings: Settings, db: None) -> Iterator[Fake]:
    with Fake() as one:
        settings.REGISTRIES = {"main": RegistrySettings("main", one.url)}
        ensure_registries()
        yield one
    close()


def fill(fake: Fake, count: int) -> None:
    """So many tags, every second one old; each tenth old one has a sibling that stays."""
    there = fake.memory.repositories[NAME] = Repository()
    built: Built | None = None
    for number in range(count):
        if built is None or number % 20:
            built = images.image()
            put(fake, NAME, built)
        there.tags[f"{'old' if number % 2 else '1'}.{number}"] = built.digest


def cleaned(fake: Fake, count: int) -> tuple[float, float]:
    """The seconds that a plan and its running took; what was to stay stays."""
    fill(fake, count)
    sync.run(Registry.objects.get())
    before = dict(fake.memory.repositories[NAME].tags)
    policy = Policy.read(
        {"name": "tidy", "registry": "main", "repositories": [NAME], "otherwise": "keep"}
        | {"rules": [{"drop": "matching", "tags": ["old*"]}]}
    )
    row = Registry.objects.get().repositories.get(name=NAME)
    began = time.monotonic()
    plan = retain.look(row, policy, [], timezone.now(), budget=fetch.LONG_BUDGET)
    planned = time.monotonic()
    assert len(plan.tags) == count // 2
    action = run.carry_out(run.start(plan, ALICE, budget=fetch.LONG_BUDGET), budget=fetch.LONG_BUDGET)
    ended = time.monotonic()
    assert action.state == "done"
    kept = {tag: on for tag, on in before.items() if not tag.startswith("old")}
    assert fake.memory.repositories[NAME].tags == kept
    assert set(kept.values()) == fake.memory.repositories[NAME].manifests.keys()
    return planned - began, ended - planned


def test_half_of_two_hundred_tags_go(fake: Fake) -> None:
    planned, _ = cleaned(fake, 200)
    assert planned < fetch.CHECK_BUDGET


@pytest.mark.long
def test_half_of_twenty_thousand_tags_go(fake: Fake) -> None:
    planned, ran = cleaned(fake, 20_000)
    assert planned < fetch.LONG_BUDGET / 2
    assert ran < 3600
