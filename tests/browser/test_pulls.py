"""Pulls, told by events, on the pages that show them; and the commands to pull by."""

import sqlite3
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import notifications
from tests.browser.looks import PHONE, Looks
from tests.browser.site import Site, fresh
from tests.serving import regui

API = "shop/checkout/api"


def test_pages_with_pulls_are_sound_in_each_of_their_looks(
    site: Site, page: Page, looks: Looks, tmp_path: Path
) -> None:
    digest, now = str(site.digest(API, "latest")), datetime.now(UTC)
    events = [
        notifications.event(
            "pull",
            API,
            tag="latest" if number % 3 else "",
            digest=digest,
            at=now - timedelta(hours=5 * number),
            address=f"192.0.2.{number}:1",
        )
        for number in range(120)
    ]
    settings = {"REGUI_REGISTRY_URL": site.demo.url, "REGUI_REGISTRY_EVENTS_TOKEN": notifications.SECRET}
    synced = regui(tmp_path, "sync", **settings)
    assert synced.returncode == 0, synced.stderr
    with fresh(tmp_path, **settings) as alone:
        name = alone.get("/").headers["Location"].strip("/")
        request = urllib.request.Request(
            f"{alone.url}/hooks/{name}",
            notifications.envelope(events),
            {"Content-Type": notifications.V2, "Authorization": f"Bearer {notifications.SECRET}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 202
        # As if events had come in for long: a line has more than one day.
        with sqlite3.connect(tmp_path / "regui.sqlite3", timeout=30) as database:
            database.execute(
                "UPDATE index_registry SET events_since = ?", [f"{now - timedelta(days=40):%F %T}"]
            )
        list_, tag = f"{alone.url}/{name}/{API}/", f"{alone.url}/{name}/{API}/-/tags/latest/"
        page.goto(list_)
        row = page.locator("tr[data-tag=latest]")
        for _ in range(50):
            if " in 30 d" in row.inner_text():
                break
            page.wait_for_timeout(200)
            page.reload()
        expect(page.get_by_role("columnheader", name="Pulled")).to_be_visible()
        assert looks.faults(page, "tags-pulled") == []
        page.goto(tag)
        expect(page.locator(".pulled").first).to_contain_text("80 by this tag")
        expect(page.get_by_role("img", name="Day by day, at most 5")).to_be_visible()
        assert looks.faults(page, "tag-pulled") == []


@pytest.mark.parametrize("phone", [True, False])
def test_no_command_is_cut_off(page: Page, phone: bool) -> None:
    if phone:
        page.set_viewport_size(PHONE)
    for path in (f"/demo/{API}/", f"/demo/{API}/-/tags/latest/?tab=pull"):
        page.goto(path)
        codes = page.locator(".cmd > code")
        assert codes.count() > 0
        for code in codes.all():
            assert code.evaluate("one => one.scrollWidth <= one.clientWidth")
