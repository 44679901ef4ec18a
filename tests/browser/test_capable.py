"""What a registry can do, and its garbage collection, in a browser: looked at, then told of on every page."""

import subprocess
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.looks import DESK, Looks
from tests.browser.site import Site, fresh
from tests.registry import RunningRegistry, binary, open_registry

NAME = "team/app"


def test_deletes_that_are_off_are_said_where_they_would_be(site: Site, page: Page, looks: Looks) -> None:
    page.goto("/undeletable/-/capabilities/")
    page.get_by_role("button", name="Look again").click()
    expect(page.locator('[data-capability="deletes"]')).to_have_attribute("data-state", "no")
    assert looks.faults(page, "capabilities") == []
    page.set_viewport_size(DESK)  # a phone's list has no such buttons: they are on the tag's page
    page.goto(f"/undeletable/{NAME}/")
    expect(page.locator("#keeps")).to_contain_text("Deletes are switched off in this registry")
    delete = page.get_by_role("button", name="Delete the tag 1.0…")
    expect(delete).to_be_disabled()
    assert looks.faults(page, "tags-no-deletes") == []
    page.goto(f"/undeletable/{NAME}/-/tags/1.0/")
    assert looks.faults(page, "image-no-deletes") == []
    page.locator("#keeps a").click()
    expect(page.locator("#set-deletes")).to_be_in_viewport()
    expect(page.locator("#set-deletes")).to_contain_text("REGISTRY_STORAGE_DELETE_ENABLED=true")


def test_a_collection_shows_on_its_page_and_in_the_trash(
    page: Page, looks: Looks, data: Path, tmp_path: Path
) -> None:
    own = open_registry(tmp_path / "own")
    own.push(NAME, tags=["stays"])
    for tag in ("1.0", "2.0"):
        own.push(NAME, tags=[tag], layers=[f"the layer of {tag}".encode() * 1000])
    with fresh(data, REGUI_REGISTRY_URL=own.url) as alone:
        page.goto(f"{alone.url}/main/-/garbage/")
        assert looks.faults(page, "garbage-nothing-known") == []
        delete(page, alone.url, "1.0")
        page.goto(f"{alone.url}/main/-/garbage/")
        page.get_by_role("button", name="Look now").click()
        expect(page.locator("[data-spared]")).to_be_visible()
        collect(own)
        page.get_by_role("button", name="Look now").click()
        expect(page.locator("[data-collection]")).to_be_visible()
        delete(page, alone.url, "2.0")
        page.goto(f"{alone.url}/main/-/trash/")
        page.get_by_role("button", name="Check again").click()
        expect(page.locator('[data-remains="gone"]')).to_be_visible()
        expect(page.locator('[data-remains="there"]')).to_be_visible()
        assert looks.faults(page, "trash-after-a-collection") == []
        page.goto(f"{alone.url}/main/-/garbage/")
        assert looks.faults(page, "garbage") == []
        page.goto(f"{alone.url}/main/-/capabilities/")
        page.get_by_role("button", name="Look again").click()
        expect(page.locator('[data-capability="family"]')).to_contain_text("distribution 2")
        assert looks.faults(page, "capabilities-all-well") == []
        page.goto(f"{alone.url}/main/-/garbage/")
        expect(page.locator("#how")).to_have_text("Collect: distribution 2")
        assert looks.faults(page, "garbage-of-version-2") == []
    own.stop()


def delete(page: Page, url: str, tag: str) -> None:
    """Delete what a tag is on, by its page."""
    page.goto(f"{url}/main/{NAME}/-/tags/{tag}/")
    page.get_by_role("link", name="Delete digest…").click()
    page.get_by_role("button", name="Delete digest and tag").click()
    expect(page.locator("tr[data-tag]").first).to_be_visible()


def collect(own: RunningRegistry) -> None:
    command = [str(binary()), "garbage-collect", str(own.folder / "config.yml")]
    subprocess.run(command, check=True, capture_output=True)
