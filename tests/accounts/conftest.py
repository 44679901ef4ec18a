"""A registry that asks everybody who they are, and people who showed it accounts of their own."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from regui import oci
from regui.index import connect
from regui.index.models import Registry
from regui.paths import resource
from regui.registries import RegistrySettings
from tests.accounts.stand import USERS, Rights, entered
from tests.people import SignedIn
from tests.registry import RunningRegistry, bearer_registry


@pytest.fixture(scope="module")
def tokens() -> Iterator[Rights]:
    with Rights(USERS, lifetime=1) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tokens: Rights, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    running = bearer_registry(tmp_path_factory.mktemp("guarded"), tokens)
    running.credentials = oci.Credentials("alice", USERS["alice"])
    for name in ("team/app", "team/web", "secret/app"):
        running.push(name, tags=["1.0"])
    yield running
    running.stop()


@pytest.fixture
def main(guarded: RunningRegistry, settings: Settings) -> Iterator[Registry]:
    settings.ANONYMOUS_ROLE = "none"
    settings.DELETE_GRACE = timedelta()
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STATIC_ROOT = resource("static")
    record = RegistrySettings("main", guarded.url, "regui", USERS["regui"], own=True)
    settings.REGISTRIES = {"main": record}
    connect.ensure_registries()
    yield Registry.objects.get(name="main")
    connect.close()


@pytest.fixture
def alice(main: Registry) -> SignedIn:
    return entered("alice")


@pytest.fixture
def bob(main: Registry) -> SignedIn:
    return entered("bob")
