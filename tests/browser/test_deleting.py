"""From a list of tags over the page that asks to a registry without the digest, with scripts and without."""

import pytest
from playwright.sync_api import Page, expect

from regui import oci
from tests import images
from tests.browser.looks import Looks
from tests.browser.site import Site
from tests.browser.watch import Watch
from tests.serving import Running

with_and_without_scripts = pytest.mark.parametrize(
    "scripts",
    [
        pytest.param("on", marks=pytest.mark.browser_context_args(java_script_enabled=True)),
        pytest.param("off", marks=pytest.mark.browser_context_args(java_script_enabled=False)),
    ],
)


def tags(page: Page) -> list[str]:
    """The tags in the list, in its order."""
    return [str(row.get_attribute("data-tag")) for row in page.locator("#results tr[data-tag]").all()]


def ask(page: Page, repository: str, digest: str) -> None:
    """Come to the page that asks before deleting."""
    page.goto(f"/lab/{repository}/-/manifests/{digest}/delete/")


@with_and_without_scripts
def test_browsing_to_a_digest_and_deleting_it(site: Site, alone: Running, page: Page, scripts: str) -> None:
    name = site.lab.unique("shop/kite")
    old = site.lab.push(name, tags=["1.0"], created="2026-01-01T00:00:00Z")
    new = site.lab.push(name, tags=["1.1", "latest", "stable"], created="2026-02-01T00:00:00Z")
    deletes = len(site.deletes())

    page.goto(alone.url)
    expect(page).to_have_url(f"{alone.url}/main/")  # the only registry, so nothing to choose
    page.get_by_role("searchbox", name="Filter repositories").fill(name)
    page.keyboard.press("Enter")
    page.locator(f"tr[data-repository='{name}'] a").click()
    expect(page.locator("#results tr[data-tag]")).to_have_count(4)
    page.get_by_role("link", name="1.1", exact=True).click()
    page.get_by_role("link", name="Delete digest…").click()

    expect(page.locator("main h1")).to_contain_text(new.short)
    going = page.locator("#going tr[data-tag]")
    assert [row.get_attribute("data-tag") for row in going.all()] == ["1.1", "latest", "stable"]
    expect(page.get_by_text("3 tags share this digest: all of them go.")).to_be_visible()
    expect(page.locator("[data-check=complete]")).to_contain_text("checked 4 of 4")
    assert site.tagged(name) == {"1.0": old, "1.1": new, "latest": new, "stable": new}

    page.get_by_role("button", name="Delete digest and 3 tags").click()

    expect(page).to_have_url(f"{alone.url}/main/{name}/")
    expect(page.get_by_role("status").filter(has_text="Deleted")).to_contain_text("1.1, latest, stable")
    assert tags(page) == ["1.0"]
    assert site.tagged(name) == {"1.0": old}
    assert site.deletes()[deletes:] == [f"/v2/{name}/manifests/{new}"]

    page.get_by_role("link", name="Activity").first.click()
    row = page.locator(f"tr[data-digest='{new}']")
    expect(row).to_contain_text("done")
    assert [one.get_attribute("data-tag") for one in row.locator("[data-tag]").all()] == [
        "1.1",
        "latest",
        "stable",
    ]


@pytest.mark.browser_context_args(java_script_enabled=True)
def test_deleting_by_keyboard_alone(site: Site, page: Page) -> None:
    name = site.lab.unique("shop/keys")
    site.lab.push(name, tags=["1.0"])
    page.goto(f"/lab/{name}/")

    tab_to(page, "Delete the tag 1.0…")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/lab/{name}/-/tags/1.0/delete/")
    # Cancel comes first, so that Enter pressed too early harms nobody.
    passed = tab_to(page, "Delete tag")
    assert passed[-1] == "Cancel"
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="No tags left")).to_be_visible()
    assert site.tagged(name) == {}


def tab_to(page: Page, wanted: str) -> list[str]:
    """Press Tab until the focus is on what is called that; what it was on before, in order."""
    passed: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        shown = focused.evaluate(
            "one => getComputedStyle(one).outlineStyle !== 'none' || one.matches('input')"
        )
        name = focused.evaluate("one => (one.getAttribute('aria-label') ?? one.innerText).trim()")
        assert shown, f"nothing shows that the focus is on {name}"
        if name == wanted:
            return passed
        passed.append(name)
    raise AssertionError(f"never came to {wanted}: {passed}")


