"""Adding a registry on a page, from nothing on, with scripts and without."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import Looks
from tests.browser.site import Site, fresh
from tests.browser.watch import Watch
from tests.registry import USER, basic_registry

with_and_without_scripts = pytest.mark.parametrize(
    "scripts",
    [
        pytest.param("on", marks=pytest.mark.browser_context_args(java_script_enabled=True)),
        pytest.param("off", marks=pytest.mark.browser_context_args(java_script_enabled=False)),
    ],
)


@with_and_without_scripts
def test_the_first_registry_is_added_where_there_is_none(
    page: Page, looks: Looks, watch: Watch, data: Path, tmp_path: Path, scripts: str
) -> None:
    locked = basic_registry(tmp_path / "locked")

    def look(what: str) -> None:
        if scripts == "on":
            assert looks.faults(page, what) == []

    try:
        locked.push("team/app", tags=["1.0"])
        with fresh(data) as alone:
            page.goto(alone.url)
            look("connecting-first")
            page.get_by_label("Name", exact=True).fill("prod")
            page.get_by_label("Address").fill(locked.url)
            page.get_by_label("User name").fill(USER.username)
            page.get_by_label("Password or access token").fill("wrong")
            page.get_by_role("button", name="Test connection").click()
            expect(page.locator("[data-tested='no']")).to_contain_text("accept regui's credentials")
            look("connecting-refused")
            # Without scripts the page is a new one, on which no password appears.
            expect(page.get_by_label("Password or access token")).to_have_value(
                "wrong" if scripts == "on" else ""
            )
            page.get_by_label("Password or access token").fill(USER.password)
            page.get_by_role("button", name="Test connection").click()
            expect(page.locator("[data-tested='yes']")).to_be_visible()
            expect(page.locator("[data-found='deletes'] .pill")).to_have_text("yes")
            look("connecting-tested")
            page.get_by_label("Password or access token").fill(USER.password)
            page.get_by_role("button", name="Add registry").click()
            expect(page).to_have_url(f"{alone.url}/prod/")
            expect(page.get_by_role("link", name="team/app")).to_be_visible()

            page.goto(f"{alone.url}/-/settings/")
            look("connecting-settings")
            page.get_by_role("link", name="Connection of prod").click()
            page.get_by_text("Certificates, and the name people pull by").click()
            look("connecting-edit")
            page.get_by_label("Address").fill("http://127.0.0.1:9")
            watch.expect("status 422: ")
            page.get_by_role("button", name="Save").click()
            expect(page.locator("#password-fault")).to_contain_text("enter it again for this address")
            expect(page.get_by_label("Password or access token")).to_be_focused()
            look("connecting-moved")
            page.goto(f"{alone.url}/prod/-/settings/connection/")
            page.get_by_role("button", name="Hide prod").click()
            expect(page.locator("[data-line='prod'] .pill")).to_have_text("hidden")
            look("connecting-hidden")
            page.get_by_role("button", name="Show prod again").click()
            expect(page.get_by_role("link", name="Connection of prod")).to_be_visible()
    finally:
        locked.stop()


def test_what_is_wrong_is_told_beside_the_test_too(page: Page, watch: Watch, looks: Looks) -> None:
    page.goto("/-/settings/registries/add/")
    watch.expect("status 422: ")
    page.get_by_label("Name", exact=True).fill("Prod!")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("Name: A registry's name is")
    expect(page.locator("#tested")).to_contain_text("Address: This must be an address")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Prod!")
    assert looks.faults(page, "connecting-not-asked") == []


def test_one_of_the_environment_is_shown_with_its_variables(site: Site, page: Page, looks: Looks) -> None:
    page.goto("/-/settings/")
    page.get_by_role("link", name="Connection of selfsigned").click()
    expect(page.get_by_text("REGUI_REGISTRY_SELFSIGNED_URL")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    assert looks.faults(page, "connecting-given") == []
