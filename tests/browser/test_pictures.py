"""The pictures in README and docs. `PICTURES=docs/img pytest tests/browser/test_pictures.py` makes them anew;
without that name they are made among the results of the tests, so that they always can be."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.site import Site, fresh
from tests.serving import regui

LARGEST = 200_000  # bytes


@pytest.mark.browser_context_args(viewport=ViewportSize(width=1280, height=860), reduced_motion="reduce")
@pytest.mark.parametrize("picture", ["repositories", "tags"])
def test_a_picture_shows_the_demo(
    site: Site, page: Page, pytestconfig: pytest.Config, data: Path, picture: str
) -> None:
    path = Path(os.environ.get("PICTURES") or pytestconfig.getoption("--output")) / f"{picture}.png"
    name, url = "kitewerk", site.demo.url
    # All of it, not just what a page reads in its time.
    synced = regui(data, "sync", REGUI_REGISTRY_NAME=name, REGUI_REGISTRY_URL=url)
    assert synced.returncode == 0, synced.stderr
    # The registry goes by the name a company gives it, not by a test's port.
    with fresh(
        data,
        REGUI_REGISTRY_NAME=name,
        REGUI_REGISTRY_URL=url,
        REGUI_REGISTRY_PULL_HOST="kite.example",
    ) as alone:
        if picture == "tags":
            page.emulate_media(color_scheme="dark")
            page.goto(f"{alone.url}/kitewerk/shop/checkout/api/")
            expect(page.locator("#results tr[data-tag]")).to_have_count(8)
        else:
            page.goto(f"{alone.url}/kitewerk/?per_page=25")
            expect(page.locator("#results tr[data-repository]")).to_have_count(15)
            expect(page.locator("main")).not_to_contain_text("not read")
        page.screenshot(path=path)
    assert path.stat().st_size < LARGEST
