"""Every page, light and dark, at a desk and on a phone: nothing on the console, nothing the policy blocks,
nothing axe objects to, nothing that scrolls sideways."""

from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import Looks
from tests.browser.site import Site
from tests.browser.watch import Watch

API, GREETER, LONG = "shop/checkout/api", "i18n/greeter", "shop/storefront"
UNKNOWN = "sha256:" + "0" * 64

# By what a picture of it is called: the path. Ten rows show what fifty would, and are judged sooner.
PAGES: Mapping[str, str] = {
    "registries": "/",
    "repositories": "/demo/",
    "repositories-of-a-namespace": "/demo/?ns=shop&sort=-size",
    "repositories-none-match": "/demo/?q=nothing-like-it",
    "registry-empty": "/empty/",
    "tags": f"/demo/{LONG}/?per_page=10",
    "tags-last-page": f"/demo/{LONG}/?per_page=10&page=7&sort=name",
    "releases": f"/demo/{LONG}/?show=releases&per_page=10",
    "releases-none": "/demo/base/toolbox/?show=releases&q=x",
    "tags-none-match": f"/demo/{LONG}/?q=nothing-like-it",
    "tags-of-indexes": f"/demo/{API}/",
    "tags-undated": "/demo/data/etl/nightly/",
    "tags-none-left": "/demo/marketing/newsletter/",
    "image": f"/demo/{LONG}/-/tags/latest/",
    "image-config": f"/demo/{LONG}/-/tags/latest/?tab=config",
    "image-history": f"/demo/{LONG}/-/tags/latest/?tab=history",
    "image-raw": f"/demo/{LONG}/-/tags/latest/?tab=raw",
    "image-pull": f"/demo/{LONG}/-/tags/latest/?tab=pull",
    "labels-in-every-script": f"/demo/{GREETER}/-/tags/1.0/?tab=config",
    "index": f"/demo/{API}/-/tags/latest/",
    "index-layers": f"/demo/{API}/-/tags/latest/?tab=layers",
    "index-referrers": f"/demo/{API}/-/tags/latest/?tab=referrers",
    "index-nested": "/demo/base/toolbox/-/tags/1.8/",
    "chart": "/demo/charts/storefront/-/tags/1.6.0/?tab=config",
    "artifact": "/demo/data/recommender/-/tags/2026-11/",
    "activity-nothing-yet": "/-/activity/",
    "search": "/-/search/?q=latest",
    "search-language": "/-/search/",
    "search-wrong": "/-/search/?q=size:big",
    "repositories-wrong-query": "/demo/?q=size:big",
    "capabilities-of-the-demo": "/demo/-/capabilities/",
    "garbage-of-the-demo": "/demo/-/garbage/",
    "trash-empty": "/demo/-/trash/",
}
# Those whose paths hold a digest.
BY_DIGEST: Mapping[str, Callable[[Site], str]] = {
    "manifest": lambda site: site.manifest(API, site.child(API, "latest", "linux/arm64")),
    "confirm-three-tags": lambda site: site.manifest(LONG, site.digest(LONG, "latest")) + "delete/",
    "confirm-part-of-an-index": lambda site: (
        site.manifest(API, site.child(API, "latest", "linux/arm64")) + "delete/"
    ),
    "confirm-signed-index": lambda site: site.manifest(API, site.digest(API, "latest")) + "delete/",
}
# Errors: the path and the status.
ERRORS: Mapping[str, tuple[str, int]] = {
    "error-address": ("/demo/no/such/page/-/x/", 404),
    "error-repository": ("/demo/no/such/repository/", 404),
    "error-tag": (f"/demo/{LONG}/-/tags/none/", 404),
    "error-gone": (f"/demo/{LONG}/-/manifests/{UNKNOWN}/delete/", 404),
    "error-unreachable": ("/away/", 502),
    "error-credentials": ("/locked/", 502),
    "error-certificate": ("/selfsigned/", 502),
    "error-method": ("/-/theme/", 405),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound_in_each_of_its_looks(page: Page, looks: Looks, name: str) -> None:
    page.goto(PAGES[name])
    assert looks.faults(page, name) == []


@pytest.mark.parametrize("name", BY_DIGEST)
def test_a_page_of_a_digest_is_sound_in_each_of_its_looks(
    site: Site, page: Page, looks: Looks, name: str
) -> None:
    page.goto(BY_DIGEST[name](site))
    assert looks.faults(page, name) == []


@pytest.mark.parametrize("name", ERRORS)
def test_a_page_about_an_error_is_sound_in_each_of_its_looks(
    page: Page, looks: Looks, watch: Watch, name: str
) -> None:
    path, status = ERRORS[name]
    watch.expect(f"status {status}: ")
    page.goto(path)
    expect(page.locator("main h1")).to_be_visible()
    assert looks.faults(page, name) == []
