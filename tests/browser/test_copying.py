"""Copying a tag to another repository, in a real browser: the form, what it takes, and how far it is."""

import threading
from pathlib import Path

from playwright.sync_api import Page, expect

from regui import oci
from regui.actions.transfer import PIECE
from regui.demo.images import noise, signature
from tests import images
from tests.browser.looks import Looks
from tests.browser.site import Site, fresh
from tests.browser.test_deleting import with_and_without_scripts
from tests.browser.watch import Watch
from tests.fake import Fake
from tests.memory import Ask, Out


@with_and_without_scripts
def test_a_tag_is_copied_with_its_signature(site: Site, page: Page, looks: Looks, scripts: str) -> None:
    name = site.lab.unique("shop/copied")
    built = images.index(attested=True)
    site.lab.push_built(name, built, ["1.0"])
    signed = f"{oci.referrers_tag(built.digest)}.sig"
    site.lab.push_built(name, signature(built, name), [signed])
    page.goto(f"/lab/{name}/-/tags/1.0/")
    page.get_by_role("link", name="Copy to…").click()
    expect(page.get_by_role("textbox", name="Repository")).to_be_focused()
    if scripts == "on":
        assert looks.faults(page, "copy-form") == []
        page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("combobox", name="Registry").select_option("lab")
    page.get_by_role("textbox", name="Repository").fill(f"{name}-prod")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name=f"Copy 1.0 to {name}-prod:1.0?")).to_be_visible()
    expect(page.locator("#copied tr[data-role=signature]")).to_have_count(1)
    if scripts == "on":
        assert looks.faults(page, "confirm-copy") == []
        page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("[data-state=done]")).to_be_visible()
    if scripts == "on":
        assert looks.faults(page, "copied") == []
    assert site.tagged(f"{name}-prod") == {"1.0": built.digest, signed: site.tagged(name)[signed]}


def test_a_form_that_comes_back_says_what_is_wrong(
    site: Site, page: Page, looks: Looks, watch: Watch
) -> None:
    watch.expect("status 422")
    name = site.lab.unique("shop/wrong")
    site.lab.push_index(name, tags=["1.0"])
    page.goto(f"/lab/{name}/-/tags/1.0/copy/")
    page.get_by_role("textbox", name="Repository").fill("Shop/Wrong_")
    page.get_by_role("checkbox", name="linux/amd64").uncheck()
    page.get_by_role("checkbox", name="linux/arm64").uncheck()
    page.get_by_role("button", name="Go on…").click()
    expect(page.locator("#wrong-to")).to_contain_text("can't be the name of a repository")
    expect(page.locator("#wrong-platform")).to_have_text("Choose at least one.")
    assert looks.faults(page, "copy-form-wrong") == []


def test_how_far_it_is_is_said_in_bytes_and_it_can_be_stopped(
    site: Site, page: Page, looks: Looks, tmp_path: Path
) -> None:
    name = site.lab.unique("shop/large")
    image = images.image(layers=[noise("large", 4 * PIECE)])
    site.lab.push_built(name, image, ["1.0"])
    go_on = threading.Event()
    with Fake() as slow:

        def answer(_: Ask) -> Out | None:
            if any(len(upload) for upload in slow.memory.uploads.values()):
                go_on.wait(60)
            return None

        slow.on("PATCH", r"/v2/.*", answer)
        addresses = {"REGUI_REGISTRY_LAB_URL": site.lab.url, "REGUI_REGISTRY_SLOW_URL": slow.url}
        with fresh(tmp_path, REGUI_REGISTRIES="lab slow", **addresses) as started:
            query = "registry=slow&to=shop/large&tag=1.0"
            page.goto(f"{started.url}/lab/{name}/-/tags/1.0/copy/?{query}")
            page.get_by_role("button", name="Copy").click()
            expect(page.get_by_role("heading", name="8.4 MB of 33.6 MB")).to_be_visible()
            expect(page.get_by_role("progressbar")).to_be_visible()
            assert looks.faults(page, "copying") == []
            page.get_by_role("button", name="Stop").click()
            expect(page.locator("#toasts")).to_contain_text("It stops")
            page.wait_for_timeout(1500)  # it is asked about once a second
            go_on.set()
            expect(page.locator("[data-state=cancelled]")).to_be_visible()
            assert "1.0" not in slow.memory.repositories["shop/large"].tags
            assert slow.memory.uploads == {}
