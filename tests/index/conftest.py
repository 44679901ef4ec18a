"""Fixtures for tests of the index: a row for the real registry, and nothing remembered of its last
failure."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.index import connect, fetch
from regui.index.connect import ensure_registries
from regui.index.models import Registry, Repository
from regui.registries import RegistrySettings
from tests import images
from tests.fake import Fake
from tests.memory import Ask, Out
from tests.registry import RunningRegistry, open_registry

NAME = "team/app"
PAST = timedelta(minutes=2)


def registered(settings: Settings, url: str, name: str = "main") -> Registry:
    """The row of the registry at this address, which the settings name for the length of a test."""
    settings.REGISTRIES = {name: RegistrySettings(name=name, url=url)}
    ensure_registries()
    return Registry.objects.get(name=name)


@pytest.fixture
def index_registry(registry: RunningRegistry, settings: Settings, db: None) -> Registry:
    """The row of `registry`."""
    return registered(settings, registry.url)


@pytest.fixture
def stoppable(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry of this test's own, to be stopped."""
    running = open_registry(tmp_path / "registry")
    yield running
    running.stop()


@pytest.fixture
def stoppable_row(stoppable: RunningRegistry, settings: Settings, db: None) -> Registry:
    """The row of `stoppable`."""
    return registered(settings, stoppable.url)


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A registry that does as it is told."""
    with Fake() as running:
        yield running


@pytest.fixture
def fake_row(fake: Fake, settings: Settings, db: None) -> Registry:
    """The row of `fake`."""
    return registered(settings, fake.url)


@pytest.fixture
def pushed(fake: Fake) -> Fake:
    """The fake with twenty tags, each on an image of its own."""
    with oci.Client(fake.url) as client:
        for number in range(20):
            images.push(client, NAME, images.image(), [f"{number:02}"])
    fake.seen.clear()
    return fake


@pytest.fixture
def unsaved(fake_row: Registry) -> Repository:
    return Repository(registry=fake_row, name=NAME, first_seen_at=timezone.now())


@pytest.fixture
def known(pushed: Fake, unsaved: Repository) -> Repository:
    """The repository as it was read two minutes ago."""
    fetch.repository(unsaved, budget=20)
    age(unsaved)
    pushed.seen.clear()
    return unsaved


def age(repository: Repository) -> None:
    past = timezone.now() - PAST
    repository.tags.update(seen_at=past)
    Repository.objects.filter(pk=repository.pk).update(listed_at=past)
    repository.refresh_from_db()


def slow(seconds: float) -> Callable[[Ask], Out | None]:
    """Answers as usual, but late."""

    def answer(_: Ask) -> Out | None:
        time.sleep(seconds)
        return None

    return answer


def count(fake: Fake, end: str) -> int:
    return sum(1 for ask in fake.seen if ask.path.endswith(end))


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    """No memory of one test's failures in the next, at a port that came up again."""
    yield
    connect.close()
