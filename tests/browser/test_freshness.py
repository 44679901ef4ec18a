"""A page that grew old comes up to date under the reader's eyes, and leaves their hands alone."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.looks import Looks
from tests.browser.site import Site
from tests.serving import Running, serving

# How a page asks again by itself.
AGAIN = re.compile("[?&]refresh=")


@pytest.fixture(scope="module")
def hasty(site: Site, started: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A site that calls everything stale after a second. No worker, which could be faster than the page."""
    data = shutil.copytree(started, tmp_path_factory.mktemp("hasty") / "data")
    url = site.lab.url
    with serving(Path(data), "serve", "--no-worker", REGUI_REGISTRY_URL=url, REGUI_STALE_AFTER="1s") as one:
        yield one


def known(page: Page, site: Site, regui: Running) -> str:
    """The address of a repository with two tags that was read, and has grown old since."""
    name = site.lab.unique("shop/fresh")
    site.lab.push(name, tags=["1.0"], created="2026-01-01T00:00:00Z")
    site.lab.push(name, tags=["1.1"], created="2026-02-01T00:00:00Z")
    address = f"{regui.url}/main/{name}/"
    page.goto(address)
    expect(page.locator("#results tr[data-tag]")).to_have_count(2)
    time.sleep(1.2)
    return address


def push(site: Site, address: str, *tags: str) -> None:
    name = address.partition("/main/")[2].strip("/")
    site.lab.push(name, tags=list(tags), created="2026-03-01T00:00:00Z")


def holding(page: Page) -> list[Route]:
    """The requests by which the page asks again, held back until they are let go."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(AGAIN, hold)
    return held


def test_new_rows_come_in_by_themselves(site: Site, hasty: Running, page: Page) -> None:
    address = known(page, site, hasty)
    push(site, address, "1.2")
    page.goto(address)
    expect(page.locator("#results tr[data-tag]")).to_have_count(3)
    expect(page.locator("#results .changed")).to_be_visible()
    assert page.url == address
    expect(page.locator("#announce")).to_contain_text("3 tags")


def test_focus_stays_on_the_tag_it_was_on(site: Site, hasty: Running, page: Page) -> None:
    address = known(page, site, hasty)
    push(site, address, "1.2")
    held = holding(page)
    page.goto(address)
    page.get_by_role("searchbox").focus()
    page.get_by_role("link", name="1.0", exact=True).focus()
    expect(page.locator("#fresh")).to_be_visible()
    page.wait_for_timeout(100)
    for route in held:
        route.continue_()
    expect(page.locator("#results tr[data-tag]")).to_have_count(3)
    expect(page.get_by_role("link", name="1.0", exact=True)).to_be_focused()


def test_a_filter_typed_meanwhile_wins(site: Site, hasty: Running, page: Page) -> None:
    address = known(page, site, hasty)
    push(site, address, "1.2")
    held = holding(page)
    with page.expect_request(AGAIN):
        page.goto(address)
    with page.expect_event("requestfailed", lambda request: request == held[0].request):
        page.get_by_role("searchbox").fill("1.0")
    expect(page.locator("#results tr[data-tag]")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("1.0")


def test_where_nothing_changed_nothing_is_said(site: Site, hasty: Running, page: Page) -> None:
    address = known(page, site, hasty)
    with page.expect_response(AGAIN) as answer:
        page.goto(address)
    assert answer.value.status == 200
    expect(page.locator("#fresh")).to_contain_text("just now")
    expect(page.locator("#fresh")).not_to_have_attribute("hx-get", re.compile("."))
    expect(page.locator("#results .changed")).to_have_count(0)
    expect(page.locator("#announce")).to_be_empty()


def test_a_tag_that_moves_is_told_in_its_history(
    site: Site, hasty: Running, page: Page, looks: Looks
) -> None:
    address = known(page, site, hasty)
    push(site, address, "1.1")
    page.goto(address)
    expect(page.locator("#results .changed")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.locator("tr[data-tag='1.1']")).to_contain_text("moved from")
    assert looks.faults(page, "history") == []
    page.goto(f"{address}?show=untagged")
    expect(page.locator("tr[data-digest]")).to_have_count(1)
    assert looks.faults(page, "untagged") == []
    page.goto(f"{hasty.url}/-/jobs/")
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    assert looks.faults(page, "jobs") == []


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_scripts_the_page_is_fresh_all_the_same(site: Site, hasty: Running, page: Page) -> None:
    address = known(page, site, hasty)
    push(site, address, "1.2")
    page.goto(address)
    expect(page.locator("#results tr[data-tag]")).to_have_count(3)
