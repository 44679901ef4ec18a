"""Protecting tags, and meeting what is protected, with scripts and without."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import images
from tests.browser.looks import Looks
from tests.browser.site import Site
from tests.browser.watch import Watch

with_and_without_scripts = pytest.mark.parametrize(
    "scripts",
    [
        pytest.param("on", marks=pytest.mark.browser_context_args(java_script_enabled=True)),
        pytest.param("off", marks=pytest.mark.browser_context_args(java_script_enabled=False)),
    ],
)


def protect(page: Page, repository: str, tags: str) -> None:
    """Make a rule of the lab's, from Settings on."""
    page.goto("/-/settings/")
    page.locator("[data-protection='lab']").get_by_role("link", name="Protected tags").click()
    page.get_by_role("textbox", name="Tags", exact=True).fill(tags)
    page.get_by_role("textbox", name="In these repositories").fill(repository)
    page.get_by_role("textbox", name="Why").fill("customers run these")
    page.get_by_role("button", name="Protect", exact=True).click()
    expect(page.locator(f"[data-rule='{repository}:{tags}']")).to_be_visible()


@with_and_without_scripts
def test_what_is_protected_stays_until_its_rule_goes(
    site: Site, page: Page, looks: Looks, scripts: str
) -> None:
    name = site.lab.unique("shop/safe")
    built = images.index(["linux/amd64", "linux/arm64"])
    site.lab.push_built(name, built, ["v1.0", "latest"])
    site.lab.push(name, tags=["edge"])
    page.goto(f"/lab/{name}/")
    protect(page, name, "v*")
    expect(page.locator(f"[data-rule='{name}:v*']")).to_contain_text("1 tag in 1 repository now")

    def look(what: str) -> None:
        if scripts == "on":
            assert looks.faults(page, what) == []

    look("protected-rules")
    page.goto(f"/lab/{name}/")
    expect(page.locator("tr[data-tag='v1.0'] .ttl .lock")).to_have_attribute(
        "title", f"Protected by v* in {name}"
    )
    expect(page.locator(".ttl .lock")).to_have_count(1)
    look("protected-tags")
    page.locator("tr[data-tag='v1.0']").get_by_role("link", name="v1.0", exact=True).click()
    expect(page.locator("#locks")).to_contain_text(f"The tag is protected by v* in {name}")
    look("protected-tag")
    page.get_by_role("link", name="Delete tag…").click()
    expect(page.locator("#protected-things li")).to_contain_text([f"v1.0 protected by v* in {name}"])
    expect(page.get_by_role("button", name="Delete tag")).to_be_disabled()
    look("protected-confirm-tag")

    page.goto(site.manifest(name, str(built.children[0].digest), of="lab"))
    expect(page.locator("#locks")).to_contain_text("needed by v1.0")
    look("protected-child")
    page.get_by_role("link", name="Delete digest…").click()
    expect(page.get_by_role("button", name="Delete digest")).to_be_disabled()
    look("protected-confirm-child")
    page.goto(f"/lab/{name}/-/delete/")
    expect(page.get_by_role("button", name="Delete repository")).to_be_disabled()
    look("protected-confirm-repository")

    page.goto("/lab/-/settings/protection/")
    page.get_by_role("button", name=f"Remove the rule v* in {name}").click()
    expect(page.locator(f"[data-rule='{name}:v*']")).to_have_count(0)
    page.goto(f"/lab/{name}/-/tags/v1.0/delete/")
    page.get_by_role("button", name="Delete tag").click()
    expect(page).to_have_url(f"{site.url}/lab/{name}/")
    assert set(site.tagged(name)) == {"latest", "edge"}


@with_and_without_scripts
def test_of_ticked_tags_the_protected_stay(site: Site, page: Page, looks: Looks, scripts: str) -> None:
    name = site.lab.unique("shop/some")
    kept = site.lab.push(name, tags=["v2"])
    site.lab.push(name, tags=["edge", "old"])
    page.goto(f"/lab/{name}/")
    protect(page, name, "v?")
    page.goto(f"/lab/{name}/")
    for tag in ("v2", "edge", "old"):
        page.get_by_role("checkbox", name=f"Select {tag}").check()
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_text("1 is protected and stays")).to_be_visible()
    if scripts == "on":
        assert looks.faults(page, "protected-confirm-some") == []
    page.get_by_role("button", name="Delete 2 tags").click()
    expect(page.locator("[data-action]")).to_have_attribute("data-state", re.compile("done"))
    assert site.tagged(name) == {"v2": kept}


def test_a_pattern_that_means_nothing_is_told_beside_its_field(
    page: Page, watch: Watch, looks: Looks
) -> None:
    page.goto("/lab/-/settings/protection/")
    page.get_by_role("textbox", name="Tags", exact=True).fill("v[12]")
    watch.expect("status 422: ")
    page.get_by_role("button", name="Protect", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text(
        "This must be a tag, or a pattern of tags such as v* or prod-?."
    )
    expect(page.get_by_role("textbox", name="Tags", exact=True)).to_be_focused()
    assert looks.faults(page, "protected-wrong") == []
