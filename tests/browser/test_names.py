"""Naming repositories where a registry lists none, with scripts and without."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from regui import oci
from tests import images
from tests.browser.looks import PHONE, Looks
from tests.browser.site import fresh
from tests.browser.watch import Watch
from tests.fake import Fake
from tests.memory import error
from tests.serving import Running, regui

NAMES = ("team/app", "team/web", "a/name/as/long/as-those-of-machines-tend-to-be/with-no-end-in-sight-yet")


@pytest.fixture
def unlisted() -> Iterator[Fake]:
    """A registry that has no catalog."""
    with Fake() as fake:
        fake.on("GET", "/v2/_catalog", error(403, "DENIED"))
        with oci.Client(fake.url) as client:
            for name in NAMES:
                images.push(client, name, images.image(), ["1.0", "1.1"])
        yield fake


@pytest.fixture
def nameless(unlisted: Fake, tmp_path: Path) -> Iterator[Running]:
    """A site with that registry alone, and a name by its settings, read already: the machine may be busy, and
    what pages leave for later is nothing to judge them by."""
    settings = {"REGUI_REGISTRY_URL": unlisted.url, "REGUI_REGISTRY_NAMES": "team/app elsewhere/"}
    synced = regui(tmp_path, "sync", **settings)
    assert synced.returncode == 0, synced.stderr
    with fresh(tmp_path, **settings) as site:
        yield site


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param("on", marks=pytest.mark.browser_context_args(java_script_enabled=True)),
        pytest.param("off", marks=pytest.mark.browser_context_args(java_script_enabled=False)),
    ],
)
@pytest.mark.browser_context_args(viewport=PHONE)
def test_names_are_added_mended_and_removed(
    page: Page, nameless: Running, watch: Watch, scripts: str
) -> None:
    page.goto(f"{nameless.url}/main/")
    expect(page.locator("tr[data-repository]")).to_have_count(1)
    page.get_by_text("Add repositories by name").click()
    field = page.get_by_label("Names of repositories, one a line")
    field.fill("team/web\nteam/wbe")
    watch.expect("status 422: ")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Line 2, team/wbe: The registry knows no such repository."
    )
    expect(field).to_be_focused()
    expect(field).to_have_value("team/web\nteam/wbe")

    field.fill("\n".join(NAMES[1:]))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="2 repositories added.")).to_be_visible()
    expect(page.locator("tr[data-repository]")).to_have_count(3)

    page.get_by_role("link", name="Names given by hand").click()
    expect(page.locator("[data-name]")).to_have_count(3)
    page.get_by_role("button", name="Remove team/web").click()
    expect(page.locator("[data-name]")).to_have_count(2)
    page.goto(f"{nameless.url}/main/")
    expect(page.locator("tr[data-repository]")).to_have_count(2)


def test_each_page_about_names_is_sound_in_each_of_its_looks(
    page: Page, nameless: Running, looks: Looks, watch: Watch
) -> None:
    page.goto(f"{nameless.url}/main/")
    expect(page.locator("tr[data-repository]")).to_have_count(1)
    assert looks.faults(page, "unlisted") == []
    page.get_by_text("Add repositories by name").click()
    assert looks.faults(page, "unlisted-naming") == []
    watch.expect("status 422: ")
    page.get_by_label("Names of repositories, one a line").fill(
        "\n".join([*NAMES[1:], "Team/Web", "x" * 200])
    )
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert looks.faults(page, "names-wrong") == []
    page.get_by_label("Names of repositories, one a line").fill("\n".join(NAMES[1:]))
    page.get_by_role("button", name="Add", exact=True).click()
    for name, path in {
        "names": "main/-/settings/names/",
        "names-settings": "-/settings/",
        "names-jobs": "-/jobs/",
    }.items():
        page.goto(f"{nameless.url}/{path}")
        assert looks.faults(page, name) == []


def test_a_registry_of_which_nothing_is_known_offers_the_form_open(
    page: Page, unlisted: Fake, looks: Looks, tmp_path: Path
) -> None:
    synced = regui(tmp_path, "sync", REGUI_REGISTRY_URL=unlisted.url)
    assert "doesn't list its repositories" in synced.stderr
    with fresh(tmp_path, REGUI_REGISTRY_URL=unlisted.url) as site:
        page.goto(f"{site.url}/main/")
        expect(page.get_by_label("Names of repositories, one a line")).to_be_visible()
        assert looks.faults(page, "unlisted-nothing-known") == []
