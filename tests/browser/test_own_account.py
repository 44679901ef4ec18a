"""Showing a registry an account of one's own, with scripts and without."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from regui import oci
from tests.accounts.stand import USERS, Rights
from tests.browser.looks import Looks
from tests.browser.site import fresh
from tests.browser.watch import Watch
from tests.registry import RunningRegistry, bearer_registry
from tests.serving import Running

with_and_without_scripts = pytest.mark.parametrize(
    "scripts",
    [
        pytest.param("on", marks=pytest.mark.browser_context_args(java_script_enabled=True)),
        pytest.param("off", marks=pytest.mark.browser_context_args(java_script_enabled=False)),
    ],
)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[RunningRegistry]:
    with Rights(USERS) as tokens:
        running = bearer_registry(tmp_path / "guarded", tokens)
        running.credentials = oci.Credentials("alice", USERS["alice"])
        try:
            for name in ("team/app", "secret/app"):
                running.push(name, tags=["1.0"])
            yield running
        finally:
            running.stop()


@pytest.fixture
def own(guarded: RunningRegistry, data: Path) -> Iterator[Running]:
    """A site whose only registry wants to know who everybody is."""
    with fresh(
        data,
        REGUI_REGISTRY_URL=guarded.url,
        REGUI_REGISTRY_USERNAME="regui",
        REGUI_REGISTRY_PASSWORD=USERS["regui"],
        REGUI_REGISTRY_OWN_CREDENTIALS="on",
    ) as one:
        yield one


def show(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password or access token").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


@with_and_without_scripts
def test_one_sees_what_one_s_account_may(
    own: Running, page: Page, looks: Looks, watch: Watch, scripts: str
) -> None:
    def look(what: str) -> None:
        if scripts == "on":
            assert looks.faults(page, f"own-{what}") == []

    page.goto(f"{own.url}/main/team/app/")
    expect(page).to_have_title("Sign in to main · regui")
    look("asked")
    watch.expect("status 422: ")
    show(page, "bob", "wrong")
    expect(page.locator("#password-fault")).to_contain_text("take them")
    expect(page.get_by_label("User name")).to_have_value("bob")
    expect(page.get_by_label("Password or access token")).to_have_value("")
    look("refused")
    show(page, "bob", USERS["bob"])
    expect(page).to_have_url(f"{own.url}/main/team/app/")
    expect(page.get_by_text("1.0", exact=True).first).to_be_visible()

    page.goto(f"{own.url}/main/")
    expect(page.get_by_role("heading", name="main gives bob no list")).to_be_visible()
    expect(page.get_by_role("link", name="team/app")).to_be_visible()
    look("no-list")
    watch.expect("status 404: ")
    page.get_by_label("Name of a repository").fill("secret/app")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_text("Status 404")).to_be_visible()

    page.goto(f"{own.url}/main/")
    page.get_by_role("link", name="Signed in as bob").click()
    look("signed-in")
    page.get_by_role("button", name="Sign out of main").click()
    expect(page.get_by_text("You have signed out of main.")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out of main")).to_have_count(0)
    show(page, "alice", USERS["alice"])
    expect(page).to_have_url(f"{own.url}/main/")
    expect(page.get_by_role("link", name="secret/app")).to_be_visible()
    look("all")
