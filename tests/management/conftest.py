"""Fixtures of the tests of commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake import Fake
from tests.management.desk import Desk
from tests.registry import RunningRegistry


@pytest.fixture
def desk(data: Path, registry: RunningRegistry) -> Desk:
    """Somebody in front of a real registry."""
    return Desk(data, registry.url)


@pytest.fixture
def name(registry: RunningRegistry) -> str:
    """A repository that nobody else uses."""
    return registry.unique()


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A registry that behaves as badly as a test wants."""
    with Fake() as one:
        yield one
