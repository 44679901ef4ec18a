"""What runs somewhere, in a browser: told by a program, shown, kept from being deleted, and gone over."""

import json
import re
import urllib.request

from playwright.sync_api import Page, expect

from tests.browser.looks import DESK, Looks
from tests.browser.site import Site
from tests.browser.test_deleting import with_and_without_scripts

WHY = "the cluster was switched off"


def tell(site: Site, source: str, images: list[str]) -> None:
    """A cluster's list, sent as its job sends it."""
    body = json.dumps({"ttl": "1h", "images": images}).encode()
    where, headers = f"{site.url}/api/v1/in-use/{source}", {"Content-Type": "application/json"}
    request = urllib.request.Request(where, body, headers, method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


@with_and_without_scripts
def test_what_runs_stays_until_somebody_says_why_it_goes(
    site: Site, page: Page, looks: Looks, scripts: str
) -> None:
    name = site.lab.unique("shop/running")
    host = site.lab.url.removeprefix("http://")
    site.lab.push(name, tags=["1.0", "edge"])

    def look(what: str) -> None:
        if scripts == "on":
            assert looks.faults(page, what) == []

    page.goto("/demo/-/cleanup/in-use/")
    expect(page.get_by_role("heading", name="Nobody tells what runs")).to_be_visible()
    look("in-use-empty")

    tell(site, "prod-cluster", [f"{host}/{name}:1.0", "nginx:1.25", f"sha256:{'a' * 64}"])
    page.goto(f"/lab/-/cleanup/in-use/?q={name}")
    expect(page.locator("tr[data-source='prod-cluster']")).to_contain_text("2 of 3")
    expect(page.locator(f"tr[data-repository='{name}'][data-tag='1.0']")).to_contain_text("prod-cluster")
    page.set_viewport_size(DESK)
    page.locator("tr[data-source='prod-cluster'] summary").first.click()
    look("in-use")
    page.goto(f"/lab/{name}/")
    expect(page.locator("tr[data-tag='1.0'] .ttl .lock")).to_have_attribute(
        "title", re.compile("^Running in prod-cluster since")
    )
    look("in-use-tags")
    page.goto(f"/lab/{name}/-/tags/1.0/")
    expect(page.locator("#locks")).to_contain_text("running in prod-cluster since")
    look("in-use-tag")
    page.get_by_role("link", name="Delete tag…").click()
    expect(page.get_by_role("button", name="Delete tag")).to_be_disabled()
    look("in-use-confirm")
    page.get_by_label("Why it has to go").fill(WHY)
    page.get_by_role("button", name="Look at what would go").click()
    expect(page.locator("#overriding")).to_contain_text(WHY)
    look("in-use-overriding")
    page.get_by_role("button", name="Delete tag").click()
    expect(page).to_have_url(f"{site.url}/lab/{name}/")
    assert set(site.tagged(name)) == {"edge"}
    page.goto("/-/activity/")
    page.locator(f"tr[data-repository='{name}'] .ttl a").first.click()
    expect(page.locator("#overridden")).to_contain_text(WHY)
    look("in-use-action")
