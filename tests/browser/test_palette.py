"""The search in a dialog: by keys alone, and without scripts."""

import re

import pytest
from playwright.sync_api import Page, expect


def test_the_palette_finds_and_opens_by_keys_alone(page: Page) -> None:
    page.goto("/demo/")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search repositories, tags and digests")
    expect(field).to_be_focused()
    page.keyboard.type("storefront")
    options = page.locator("#palette [role=option]")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(options.nth(1).get_attribute("id")))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("option", name="All results")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/-/search/\?q=storefront$"))


def test_one_escape_closes_the_palette_and_gives_focus_back(page: Page) -> None:
    page.goto("/demo/")
    opener = page.locator("a.find")
    opener.focus()
    page.keyboard.press("Enter")
    palette = page.get_by_role("dialog", name="Search everything")
    expect(palette).to_be_visible()
    page.keyboard.type("no such thing")
    expect(palette.get_by_text("Nothing found").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    expect(opener).to_be_focused()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_scripts_the_field_leads_to_the_search(page: Page) -> None:
    page.goto("/demo/")
    page.locator("a.find").click()
    page.get_by_role("searchbox").fill("storefront")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Repositories")).to_be_visible()
    expect(page).to_have_url(re.compile("q=storefront"))
