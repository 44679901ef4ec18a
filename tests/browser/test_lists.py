"""Lists that filter, sort and page in place, and the browser's own ways through them."""

import re

from playwright.sync_api import Page, expect

from tests.browser.site import Site

LONG = "/demo/shop/storefront/"


def rows(page: Page) -> list[str]:
    """The tags in the list, in its order."""
    return [str(row.get_attribute("data-tag")) for row in page.locator("#results tr[data-tag]").all()]


def mark(page: Page) -> None:
    """Mark the open page, to tell later whether it is still the same one."""
    page.evaluate("document.body.dataset.marked = 'yes'")


def marked(page: Page) -> bool:
    return bool(page.evaluate("document.body.dataset.marked === 'yes'"))


def test_filtering_as_you_type_finds_a_tag_of_another_page(page: Page) -> None:
    page.goto(LONG)
    assert "2.0.0" not in rows(page)
    mark(page)
    page.keyboard.press("/")
    page.keyboard.type("2.0.0")
    expect(page.locator("#results tr[data-tag]")).to_have_count(1)
    assert rows(page) == ["2.0.0"]
    assert marked(page)
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.locator("#announce")).to_have_text("1 of 66 tags")
    expect(page).to_have_url(re.compile(r"/shop/storefront/\?q=2\.0\.0&sort=-created$"))
    page.reload()
    assert rows(page) == ["2.0.0"]


def test_wildcards_and_a_filter_nothing_matches(page: Page) -> None:
    page.goto(LONG)
    field = page.get_by_role("searchbox")
    field.fill("2.1?.0")
    expect(page.locator("#announce")).to_have_text("5 of 66 tags")
    field.fill("nothing-like-it")
    expect(page.get_by_role("heading", name="No tag matches “nothing-like-it”")).to_be_visible()
    page.get_by_role("link", name="Clear filters").click()
    expect(page.locator("#results tr[data-tag]")).to_have_count(50)


def test_slash_goes_to_the_filter_and_escape_out_of_it(page: Page) -> None:
    page.goto(LONG)
    field = page.get_by_role("searchbox")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("a/b")
    expect(field).to_have_value("a/b")
    page.keyboard.press("Escape")
    expect(field).to_have_value("")
    expect(page.locator("#results tr[data-tag]")).to_have_count(50)
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()


def test_sorting_in_place_keeps_the_focus_and_says_the_order(page: Page) -> None:
    page.goto(LONG)
    mark(page)
    heading = page.get_by_role("columnheader", name="Tag")
    heading.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    assert rows(page)[0] == "2.0.0"
    expect(heading.get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert rows(page)[0] == "stable"
    assert marked(page)


def test_paging_in_place_and_back_to_a_whole_page(page: Page) -> None:
    page.goto(LONG + "?sort=name")
    mark(page)
    first = rows(page)
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#announce")).to_have_text("66 tags, Page 2 of 2")
    second = rows(page)
    assert (len(first), len(second), set(first) & set(second)) == (50, 16, set())
    assert marked(page)
    # The new part takes the focus that its link has lost, so a keyboard goes on from there.
    expect(page.locator("#results")).to_be_focused()

    page.locator("#results tr[data-tag] a.mono").first.click()
    expect(page.locator("main h1")).to_contain_text(second[0])
    page.go_back()
    assert rows(page) == second
    expect(page.locator("header.top")).to_be_visible()
    expect(page.locator("link[rel=stylesheet]").first).to_be_attached()
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?sort=name$"))
    expect(page.locator("#results tr[data-tag]")).to_have_count(50)
    assert rows(page) == first
    expect(page.locator("header.top")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_be_visible()


def test_rows_per_page_stay_through_a_filter(page: Page) -> None:
    page.goto(LONG)
    page.get_by_role("link", name="Show 25 rows").click()
    expect(page.locator("#results tr[data-tag]")).to_have_count(25)
    page.get_by_role("searchbox").fill("2.")
    expect(page.locator("#announce")).to_have_text("64 of 66 tags, Page 1 of 3")
    expect(page.locator("#results tr[data-tag]")).to_have_count(25)


def test_the_repositories_can_be_narrowed_by_namespace_and_text(page: Page) -> None:
    page.goto("/demo/")
    mark(page)
    page.get_by_label("Namespace").select_option("shop")
    expect(page.locator("#results tr[data-repository]")).to_have_count(4)
    page.get_by_role("searchbox").fill("check")
    expect(page.locator("#results tr[data-repository]")).to_have_count(2)
    assert marked(page)
    page.locator("#results tr[data-repository] a").first.click()
    expect(page.locator("main h1")).to_contain_text("checkout")
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("check")
    expect(page.locator("#results tr[data-repository]")).to_have_count(2)


def test_on_a_phone_a_field_sorts_what_has_no_headings(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(LONG)
    expect(page.get_by_role("columnheader", name="Tag")).not_to_be_in_viewport()
    page.get_by_label("Sort by").select_option("name")
    expect(page.locator("#results tr[data-tag]").first).to_have_attribute("data-tag", "2.0.0")


def test_tabs_change_in_place_and_back_undoes_them(site: Site, page: Page) -> None:
    page.goto("/demo/shop/checkout/api/-/tags/latest/")
    mark(page)
    tab = page.get_by_role("link", name="Raw")
    tab.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Manifest")).to_be_visible()
    expect(tab).to_be_focused()
    expect(tab).to_have_attribute("aria-current", "page")
    expect(page).to_have_url(re.compile(r"\?tab=raw$"))
    assert marked(page)
    page.go_back()
    expect(page.get_by_role("region", name="Platforms")).to_be_visible()
    expect(page.locator("header.top")).to_be_visible()


def test_every_digest_in_the_raw_json_leads_somewhere(site: Site, page: Page) -> None:
    page.goto("/demo/shop/checkout/api/-/tags/latest/?tab=raw")
    child = site.child("shop/checkout/api", "latest", "linux/arm64")
    page.locator(".raw").get_by_role("link", name=str(child)).first.click()
    expect(page.locator(".repo-head")).to_have_attribute("data-digest", str(child))
    page.get_by_role("link", name="Raw").click()
    page.locator(".raw a[href*='layers#']").first.click()
    expect(page.locator("#panel li:target")).to_be_visible()


def test_choosing_a_platform_shows_its_layers(site: Site, page: Page) -> None:
    page.goto("/demo/shop/checkout/api/-/tags/latest/?tab=layers")
    before = page.locator(".layers li").first.get_attribute("data-digest")
    page.get_by_role("navigation", name="Platform").get_by_role("link", name="linux/arm64").click()
    expect(page.locator(".layers li").first).not_to_have_attribute("data-digest", str(before))
    expect(page).to_have_url(re.compile("platform=linux"))
