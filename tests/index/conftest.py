"""Fixtures for tests of the index: a row for the real registry, and nothing remembered of its last
failure."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from regui.index.connect import ensure_registries
from regui.index.models import Registry
from regui.registries import RegistrySettings
from tests.fake import Fake
from tests.registry import RunningRegistry, open_registry


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
