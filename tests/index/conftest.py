"""Fixtures for tests of the index: a row for the real registry, and nothing remembered of its last
failure."""

import pytest
from pytest_django import Settings

from regui.index.connect import ensure_registries
from regui.index.models import Registry
from regui.registries import RegistrySettings
from tests.registry import RunningRegistry


def registered(settings: Settings, url: str, name: str = "main") -> Registry:
    """The row of the registry at this address, which the settings name for the length of a test."""
    settings.REGISTRIES = {name: RegistrySettings(name=name, url=url)}
    ensure_registries()
    return Registry.objects.get(name=name)


@pytest.fixture
def index_registry(registry: RunningRegistry, settings: Settings, db: None) -> Registry:
    """The row of `registry`."""
    return registered(settings, registry.url)
