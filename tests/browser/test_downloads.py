"""A plan taken away as a file, from a page and from what was ticked on a list."""

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.looks import Looks
from tests.browser.site import Site
from tests.browser.test_deleting import with_and_without_scripts


def downloaded(page: Page, role: str, name: str) -> str:
    """What comes of pressing that, as a file; the page stays."""
    address = page.url
    with page.expect_download() as download:
        page.get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]
    assert page.url == address
    return Path(download.value.path()).read_text(encoding="utf-8")


@with_and_without_scripts
def test_a_plan_is_downloaded_and_the_page_goes_on(
    site: Site, page: Page, looks: Looks, scripts: str
) -> None:
    name = site.lab.unique("shop/file")
    digest = site.lab.push(name, tags=["1.0", "latest"])
    page.goto(f"/lab/{name}/-/manifests/{digest}/delete/")
    plan = json.loads(downloaded(page, "link", "JSON"))
    assert (plan["kind"], plan["siblings"]) == ("delete-digest", ["1.0", "latest"])
    assert "goes,tag,latest" in downloaded(page, "link", "CSV")
    if scripts == "on":
        assert looks.faults(page, "plan-as-file") == []
    page.get_by_role("button", name="Delete digest and 2 tags").click()
    expect(page).to_have_url(f"{site.url}/lab/{name}/")
    assert site.tagged(name) == {}


@with_and_without_scripts
def test_what_was_ticked_is_downloaded_and_can_still_be_deleted(
    site: Site, page: Page, looks: Looks, scripts: str
) -> None:
    name = site.lab.unique("shop/files")
    site.lab.push(name, tags=["v1"])
    site.lab.push(name, tags=["v2"])
    page.goto(f"/lab/{name}/?sort=name")
    page.get_by_role("checkbox", name="Select v1").check()
    page.get_by_role("button", name="Delete…", exact=True).click()
    assert json.loads(downloaded(page, "button", "JSON"))["asked"] == {"tags": ["v1"]}
    assert "goes,tag,v1" in downloaded(page, "button", "CSV")
    if scripts == "on":
        assert looks.faults(page, "chosen-as-file") == []
    page.get_by_role("button", name="Delete 1 tag").click()
    expect(page.locator("[data-action]")).to_be_visible()
