"""Many rows at once, the moment in which Undo stops a delete, and the way back, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import Looks
from tests.browser.site import Site, fresh
from tests.browser.test_deleting import tags, with_and_without_scripts
from tests.serving import Running


@pytest.fixture
def patient(site: Site, tmp_path: Path) -> Iterator[Running]:
    """A site that waits a moment before it deletes."""
    with fresh(tmp_path, REGUI_REGISTRY_URL=site.lab.url, REGUI_DELETE_GRACE="6s") as started:
        yield started


@with_and_without_scripts
def test_undo_in_the_toast_stops_a_delete_that_hasnt_begun(
    site: Site, patient: Running, page: Page, looks: Looks, scripts: str
) -> None:
    name = site.lab.unique("shop/undo")
    digest = site.lab.push(name, tags=["1.0", "latest"])
    deletes = len(site.deletes())
    page.goto(f"{patient.url}/main/{name}/-/tags/1.0/delete/")
    page.get_by_role("button", name="Delete tag").click()

    expect(page).to_have_url(f"{patient.url}/main/{name}/")
    toast = page.get_by_role("status").filter(has_text=f"Deleting 1.0 from {name} in 6 s.")
    expect(toast).to_be_visible()
    expect(page.locator("tr[data-tag='1.0']")).to_contain_text("deleting")
    expect(page.locator("tr[data-tag='latest']")).not_to_contain_text("deleting")
    toast.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("status").filter(has_text="Stopped: nothing was deleted.")).to_be_visible()
    expect(page.locator("tr[data-going]")).to_have_count(0)
    assert site.tagged(name) == {"1.0": digest, "latest": digest}
    assert len(site.deletes()) == deletes


@with_and_without_scripts
def test_when_the_moment_is_over_the_row_goes_by_itself(
    site: Site, patient: Running, page: Page, scripts: str
) -> None:
    name = site.lab.unique("shop/goes")
    digest = site.lab.push(name, tags=["1.0", "latest"])
    page.goto(f"{patient.url}/main/{name}/-/tags/1.0/delete/")
    page.get_by_role("button", name="Delete tag").click()
    expect(page.locator("tr[data-going]")).to_have_count(1)

    expect(page.locator("tr[data-tag='1.0']")).to_have_count(0)
    expect(page.locator(".toast")).to_have_count(0)
    assert tags(page) == ["latest"]
    assert site.tagged(name) == {"latest": digest}


def test_the_deleting_row_and_its_toast_are_sound(
    site: Site, tmp_path: Path, page: Page, looks: Looks
) -> None:
    name = site.lab.unique("shop/look")
    site.lab.push(name, tags=["1.0", "latest"])
    site.lab.push(name, tags=["2.0"])
    with fresh(tmp_path, REGUI_REGISTRY_URL=site.lab.url, REGUI_DELETE_GRACE="5m") as slow:
        page.goto(f"{slow.url}/main/{name}/-/tags/1.0/delete/")
        assert looks.faults(page, "confirm-untag") == []
        page.get_by_role("button", name="Delete tag").click()
        expect(page.locator(".toast")).to_be_visible()
        assert looks.faults(page, "deleting") == []


@with_and_without_scripts
def test_ticked_rows_are_deleted_as_one_action_and_undone(
    site: Site, page: Page, looks: Looks, scripts: str
) -> None:
    name = site.lab.unique("shop/many")
    for number in range(4):
        site.lab.push(name, tags=[f"v{number}"], created=f"2026-01-0{number + 1}T00:00:00Z")
    before = site.tagged(name)
    page.goto(f"/lab/{name}/?sort=name")
    expect(page.get_by_role("button", name="Delete…", exact=True)).to_be_hidden()
    page.get_by_role("checkbox", name="Select v0").check()
    page.get_by_role("checkbox", name="Select v2").click(modifiers=["Shift"])
    if scripts == "on":
        expect(page.locator("[data-selected]")).to_have_text("3 selected")
        expect(page).to_have_url(f"{site.url}/lab/{name}/?sort=name")
        assert looks.faults(page, "bulk") == []
        page.set_viewport_size({"width": 1280, "height": 800})
    else:
        page.get_by_role("checkbox", name="Select v1").check()
    page.get_by_role("button", name="Delete…", exact=True).click()
    expect(page.locator("#going tr[data-tag]")).to_have_count(3)
    if scripts == "on":
        assert looks.faults(page, "confirm-bulk") == []
    page.get_by_role("button", name="Delete 3 tags").click()

    expect(page.locator("[data-state=done]")).to_be_visible()
    assert site.tagged(name) == {"v3": before["v3"]}
    if scripts == "on":
        assert looks.faults(page, "action") == []
    page.get_by_role("link", name="Undo…").click()
    expect(page.locator("#coming tr[data-tag]")).to_have_count(3)
    if scripts == "on":
        assert looks.faults(page, "confirm-undo") == []
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-state=done]")).to_be_visible()
    assert site.tagged(name) == before


def test_the_x_key_ticks_the_row_under_the_pointer(site: Site, page: Page) -> None:
    name = site.lab.unique("shop/x")
    site.lab.push(name, tags=["1.0"])
    site.lab.push(name, tags=["2.0"])
    page.goto(f"/lab/{name}/")
    page.locator("tr[data-tag='2.0']").hover()
    page.keyboard.press("x")
    expect(page.get_by_role("checkbox", name="Select 2.0")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Select 1.0")).not_to_be_checked()
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(page.locator("[data-selected]")).to_have_text("2 selected")
    page.get_by_role("searchbox", name="Filter tags").press("x")
    expect(page.get_by_role("searchbox", name="Filter tags")).to_have_value("x")


def test_a_repository_its_trash_and_a_tag_to_set_are_sound(site: Site, page: Page, looks: Looks) -> None:
    name = site.lab.unique("shop/trash")
    digest = site.lab.push(name, tags=["1.0", "latest"])
    page.goto(f"/lab/{name}/")
    page.get_by_role("button", name=f"More for {name}").click()
    page.get_by_role("link", name="Delete repository…").click()
    assert looks.faults(page, "confirm-repository") == []
    page.goto(f"/lab/{name}/-/manifests/{digest}/tag/")
    assert looks.faults(page, "tag-form") == []
    page.get_by_role("textbox", name="Tag").fill("2.0")
    page.get_by_role("button", name="Go on…").click()
    assert looks.faults(page, "confirm-tag") == []
    page.get_by_role("button", name="Set tag").click()
    expect(page).to_have_url(f"{site.url}/lab/{name}/")
    page.goto(f"/lab/{name}/-/manifests/{digest}/delete/")
    page.get_by_role("button", name="Delete digest and 3 tags").click()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("link", name="Trash").first.click()
    assert looks.faults(page, "trash") == []
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(f"tr[data-digest='{digest}']").get_by_role("link", name="Restore").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.locator("tr[data-tag]")).to_have_count(3)
    assert site.tagged(name).keys() == {"1.0", "2.0", "latest"}
