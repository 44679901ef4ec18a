"""Editing a policy while what it would do is shown beside it."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looks import DESK, PHONE, Looks
from tests.browser.site import Site
from tests.browser.watch import Watch

LIST = "/demo/-/cleanup/policies/"


def figure(page: Page, name: str) -> int:
    """A number of the preview, once it is there."""
    there = page.locator(f"[data-figure='{name}']")
    expect(there).to_have_text(re.compile(r"\d"))
    return int(there.inner_text().replace(",", ""))


def settled(page: Page) -> None:
    """Wait for the bytes, which come last: until then what is there is dimmed."""
    expect(page.locator("[data-figure='frees']")).to_have_text(re.compile(r"\d"))
    expect(page.locator(".htmx-request")).to_have_count(0)


def test_a_policy_is_edited_with_a_live_preview(site: Site, page: Page, looks: Looks) -> None:
    page.goto(LIST)
    assert looks.faults(page, "policies-none") == []
    page.get_by_role("link", name="Keep the newest 10").click()
    expect(page).to_have_url(re.compile(r"add/\?from=newest"))
    before = figure(page, "drops")
    name = page.get_by_role("textbox", name="Name")
    name.fill("live")
    count = page.get_by_role("textbox", name="How many")
    count.fill("1")
    expect(page.locator("[data-figure='drops']")).not_to_have_text(f"{before:,}")
    after = figure(page, "drops")
    assert after > before
    expect(count).to_be_focused()
    expect(page.locator("[data-figure='frees']")).to_have_text(re.compile(r"\d"))
    expect(page.get_by_text("A run would stop and ask")).to_be_visible()

    # The reason for each tag, and the filter
    expect(page.locator("[data-verdict='kept'] .c-why").first).to_contain_text("rule 1, newest 1")
    page.get_by_label("Kept or dropped").select_option("dropped")
    expect(page.locator("[data-verdict='kept']")).to_have_count(0)
    expect(page.locator("[data-verdict='dropped'] .c-why").first).to_contain_text("no rule speaks of it")
    settled(page)
    assert looks.faults(page, "policy-edit") == []

    # What is wrong is told quietly, and the field keeps what is typed
    count.fill("none")
    expect(page.locator(".quiet")).to_contain_text("Rule 1, how many")
    count.fill("1")
    assert figure(page, "drops") == after

    # Rules are added, moved and taken out with everything typed kept
    page.get_by_label("Kind of rule").select_option("drop older")
    page.get_by_role("button", name="Add a rule").click()
    expect(page.locator(".one-rule")).to_have_count(3)
    page.get_by_role("button", name="Move up rule 3").click()
    expect(page.locator(".one-rule h3").nth(1)).to_contain_text("Older than")
    page.get_by_role("button", name="Remove rule 3").click()
    expect(page.locator(".one-rule")).to_have_count(2)
    expect(name).to_have_value("live")
    settled(page)
    assert looks.faults(page, "policy-rules") == []

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(f"{site.url}{LIST}live/")
    page.goto(LIST)
    expect(page.locator("[data-policy='live']")).to_contain_text("newest 1")
    assert looks.faults(page, "policies") == []
    page.goto(f"{LIST}live/tags/?show=dropped")
    expect(page.locator("[data-verdict]").first).to_contain_text("dropped")
    assert looks.faults(page, "policy-tags") == []


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_a_policy_is_written_without_scripts(site: Site, page: Page) -> None:
    page.goto(f"{LIST}add/")
    page.get_by_role("textbox", name="Name").fill("plain")
    page.get_by_role("textbox", name="Repositories").fill("**")
    page.get_by_label("Kind of rule").select_option("drop matching")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_role("textbox", name="Tags", exact=True).fill("pr-*, *-rc*")
    page.get_by_role("radio", name="stays Only").check()
    page.get_by_role("button", name="Every night").click()
    expect(page.locator("#coming")).to_contain_text("At 03:00 every day")
    page.get_by_role("button", name="Preview").click()
    assert figure(page, "keeps") > 0
    page.get_by_role("button", name="Work it out").click()
    expect(page.locator("[data-figure='frees']")).to_have_text(re.compile(r"\d"))
    page.get_by_label("Kept or dropped").select_option("kept")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("[data-verdict='dropped']")).to_have_count(0)
    expect(page.locator("[data-verdict='kept']").first).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(f"{site.url}{LIST}plain/")


def test_a_policy_is_written_with_the_keyboard_alone(site: Site, page: Page) -> None:
    page.goto(f"{LIST}add/?from=pull-requests")
    name = page.get_by_role("textbox", name="Name")
    name.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("by-keys")
    page.get_by_role("textbox", name="Older than").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("1d")
    figure(page, "keeps")
    page.locator("#kind").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#add-rule")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".one-rule")).to_have_count(2)
    expect(page.get_by_role("textbox", name="How many")).to_be_focused()
    # Enter in a field shows what it would do, here
    figure(page, "drops")
    with page.expect_request(lambda one: "/preview/" in one.url and not one.is_navigation_request()):
        page.keyboard.press("Enter")
    figure(page, "drops")
    expect(page).to_have_url(re.compile(r"add/\?from=pull-requests$"))
    expect(page.get_by_role("textbox", name="How many")).to_be_focused()
    page.get_by_role("button", name="Remove rule 2").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".one-rule")).to_have_count(1)
    page.locator("#save").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}{LIST}by-keys/")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_two_tabs_lose_nothing_of_each_other(
    site: Site, browser: Browser, looks: Looks, scripts: bool
) -> None:
    name = "two-tabs" if scripts else "two-plain-tabs"
    context = browser.new_context(java_script_enabled=scripts, base_url=site.url, viewport=DESK)
    try:
        one = context.new_page()
        one.goto(f"{LIST}add/?from=pull-requests")
        one.get_by_role("textbox", name="Name").fill(name)
        one.get_by_role("button", name="Save", exact=True).click()
        expect(one).to_have_url(f"{site.url}{LIST}{name}/")
        one.goto(f"{LIST}{name}/edit/")
        two = context.new_page()
        two.goto(f"{LIST}{name}/edit/")
        one.get_by_role("textbox", name="Note").fill("from tab 1")
        one.get_by_role("button", name="Save", exact=True).click()
        expect(one).to_have_url(f"{site.url}{LIST}{name}/")

        two.get_by_label("Kind of rule").select_option("keep matching")
        two.get_by_role("button", name="Add a rule").click()
        expect(two.locator(".one-rule")).to_have_count(2)
        two.get_by_role("button", name="Remove rule 2").click()
        expect(two.locator(".one-rule")).to_have_count(1)
        two.get_by_role("textbox", name="Stop and ask").fill("50")
        two.get_by_role("button", name="Save", exact=True).click()
        expect(two.get_by_role("alert")).to_contain_text(f"anonymous changed {name}")
        expect(two.get_by_role("alert")).to_contain_text("What differs: note, limit.")
        expect(two.get_by_role("textbox", name="Stop and ask")).to_have_value("50")
        if scripts:
            assert looks.faults(two, "policy-newer") == []
        two.get_by_role("link", name="Open the newer one").click()
        expect(two.get_by_role("textbox", name="Note")).to_have_value("from tab 1")
        two.goto(f"{LIST}{name}/edit/")
        two.get_by_role("textbox", name="Stop and ask").fill("50")
        one.goto(f"{LIST}{name}/edit/")
        one.get_by_role("textbox", name="Note").fill("again")
        one.get_by_role("button", name="Save", exact=True).click()
        expect(one).to_have_url(f"{site.url}{LIST}{name}/")
        two.get_by_role("button", name="Save", exact=True).click()
        two.get_by_role("button", name="Save mine over it").click()
        expect(two).to_have_url(f"{site.url}{LIST}{name}/")
        expect(two.get_by_text("more than 50 %")).to_be_visible()
    finally:
        context.close()


def test_faults_stand_beside_their_fields_on_a_phone(page: Page, watch: Watch, looks: Looks) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{LIST}add/")
    expect(page.locator(".quiet")).to_be_visible()
    watch.expect("status 422: ")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#f-name-fault")).to_have_text("This is missing.")
    expect(page.locator("#f-otherwise-fault")).to_be_visible()
    assert looks.faults(page, "policy-wrong") == []
