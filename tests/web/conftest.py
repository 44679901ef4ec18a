"""Fixtures for tests of pages: a visitor, people, a registry's row, and static files as they lie in the
source, since gathering and hashing them first is the server's business."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from pytest_django import Settings

from regui.accounts.access import Role
from regui.index.connect import ensure_registries
from regui.index.models import Registry
from regui.patterns import ANYWHERE
from regui.registries import RegistrySettings
from tests.people import SignedIn
from tests.registry import RunningRegistry


class Visitor(Client):
    """A browser in which nobody has signed in; its requests carry one role, whatever the others' carry."""

    def __init__(self, role: str, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.role = role

    def request(self, **request: Any) -> Any:
        with override_settings(ANONYMOUS_ROLE=self.role):
            return super().request(**request)


@pytest.fixture
def alice(db: None) -> Visitor:
    """Alice administers."""
    return Visitor("admin")


@pytest.fixture
def bob(db: None) -> SignedIn:
    """Bob reads."""
    return SignedIn("bob", (Role.READER, ANYWHERE))


@pytest.fixture
def charlie(db: None) -> SignedIn:
    """Charlie is a stranger."""
    return SignedIn("charlie")


@pytest.fixture
def someone(db: None) -> Visitor:
    """Nobody has signed in yet in this browser, and who hasn't may nothing."""
    return Visitor("none")


def registered(settings: Settings, url: str, name: str = "main") -> Registry:
    """The row of the registry at this address, the only one the settings name for the length of a test."""
    settings.REGISTRIES = {name: RegistrySettings(name=name, url=url)}
    ensure_registries()
    return Registry.objects.get(name=name)


@pytest.fixture
def index_registry(registry: RunningRegistry, settings: Settings, db: None) -> Registry:
    """The row of `registry`."""
    return registered(settings, registry.url)


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Nobody has tried to sign in too often before."""
    cache.clear()


@pytest.fixture
def quick_passwords(settings: Settings) -> None:
    """Passwords are hashed in no time, and so could be guessed in no time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_grace(settings: Settings) -> None:
    """What is deleted is deleted when the answer comes, but for the tests of the grace."""
    settings.DELETE_GRACE = timedelta()
