"""Fixtures of the tests of commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from regui.index.connect import ensure_registries
from regui.registries import RegistrySettings
from tests.fake import Fake
from tests.management.desk import Desk
from tests.registry import RunningRegistry


@pytest.fixture
def desk(data: Path, registry: RunningRegistry) -> Desk:
    """Somebody in front of a real registry."""
    return Desk(data, registry.url)


@pytest.fixture
def known(registry: RunningRegistry, settings: Settings, db: None) -> None:
    """The same registry, for commands within this process."""
    settings.REGISTRIES = {"main": RegistrySettings("main", registry.url)}
    ensure_registries()


@pytest.fixture
def name(registry: RunningRegistry) -> str:
    """A repository that nobody else uses."""
    return registry.unique()


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A registry that behaves as badly as a test wants."""
    with Fake() as one:
        yield one
