"""The page that says what a registry can do, and the buttons that are off where it can't."""

import html
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.index import capabilities
from regui.index.models import Registry
from regui.web import recipes
from tests.fake import Fake
from tests.registry import RunningRegistry, binary
from tests.web.conftest import Visitor, registered

PAGE, LOOK = "/main/-/capabilities/", "/main/-/capabilities/look/"
NAME = "team/app"


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry as it comes: with deletes switched off."""
    running = RunningRegistry(tmp_path / "registry", delete=False)
    running.push(NAME, tags=["1.0", "latest"])
    yield running
    running.stop()


@pytest.fixture
def kept(keeping: RunningRegistry, settings: Settings, db: None) -> Registry:
    return registered(settings, keeping.url)


def states(page: str) -> dict[str, str]:
    return dict(re.findall(r'data-capability="(\w+)" data-state="(\w+)"', page))


def known(row: Registry, **found: str) -> None:
    """Have it remembered that these things are so."""
    there = {"reachable": oci.Finding("yes")}
    named = {key: oci.Finding("yes", value) for key, value in found.items() if key == "family"}
    said = {key: oci.Finding(value) for key, value in found.items() if key != "family"}  # type: ignore[arg-type]
    capabilities.keep(row, there | named | said, timezone.now())


def test_before_anything_was_asked_nothing_is_claimed(kept: Registry, alice: Visitor) -> None:
    page = alice.get(PAGE).text
    assert set(states(page).values()) == {"unknown"}
    assert "Not asked yet" in page


def test_looking_finds_out_and_says_what_to_set(kept: Registry, alice: Visitor) -> None:
    alice.get(f"/main/{NAME}/")
    answer = alice.post(LOOK)
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    page = html.unescape(alice.get(PAGE).text)
    assert states(page)["deletes"] == "no"
    assert states(page)["writes"] == "yes"
    assert "storage:\n  delete:\n    enabled: true\n" in page
    assert "REGISTRY_STORAGE_DELETE_ENABLED=true" in page
    assert "/etc/docker/registry/config.yml" in page
    assert "/etc/distribution/config.yml" not in page, "it is known to be of version 2"
    assert "405 UNSUPPORTED" in page


def test_looking_at_the_page_asks_the_registry_nothing(
    kept: Registry, keeping: RunningRegistry, alice: Visitor
) -> None:
    before = len(keeping.requests())
    alice.get(PAGE)
    assert len(keeping.requests()) == before


def test_it_stands_while_the_registry_is_away(
    kept: Registry, keeping: RunningRegistry, alice: Visitor
) -> None:
    alice.post(LOOK)
    keeping.stop()
    alice.post(LOOK)
    page = alice.get(PAGE).text
    assert states(page)["reachable"] == "no"
    assert states(page)["deletes"] == "no"
    assert "each with its date" in page
    keeping.start()


def test_what_it_takes_to_look_is_a_right(kept: Registry, bob: Visitor, charlie: Visitor) -> None:
    assert bob.get(PAGE).status_code == 200
    assert LOOK not in bob.get(PAGE).text
    assert bob.post(LOOK).status_code == 403
    assert charlie.get(PAGE).status_code == 404
    assert bob.get(LOOK).status_code == 405


def test_it_costs_two_queries(
    kept: Registry, alice: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    alice.post(LOOK)
    alice.get(PAGE)
    with django_assert_num_queries(2):
        alice.get(PAGE)


def test_buttons_are_off_where_it_is_known_that_nothing_can_be_deleted(
    kept: Registry, alice: Visitor
) -> None:
    digest = re.search(r'data-digest="([^"]+)"', alice.get(f"/main/{NAME}/").text)
    assert digest
    pages = [
        f"/main/{NAME}/",
        f"/main/{NAME}/-/tags/latest/",
        f"/main/{NAME}/-/manifests/{digest[1]}/",
    ]
    for page in pages:
        assert "/delete/" in alice.get(page).text, "as long as nothing is known, it may be tried"
    alice.post(LOOK)
    for page in pages:
        text = alice.get(page).text
        assert "/delete/" not in text, page
        assert "Deletes are switched off in this registry" in text
        assert f'href="{PAGE}#set-deletes"' in text
        assert re.search(r'<button [^>]*disabled[^>]*aria-describedby="keeps"', text)
        assert 'id="keeps"' in text
    assert "Set tag…" in alice.get(pages[1]).text
    assert "/tag/" in alice.get(pages[1]).text, "tags can still be set"


def test_a_read_only_registry_offers_no_change_at_all(kept: Registry, alice: Visitor) -> None:
    alice.get(f"/main/{NAME}/")
    known(kept, writes="no")
    page = alice.get(f"/main/{NAME}/-/tags/latest/").text
    assert "read-only, so nothing can be changed" in page
    assert "/tag/" not in page
    page = html.unescape(alice.get(PAGE).text)
    assert 'REGISTRY_STORAGE_MAINTENANCE_READONLY={"enabled":false}' in page


def test_a_reader_is_not_told_of_buttons_they_have_not(kept: Registry, bob: Visitor) -> None:
    bob.get(f"/main/{NAME}/")
    known(kept, deletes="no")
    assert 'id="keeps"' not in bob.get(f"/main/{NAME}/").text


def test_a_delete_that_is_refused_is_remembered(kept: Registry, alice: Visitor) -> None:
    path = f"/main/{NAME}/-/tags/1.0/delete/"
    page = alice.get(path).text
    form = dict(
        re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.partition('id="confirm"')[2])
    )
    assert alice.post(path, {name: html.unescape(value) for name, value in form.items()}).status_code == 405
    kept.refresh_from_db()
    assert kept.keeps_all


def test_a_vendors_refusal_is_met_with_the_vendors_way(kept: Registry, alice: Visitor) -> None:
    known(kept, family="GitHub", deletes="no")
    page = alice.get(PAGE).text
    assert "versions of a package are deleted" in page
    assert "REGISTRY_STORAGE_DELETE_ENABLED" not in page


def test_where_nothing_proves_the_version_both_are_named(kept: Registry, alice: Visitor) -> None:
    known(kept, deletes="no")
    page = alice.get(PAGE).text
    assert "/etc/docker/registry/config.yml" in page
    assert "/etc/distribution/config.yml" in page


def test_hostile_words_stay_words(settings: Settings, alice: Visitor) -> None:
    with Fake() as fake:
        row = registered(settings, fake.url)
        capabilities.keep(row, {"reachable": oci.Finding("no", "<script>alert(1)</script>")}, timezone.now())
        assert "<script>alert" not in alice.get(PAGE).text


@pytest.mark.parametrize("on", [True, False])
def test_the_variable_for_read_only_is_one_that_the_registry_takes(tmp_path: Path, *, on: bool) -> None:
    """The name one would guess, ending in READONLY_ENABLED, keeps it from starting."""
    running = RunningRegistry(tmp_path / "registry")
    running.stop()
    name, _, value = recipes.read_only(on=on).variable.partition("=")
    process = subprocess.Popen(
        [str(binary()), "serve", str(running.folder / "config.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, name: value, "OTEL_TRACES_EXPORTER": "none"},
    )
    try:
        deadline = time.monotonic() + 20
        found: dict[str, oci.Finding] = {}
        while time.monotonic() < deadline and found.get("writes") is None:
            with oci.Client(running.url, tries=1) as client:
                found = oci.examine(client, oci.Sample())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert found["writes"].state == ("no" if on else "yes")
