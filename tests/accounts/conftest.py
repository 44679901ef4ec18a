"""Fixtures for tests of people from elsewhere: the site, and a browser that keeps its cookies; and for those
of a registry that asks everybody who they are."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from regui import oci
from regui.index import connect
from regui.index.models import Registry
from regui.registries import RegistrySettings
from tests import provider
from tests.accounts.browsing import Browser
from tests.accounts.stand import USERS, Rights, entered
from tests.accounts.trust import accepted
from tests.people import SignedIn
from tests.provider import Provider
from tests.registry import RunningRegistry, bearer_registry


@pytest.fixture(autouse=True)
def unlimited() -> None:
    """Nobody has tried to sign in yet."""
    cache.clear()


@pytest.fixture
def window(live_server: LiveServer, settings: Settings) -> Iterator[Browser]:
    """A browser on the site, where visitors may look around."""
    settings.ANONYMOUS_ROLE = "reader"
    browser = Browser(live_server.url)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def process() -> Iterator[Provider]:
    with provider.running() as one:
        yield one


@pytest.fixture
def idp(process: Provider, settings: Settings) -> Provider:
    """The provider, which knows Alice, Bob and Charlie and keeps to the rules."""
    process.behave()
    settings.OIDC = accepted(process)
    return process


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
