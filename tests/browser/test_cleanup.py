"""What is worth cleaning up, and the two sliders, in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looks import Looks
from tests.browser.site import Site

INSIGHT, WHAT_IF = "/demo/-/cleanup/", "/demo/-/cleanup/what-if/"


@pytest.mark.parametrize("path", [INSIGHT, WHAT_IF, f"{WHAT_IF}?keep=1&older=0", f"{WHAT_IF}?repositories=x"])
def test_the_pages_are_sound_in_each_of_their_looks(page: Page, looks: Looks, path: str) -> None:
    page.goto(path)
    assert (
        looks.faults(page, f"cleanup-{path.rpartition('/-/cleanup/')[2].replace('/', '-') or 'insight'}")
        == []
    )


def test_sliding_by_keyboard_draws_the_curves_anew(page: Page) -> None:
    page.goto(f"{WHAT_IF}?keep=10&older=0")
    freed = page.locator("#results .stat dd").first
    before, mark = freed.inner_text(), page.locator(".chart-mark").first
    drawn = mark.get_attribute("d")
    page.get_by_label("Keep the newest").focus()
    page.keyboard.press("Home")
    expect(mark).not_to_have_attribute("d", drawn or "")
    expect(freed).not_to_have_text(before)
    expect(page).to_have_url(re.compile("keep=0"))
    expect(page.get_by_label("Keep the newest")).to_be_focused()


def test_without_a_script_a_button_shows_the_same(browser: Browser, site: Site) -> None:
    page = browser.new_page(java_script_enabled=False, base_url=site.url)
    page.goto(WHAT_IF)
    page.get_by_label("In the repositories").fill("shop/**")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("In the repositories")).to_have_value("shop/**")
    expect(page.locator(".chart-line")).to_have_count(2)
    page.close()
