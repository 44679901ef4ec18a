"""Making, seeing and revoking tokens, with scripts and without, by the keyboard and on a phone."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.entering import Closed
from tests.browser.looks import Looks
from tests.browser.test_protecting import with_and_without_scripts
from tests.browser.watch import Watch

PATTERN = "For these repositories"


def make(page: Page, name: str, pattern: str, button: str, role: str = "reader") -> str:
    """The secret that is shown for the token that the form asks for."""
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_label("Role", exact=True).select_option(role)
    page.get_by_role("textbox", name=PATTERN).fill(pattern)
    page.get_by_role("button", name=button).click()
    secret = page.locator("[data-secret]")
    expect(secret).to_be_visible()
    return secret.inner_text()


@with_and_without_scripts
def test_a_token_is_made_used_and_revoked(closed: Closed, page: Page, looks: Looks, scripts: str) -> None:
    def look(what: str) -> None:
        if scripts == "on":
            assert looks.faults(page, what) == []

    closed.enter(page, "bob", "maintainer")
    page.goto(f"{closed.url}/-/account/tokens/")
    expect(page.get_by_text("No token yet")).to_be_visible()
    expect(page.get_by_role("link", name="robots")).to_have_count(0)
    look("tokens-none")
    secret = make(page, "laptop", "team/**", "Make token")
    expect(page.get_by_role("heading", level=1)).to_have_text("bob (token laptop)")
    look("tokens-made")
    assert closed.get("/api/v1/registries", Authorization=f"Bearer {secret}").status == 200
    page.get_by_role("link", name="Done").click()
    row = page.locator("[data-token='bob (token laptop)']")
    expect(row).to_contain_text("reader of team/** in every registry")
    expect(row).to_contain_text(re.compile(r"20\d\d-\d\d-\d\d"))
    expect(row).to_contain_text("from 127.0.0.1")
    expect(page.locator("body")).not_to_contain_text(secret)
    look("tokens-list")
    row.get_by_role("link", name="Revoke").click()
    look("tokens-revoke")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("bob (token laptop) opens nothing any more.")).to_be_visible()
    expect(row).to_have_count(0)
    answer = closed.get("/api/v1/registries", Authorization=f"Bearer {secret}")
    assert (answer.status, json.loads(answer.text)["error"]["code"]) == (401, "invalid-token")


def test_an_administrator_looks_after_robots_and_everybody_s_tokens(
    closed: Closed, page: Page, looks: Looks
) -> None:
    closed.enter(page, "bob", "reader")
    page.goto(f"{closed.url}/-/account/tokens/")
    make(page, "laptop", "", "Make token")
    closed.enter(page, "alice", "admin")
    page.goto(f"{closed.url}/-/account/tokens/")
    page.get_by_role("link", name=re.compile("robots and everybody.s tokens")).click()
    expect(page).to_have_url(f"{closed.url}/-/access/robots/")
    make(page, "nightly-clean-up-of-everything-old", "team/*/some-deep/name-*", "Make robot", "maintainer")
    assert looks.faults(page, "robots-made") == []
    page.get_by_role("link", name="Done").click()
    expect(page.locator("[data-token]")).to_have_count(2)
    assert looks.faults(page, "robots-list") == []
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("searchbox", name="Filter tokens").fill("bob")
    expect(page.locator("[data-token]")).to_have_count(1)
    page.get_by_role("link", name="Revoke bob (token laptop)").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator("[data-token]")).to_have_count(1)


def test_what_is_wrong_is_told_beside_its_field(
    closed: Closed, page: Page, watch: Watch, looks: Looks
) -> None:
    closed.enter(page, "bob", "reader")
    page.goto(f"{closed.url}/-/account/tokens/")
    page.get_by_role("textbox", name="Name", exact=True).fill("laptop")
    page.get_by_role("textbox", name=PATTERN).fill("te**am")
    watch.expect("status 422: ")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("alert")).to_contain_text("must be a repository, or a pattern of repositories")
    expect(page.get_by_role("textbox", name=PATTERN)).to_be_focused()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("laptop")
    assert looks.faults(page, "tokens-wrong") == []


@pytest.mark.browser_context_args(permissions=["clipboard-read", "clipboard-write"])
def test_by_the_keyboard_alone_a_token_is_made_and_its_secret_copied(closed: Closed, page: Page) -> None:
    closed.enter(page, "bob", "reader")
    page.goto(f"{closed.url}/-/account/tokens/")
    page.get_by_role("textbox", name="Name", exact=True).focus()
    page.keyboard.type("laptop")
    page.keyboard.press("Enter")
    secret = page.locator("[data-secret]")
    secret.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".toast", has_text="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret.inner_text()
