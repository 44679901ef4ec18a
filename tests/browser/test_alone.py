"""Sites of another kind than the shared one: without a registry, for readers, for nobody, and broken."""

import sqlite3
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.looks import Looks
from tests.browser.site import HOST, Site, fresh
from tests.browser.watch import Watch
from tests.registry import open_registry
from tests.serving import serving


def test_without_a_registry_the_first_page_says_how_to_name_one(page: Page, looks: Looks, data: Path) -> None:
    with fresh(data) as alone:
        page.goto(alone.url)
        expect(page.get_by_text("REGUI_REGISTRY_URL=https://registry.example.com regui")).to_be_visible()
        assert looks.faults(page, "registries-none") == []


def test_a_reader_sees_everything_and_is_told_why_nothing_can_be_deleted(
    site: Site, page: Page, looks: Looks, data: Path
) -> None:
    name = site.lab.unique("shop/read")
    digest = site.lab.push(name, tags=["1.0"])
    with fresh(data, REGUI_REGISTRY_URL=site.lab.url, REGUI_ANONYMOUS_ROLE="reader") as alone:
        page.goto(f"{alone.url}/main/{name}/")
        expect(page.locator("#results tr[data-tag]")).to_have_count(1)
        expect(page.get_by_role("link", name="Delete the tag 1.0…")).to_have_count(0)
        page.get_by_role("link", name="1.0", exact=True).click()
        expect(page.get_by_role("button", name="Delete…")).to_be_disabled()
        assert looks.faults(page, "image-for-a-reader") == []

        # Somebody who has signed in may be allowed to.
        page.goto(f"{alone.url}/main/{name}/-/manifests/{digest}/delete/")
        expect(page.get_by_role("heading", name="Sign in to regui")).to_be_visible()
    assert site.tagged(name) == {"1.0": digest}


def test_a_stranger_is_asked_to_sign_in(site: Site, page: Page, looks: Looks, data: Path) -> None:
    with fresh(data, REGUI_REGISTRY_URL=site.lab.url, REGUI_ANONYMOUS_ROLE="none") as alone:
        page.goto(f"{alone.url}/main/")
        expect(page.get_by_role("heading", name="Sign in to regui")).to_be_visible()
        expect(page.get_by_role("banner").get_by_text("main")).to_have_count(0)
        assert looks.faults(page, "stranger") == []


def test_a_name_that_is_not_ours_gets_a_page_that_says_so(
    page: Page, looks: Looks, watch: Watch, data: Path
) -> None:
    with serving(data, REGUI_URL=f"http://{HOST}") as alone:
        watch.expect("status 400: ")
        page.goto(alone.url.replace("127.0.0.1", "elsewhere.test"))
        expect(page.locator("main")).to_contain_text("REGUI_URL")
        assert looks.faults(page, "error-host") == []


def test_what_breaks_in_regui_itself_is_a_toast_in_a_list_and_else_a_page(
    site: Site, page: Page, looks: Looks, watch: Watch, data: Path
) -> None:
    name = site.lab.unique("shop/broken")
    site.lab.push(name, tags=["1.0"])
    with serving(data, REGUI_REGISTRY_URL=site.lab.url) as alone:
        page.goto(f"{alone.url}/main/{name}/")
        with closing(sqlite3.connect(data / "regui.sqlite3")) as database:
            database.execute("ALTER TABLE index_registry RENAME TO lost")

        watch.expect("status 500: ")
        page.get_by_role("columnheader", name="Tag").get_by_role("link").click()
        expect(page.get_by_role("status").filter(has_text="the server answered 500")).to_be_visible()
        expect(page.locator("#results tr[data-tag]")).to_have_count(1)

        page.reload()
        expect(page.get_by_role("heading", name="Something broke in regui")).to_be_visible()
        assert looks.faults(page, "error-broken") == []


def test_nothing_can_be_deleted_while_the_registry_does_not_answer(
    page: Page, looks: Looks, data: Path, tmp_path: Path
) -> None:
    registry = open_registry(tmp_path / "registry")
    registry.push("team/app", tags=["1.0"])
    with fresh(data, REGUI_REGISTRY_URL=registry.url) as alone:
        page.goto(f"{alone.url}/main/team/app/")
        registry.stop()
        page.get_by_role("link", name="1.0", exact=True).click()
        page.get_by_role("link", name="Delete digest…").click()
        expect(page.get_by_role("alert")).to_contain_text("Not everything could be checked")
        expect(page.locator("#going tr[data-tag]")).to_have_attribute("data-tag", "1.0")
        expect(page.get_by_role("button", name="Delete digest and tag")).to_be_disabled()
        assert looks.faults(page, "confirm-unchecked") == []
