"""Signing in, being asked once more, and one's own account: with scripts and without, in every look."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import codes
from tests.browser.looks import Looks
from tests.browser.site import fresh
from tests.browser.watch import Watch
from tests.people import PASSWORD
from tests.serving import Running

with_and_without_scripts = pytest.mark.parametrize(
    "scripts",
    [
        pytest.param("on", marks=pytest.mark.browser_context_args(java_script_enabled=True)),
        pytest.param("off", marks=pytest.mark.browser_context_args(java_script_enabled=False)),
    ],
)


@pytest.fixture
def guarded(data: Path) -> Iterator[Running]:
    """A site that lets nobody see anything who hasn't signed in; Alice administers it. Each test has its own,
    for it counts who tries to sign in."""
    alice = {"REGUI_ADMIN_USERNAME": "alice", "REGUI_ADMIN_PASSWORD": PASSWORD}
    with fresh(data, REGUI_ANONYMOUS_ROLE="none", **alice) as one:
        assert one.url
        yield one


def enter(page: Page, site: Running, password: str = PASSWORD, there: str = "/-/account/") -> None:
    """Go there, and sign in on the way."""
    page.goto(f"{site.url}{there}")
    page.get_by_role("textbox", name="Name or e-mail address").fill("alice")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm(page: Page) -> None:
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


@with_and_without_scripts
def test_one_signs_in_and_out(guarded: Running, page: Page, looks: Looks, scripts: str) -> None:
    enter(page, guarded, "wrong", "/-/activity/")
    expect(page.get_by_role("alert").first).to_have_text("The name or the password is wrong.")
    if scripts == "on":
        assert looks.faults(page, "sign-in-wrong") == []
    else:
        # Passkeys need scripts.
        expect(page.get_by_role("button", name="passkey")).to_have_count(0)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{guarded.url}/-/activity/")
    page.get_by_role("button", name="Account of alice").click()
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_role("heading", name="alice")).to_be_visible()
    if scripts == "on":
        assert looks.faults(page, "account") == []
    page.get_by_role("button", name="Account of alice").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to regui")).to_be_visible()
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    if scripts == "on":
        assert looks.faults(page, "sign-in") == []


def test_by_keyboard_alone(guarded: Running, page: Page) -> None:
    page.goto(f"{guarded.url}/")
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{guarded.url}/")
    person = page.get_by_role("button", name="Account of alice")
    person.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Account", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign out")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_the_first_link_makes_the_administrator(data: Path, page: Page, looks: Looks, watch: Watch) -> None:
    with fresh(data, REGUI_ANONYMOUS_ROLE="none") as site:
        page.goto(f"{site.url}/")
        expect(page.get_by_text("Nobody administers regui yet.")).to_be_visible()
        assert looks.faults(page, "sign-in-nobody") == []
        (link,) = re.findall(r"administrator: (\S+)", "\n".join(site.output))
        page.goto(link)
        expect(page).to_have_url(f"{site.url}/-/account/first/")
        assert looks.faults(page, "first") == []
        page.get_by_role("textbox", name="Name").fill("alice")
        page.get_by_label("Password").fill("alice in chains")
        page.get_by_label("Once more").fill("something else")
        watch.expect("status 422: ")
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert looks.faults(page, "first-wrong") == []
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Once more").fill(PASSWORD)
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_role("button", name="Account of alice")).to_be_visible()
        watch.expect("status 410: ")
        page.goto(link)
        expect(page.get_by_role("heading", name="This link is no good any more")).to_be_visible()


@with_and_without_scripts
def test_an_app_is_added_asked_for_and_removed(
    guarded: Running, page: Page, looks: Looks, scripts: str
) -> None:
    def look(name: str) -> None:
        if scripts == "on":
            assert looks.faults(page, name) == []

    enter(page, guarded)
    page.get_by_role("link", name="Add app").click()
    look("confirm-password")
    confirm(page)
    key = page.get_by_role("group", name="Key").inner_text()
    look("app-add")
    page.get_by_role("textbox", name="Code").fill(codes.now(key))
    page.get_by_role("button", name="Add app").click()
    expect(page.get_by_text("They are shown this once.")).to_be_visible()
    shown = page.locator(".codes li").all_inner_texts()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_text().split() == shown
    look("codes")
    page.get_by_role("link", name="Done").click()
    look("account-with-app")
    page.goto(f"{guarded.url}/-/account/codes/")
    look("codes-again")
    page.goto(f"{guarded.url}/-/account/codes/new/")
    look("codes-new")
    page.goto(f"{guarded.url}/-/account/password/")
    look("password")

    page.get_by_role("button", name="Account of alice").click()
    page.get_by_role("button", name="Sign out").click()
    enter(page, guarded, there="/-/activity/")
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_have_text("This is wrong, or was used before.")
    look("second-wrong")
    page.get_by_role("textbox", name="Code").fill(shown[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{guarded.url}/-/activity/")

    page.goto(f"{guarded.url}/-/account/")
    page.get_by_role("link", name="Remove app").click()
    page.get_by_role("link", name="Use a code instead").click()
    look("confirm-code")
    page.get_by_role("textbox", name="Code").fill(shown[1])
    page.get_by_role("button", name="Go on").click()
    look("app-remove")
    page.get_by_role("button", name="Remove app").click()
    expect(page.get_by_role("link", name="Add app")).to_be_visible()


def test_sessions_elsewhere_are_ended(
    guarded: Running, page: Page, looks: Looks, browser_type: object
) -> None:
    enter(page, guarded)
    other = page.context.browser
    assert other is not None
    with other.new_context() as elsewhere:
        second = elsewhere.new_page()
        enter(second, guarded)
        expect(second.get_by_role("heading", name="alice")).to_be_visible()
        page.reload()
        assert looks.faults(page, "account-sessions") == []
        page.get_by_role("button", name="Sign out everywhere else").click()
        expect(page.get_by_text("Everywhere else you are signed out.")).to_be_visible()
        second.reload()
        expect(second.get_by_role("heading", name="Sign in to regui")).to_be_visible()


def test_a_session_that_ends_under_htmx_leads_to_the_sign_in_page(guarded: Running, page: Page) -> None:
    enter(page, guarded, there="/-/search/?q=latest")
    expect(page.get_by_role("button", name="Account of alice")).to_be_visible()
    page.context.clear_cookies()
    page.locator("main input[type=search]").fill("older")
    expect(page.get_by_role("heading", name="Sign in to regui")).to_be_visible()
    expect(page).to_have_url(re.compile("/-/account/sign-in/\\?next="))
    page.get_by_role("textbox", name="Name or e-mail address").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile(f"^{re.escape(guarded.url)}/-/search/\\?q="))
