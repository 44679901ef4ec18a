"""Fixtures of the tests of actions."""

import pytest
from pytest_django import Settings

from regui import oci
from regui.index.connect import ensure_registries
from regui.registries import RegistrySettings
from tests.actions.stand import Stand
from tests.registry import RunningRegistry


@pytest.fixture
def stand(registry: RunningRegistry, client: oci.Client, settings: Settings, db: None) -> Stand:
    """A repository of a real registry, with an index that knows nothing of it yet."""
    settings.REGISTRIES = {"main": RegistrySettings("main", registry.url)}
    ensure_registries()
    return Stand(registry, client, registry.unique())
