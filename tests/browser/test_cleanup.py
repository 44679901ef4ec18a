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


def test_a_slider_says_where_it_stands_while_it_is_moved(page: Page) -> None:
    page.goto(f"{WHAT_IF}?keep=10&older=30")
    keep, older = page.locator("[data-value-of=keep]"), page.locator("[data-value-of=older]")
    expect(keep).to_have_text("10")
    expect(older).to_have_text("30")
    page.get_by_label("Drop what is older than").focus()
    page.keyboard.press("ArrowRight")
    expect(older).to_have_text("31")
    page.keyboard.press("End")
    expect(older).to_have_text("365")
    expect(keep).to_have_text("10")


def test_it_is_added_up_again_without_a_script(browser: Browser, site: Site) -> None:
    page = browser.new_page(java_script_enabled=False, base_url=site.url)
    for path in (INSIGHT, f"{WHAT_IF}?keep=3&older=0"):
        page.goto(path)
        page.get_by_role("link", name="Add up again").click()
        expect(page).to_have_url(re.compile("again=1"))
        expect(page.get_by_text("just now").first).to_be_visible()
    page.close()


def test_without_a_script_a_button_shows_the_same(browser: Browser, site: Site) -> None:
    page = browser.new_page(java_script_enabled=False, base_url=site.url)
    page.goto(WHAT_IF)
    page.get_by_label("In the repositories").fill("shop/**")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("In the repositories")).to_have_value("shop/**")
    expect(page.locator(".chart-line")).to_have_count(2)
    page.close()
