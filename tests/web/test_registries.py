"""The first page: which registries there are, or how to have one; and what a stranger is told."""

import socket
from dataclasses import replace

import pytest
from pytest_django import Settings

from regui.accounts.access import Role
from regui.index.connect import ensure_registries
from regui.registries import RegistrySettings
from tests.fake import Fake
from tests.memory import out
from tests.people import grant, person
from tests.registry import RunningRegistry
from tests.web.conftest import Visitor


@pytest.fixture
def dead_url() -> str:
    """An address of this machine where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def two(registry: RunningRegistry, dead_url: str, settings: Settings, db: None) -> None:
    """Two registries: one that answers, one that doesn't."""
    settings.REGISTRIES = {
        "main": RegistrySettings(name="main", url=registry.url),
        "dead": RegistrySettings(name="dead", url=dead_url),
    }
    ensure_registries()


def test_without_a_registry_the_page_teaches_how_to_have_one(bob: Visitor) -> None:
    page = bob.get("/")
    assert page.status_code == 200
    assert "No registry yet" in page.text
    assert "REGUI_REGISTRY_URL=" in page.text
    assert "regui demo" in page.text


@pytest.mark.usefixtures("index_registry")
def test_the_only_registry_is_opened_straight_away(bob: Visitor) -> None:
    assert bob.get("/").headers["Location"] == "/main/"


@pytest.mark.usefixtures("two")
def test_several_registries_are_listed_with_how_they_are(registry: RunningRegistry, bob: Visitor) -> None:
    registry.push(registry.unique())
    page = bob.get("/")
    rows = page.text.split("<tr data-registry=")
    assert ['"dead"' in rows[1], '"main"' in rows[2]] == [True, True]
    assert "unreachable" in rows[1]
    assert "healthy" in rows[2]
    assert f"127.0.0.1:{registry.port}" in rows[2]


def test_one_slow_registry_among_many_is_waited_for(dead_url: str, bob: Visitor, settings: Settings) -> None:
    with Fake() as fake:
        fake.on("GET", "/v2/_catalog", replace(out(200, {"repositories": []}), stall=0.5))
        names = [f"dead-{number}" for number in range(9)]
        settings.REGISTRIES = {name: RegistrySettings(name, dead_url) for name in names}
        settings.REGISTRIES["slow"] = RegistrySettings("slow", fake.url)
        ensure_registries()
        page = bob.get("/")
    slow = page.text.partition('<tr data-registry="slow"')[2].partition("</tr>")[0]
    assert "healthy" in slow


@pytest.mark.usefixtures("index_registry")
@pytest.mark.parametrize("path", ["/main/", "/main/team/app/", "/main/team/app/-/tags/x/", "/nowhere/"])
def test_a_stranger_finds_nothing_anywhere(path: str, charlie: Visitor, registry: RunningRegistry) -> None:
    before = len(registry.requests())
    page = charlie.get(path)
    assert page.status_code == 404
    assert str(registry.port) not in page.text
    assert 'href="/main/"' not in page.text
    assert len(registry.requests()) == before, "permission is decided before any request"


@pytest.mark.usefixtures("index_registry")
def test_a_stranger_is_told_on_the_first_page_who_could_let_them_in(charlie: Visitor) -> None:
    grant(Role.ADMIN, user=person("alice"))
    page = charlie.get("/")
    assert page.status_code == 403
    assert "You may not see this" in page.text
    assert "Ask somebody who could: alice." in page.text
    assert "/main/" not in page.text
