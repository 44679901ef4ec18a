"""Fixtures for tests of the addresses for machines."""

import pytest
from pytest_django import Settings

from regui.accounts.access import Role
from regui.paths import resource
from tests.api.calling import Caller
from tests.people import grant, person


@pytest.fixture(autouse=True)
def plain_static(settings: Settings) -> None:
    """Static files as they lie in the source: gathering them first is the server's business."""
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STATIC_ROOT = resource("static")


@pytest.fixture
def alice(db: None) -> Caller:
    """Alice administers."""
    return Caller("admin")


@pytest.fixture
def bob(db: None) -> Caller:
    """Bob reads."""
    reader = person("bob")
    grant(Role.READER, user=reader)
    return Caller(person=reader)


@pytest.fixture
def charlie(db: None) -> Caller:
    """Charlie is a stranger."""
    return Caller(person=person("charlie"))
