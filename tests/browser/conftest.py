"""Fixtures for tests that drive a real browser against the site."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from regui import oci
from tests.browser.entering import Closed
from tests.browser.looks import DESK, Looks
from tests.browser.site import Site, fresh, running
from tests.browser.watch import Watch
from tests.serving import Running

PATIENCE = 30_000  # milliseconds; the machine may be busy with other tests
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP *.test 127.0.0.1",
)


@pytest.fixture(scope="session", autouse=True)
def beside_a_loop() -> Iterator[None]:
    """The driver leaves its event loop in this thread, where Django would then refuse any query to the tests
    that come later."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's browser."""
    return browser_type_launch_args | {"executable_path": "/usr/bin/chromium", "args": [*ARGUMENTS]}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return browser_context_args | {"viewport": DESK, "locale": "en-GB", "timezone_id": "UTC"}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, shared: Path, started: Path) -> Iterator[Site]:
    """The site, shared by the tests of one process."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(started, folder / "regui")
    with running(folder, shared) as one:
        yield one


@pytest.fixture(scope="session")
def base_url(site: Site) -> str:
    """Where `page.goto("/…")` goes."""
    return site.url


@pytest.fixture
def alone(site: Site, data: Path) -> Iterator[Running]:
    """A site of this test's own that knows nothing yet, with the lab as its only registry."""
    with fresh(data, REGUI_REGISTRY_URL=site.lab.url) as one:
        yield one


@pytest.fixture
def closed(site: Site, data: Path) -> Iterator[Closed]:
    """The same, where visitors may nothing."""
    settings = {"REGUI_REGISTRY_URL": site.lab.url, "REGUI_ANONYMOUS_ROLE": "none"}
    with fresh(data, **settings) as one:
        yield Closed(one, data, settings)


@pytest.fixture
def client_of_lab(site: Site) -> Iterator[oci.Client]:
    """A client of the lab's registry, for what others do to it meanwhile."""
    with site.lab.connect() as client:
        yield client


@pytest.fixture(autouse=True)
def watch(context: BrowserContext) -> Iterator[Watch]:
    """Every test fails that makes a page complain."""
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    watching = Watch(context)
    yield watching
    assert watching.complaints == []


@pytest.fixture
def looks(pytestconfig: pytest.Config) -> Looks:
    """Judges pages; its pictures lie among the results of the tests."""
    return Looks(Path(pytestconfig.getoption("--output")))
