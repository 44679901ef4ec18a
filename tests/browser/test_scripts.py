"""What scripts add, what stands in for them, and what they must never run."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.site import Site
from tests.browser.watch import Watch

IMAGE = "/demo/shop/search/-/tags/0.9.4/"
LONG = "/demo/shop/storefront/"


def pasted(page: Page) -> str:
    """What the clipboard holds, by way of a field."""
    page.goto("/demo/")
    page.get_by_role("searchbox").focus()
    page.keyboard.press("Control+V")
    return page.get_by_role("searchbox").input_value()


def test_a_click_copies_the_pull_command(page: Page) -> None:
    page.goto(IMAGE)
    command = page.locator(".repo-head .cmd code").inner_text()
    page.get_by_role("button", name="Pull command").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    assert command.startswith("docker pull 127.0.0.1:")
    assert command.endswith("/shop/search:0.9.4")
    assert pasted(page) == command


def test_copying_works_where_the_browser_hides_the_clipboard(site: Site, page: Page) -> None:
    page.goto(site.insecure_url + IMAGE)
    assert page.evaluate("navigator.clipboard === undefined")
    button = page.get_by_role("button", name="Pull command")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    expect(button).to_be_focused()
    command = page.locator(".repo-head .cmd code").inner_text()
    assert pasted(page) == command


def test_escape_and_a_click_clear_a_toast_away(page: Page) -> None:
    page.goto(IMAGE)
    toasts = page.locator("#toasts .toast")
    page.get_by_role("button", name="Pull command").click()
    expect(toasts).to_have_count(1)
    page.keyboard.press("Escape")
    expect(toasts).to_have_count(0)
    page.get_by_role("button", name="Pull command").click()
    toasts.get_by_role("button", name="Dismiss").click()
    expect(toasts).to_have_count(0)


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param("on", marks=pytest.mark.browser_context_args(java_script_enabled=True)),
        pytest.param("off", marks=pytest.mark.browser_context_args(java_script_enabled=False)),
    ],
)
def test_the_theme_chosen_is_kept(page: Page, scripts: str) -> None:
    page.goto(LONG + "?q=2.1")
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "system")
    for theme in ("Dark", "Light"):
        page.get_by_role("button", name="Theme").click()
        with page.expect_response("**/-/theme/"):
            page.get_by_role("button", name=theme).click()
        expect(html).to_have_attribute("data-theme", theme.lower())
        expect(page.get_by_role("button", name="Dark")).to_be_hidden()
        expect(page).to_have_url(re.compile(r"\?q=2\.1$"))
    page.reload()
    expect(html).to_have_attribute("data-theme", "light")


def test_a_dark_theme_wins_over_a_light_system(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/demo/")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(background) != light


def test_an_unreachable_server_is_said_in_a_toast_and_the_rows_stay(
    page: Page, context: BrowserContext, watch: Watch
) -> None:
    page.goto(LONG)
    watch.expect("net::ERR_INTERNET_DISCONNECTED")
    watch.expect("htmx:error: Failed to fetch")  # htmx says so too
    context.set_offline(True)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("status").filter(has_text="be reached")).to_be_visible()
    expect(page.locator("#results tr[data-tag]")).to_have_count(50)
    context.set_offline(False)
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#results tr[data-tag]")).to_have_count(16)


def test_labels_run_nothing_and_turn_nothing_around(page: Page) -> None:
    page.goto("/demo/i18n/greeter/-/tags/1.0/?tab=config")
    labels = page.get_by_role("region", name="Labels")
    hostile = labels.get_by_text("<b>bold</b> & <script>alert('kite')</script>")
    expect(hostile).to_be_visible()
    assert page.locator("main script, main .kv b").count() == 0
    expect(labels.get_by_text("Greeter 👋🏽")).to_be_visible()
    expect(labels.get_by_text("{{ braces }}")).to_be_visible()
    arabic = labels.locator("bdi", has_text="مرحبا")
    assert arabic.evaluate("one => getComputedStyle(one).unicodeBidi") == "isolate"
    page.goto("/demo/")
    expect(page.get_by_text("Says hello: <b>bold</b>")).to_be_visible()


def test_the_skip_link_comes_first_and_leads_to_the_content(page: Page) -> None:
    page.goto(LONG)
    page.wait_for_function("document.hasFocus()")  # keys go nowhere before that
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_scripts_lists_filter_sort_and_page_and_nothing_useless_shows(page: Page) -> None:
    page.goto(LONG)
    page.get_by_role("searchbox").fill("2.0*")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#results tr[data-tag]")).to_have_count(1)
    page.goto(LONG)
    page.get_by_role("columnheader", name="Tag").get_by_role("link").click()
    expect(page.locator("#results tr[data-tag]").first).to_have_attribute("data-tag", "2.0.0")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#results tr[data-tag]")).to_have_count(16)
    expect(page.locator("[data-copy]").first).to_be_hidden()