@with_and_without_scripts
def test_a_tag_that_moved_meanwhile_stops_the_delete(
    site: Site, page: Page, watch: Watch, looks: Looks, scripts: str
) -> None:
    name = site.lab.unique("shop/moving")
    old = site.lab.push(name, tags=["1.0", "latest"])
    ask(page, name, old)
    new = site.lab.push(name, tags=["latest"])
    deletes = len(site.deletes())

    watch.expect("status 409: ")
    page.get_by_role("button", name="Delete digest and 2 tags").click()

    expect(page.get_by_role("heading", name="Nothing was deleted")).to_be_visible()
    expect(page.locator("#changes li")).to_have_text([f"The tag latest moved to sha256:{new.short}."])
    assert site.tagged(name) == {"1.0": old, "latest": new}
    assert len(site.deletes()) == deletes
    if scripts == "on":
        assert looks.faults(page, "confirm-moved") == []

    page.get_by_role("link", name="Look again").click()
    page.get_by_role("button", name="Delete digest and tag").click()
    expect(page).to_have_url(f"{site.url}/lab/{name}/")
    assert tags(page) == ["latest"]
    assert site.tagged(name) == {"latest": new}


def test_a_digest_that_someone_else_deleted_is_said_to_be_gone(
    site: Site, page: Page, watch: Watch, client_of_lab: oci.Client
) -> None:
    name = site.lab.unique("shop/gone")
    digest = site.lab.push(name, tags=["1.0"])
    ask(page, name, digest)
    client_of_lab.delete_manifest(name, digest)

    watch.expect("status 409: ")
    page.get_by_role("button", name="Delete digest and tag").click()
    expect(page.get_by_role("heading", name="Nothing was deleted")).to_be_visible()

    watch.expect("status 404: ")
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="Gone meanwhile")).to_be_visible()


@with_and_without_scripts
def test_breaking_an_index_takes_a_tick(site: Site, page: Page, scripts: str) -> None:
    name = site.lab.unique("shop/many")
    built = images.index(["linux/amd64", "linux/arm64"])
    site.lab.push_built(name, built, ["1.0"])
    child = built.children[1].digest
    page.goto(f"/lab/{name}/-/tags/1.0/")
    page.locator(f"tr[data-digest='{child}'] a.mono").first.click()
    page.get_by_role("link", name="Delete digest…").click()
    expect(page.locator("#parents tr[data-digest]")).to_have_attribute("data-digest", str(built.digest))
    button = page.get_by_role("button", name="Delete digest")
    button.click()  # the browser itself asks for the tick
    expect(page.get_by_role("checkbox")).to_be_focused()
    assert site.tagged(name) == {"1.0": built.digest}

    page.get_by_role("checkbox").check()
    button.click()
    expect(page).to_have_url(f"{site.url}/lab/{name}/")
    with site.lab.connect() as client, pytest.raises(oci.NotFound):
        client.head_manifest(name, child)
    assert site.tagged(name) == {"1.0": built.digest}


def test_a_registry_with_deletes_switched_off_says_how_to_switch_them_on(
    site: Site, page: Page, watch: Watch, looks: Looks
) -> None:
    # By an address, as from a page that was opened before anybody knew: by now the button is off.
    page.goto("/undeletable/team/app/-/tags/1.0/delete/")
    watch.expect("status 405: ")
    page.get_by_role("button", name="Delete tag").click()
    expect(page.get_by_text("REGISTRY_STORAGE_DELETE_ENABLED=true", exact=True)).to_be_visible()
    assert looks.faults(page, "error-deletes-off") == []
    page.goto("/undeletable/team/app/")
    assert tags(page) == ["1.0"]


def test_the_journal_is_sound_in_each_of_its_looks_and_finds_what_was_done(
    site: Site, page: Page, looks: Looks
) -> None:
    names = [site.lab.unique("shop/journal") for _ in range(2)]
    for name in names:
        ask(page, name, site.lab.push(name, tags=["1.0", "latest"]))
        page.get_by_role("button", name="Delete digest and 2 tags").click()
        expect(page.get_by_role("heading", name="No tags left")).to_be_visible()
    page.goto("/-/activity/")
    assert looks.faults(page, "activity") == []
    page.get_by_role("searchbox", name="Filter activity").fill(names[0])
    expect(page.locator("#results tr[data-action]")).to_have_count(1)
