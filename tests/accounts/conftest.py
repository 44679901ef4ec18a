"""Fixtures for tests of people from elsewhere: the site, and a browser that keeps its cookies."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from regui.paths import resource
from tests import provider
from tests.accounts.browsing import Browser
from tests.accounts.trust import accepted
from tests.provider import Provider


@pytest.fixture(autouse=True)
def plain_static(settings: Settings) -> None:
    """Static files as they lie in the source: gathering them first is the server's business."""
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STATIC_ROOT = resource("static")


@pytest.fixture(autouse=True)
def unlimited() -> None:
    """Nobody has tried to sign in yet."""
    cache.clear()


@pytest.fixture
def window(live_server: LiveServer, settings: Settings) -> Browser:
    """A browser on the site, where visitors may look around."""
    settings.ANONYMOUS_ROLE = "reader"
    return Browser(live_server.url)


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
