"""Who may do what: grants, the question why, people and groups, with scripts and without."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import PHONE, Looks
from tests.browser.site import Site, fresh
from tests.browser.watch import Watch
from tests.serving import Running, regui

with_and_without_scripts = pytest.mark.parametrize(
    "scripts",
    [
        pytest.param("on", marks=pytest.mark.browser_context_args(java_script_enabled=True)),
        pytest.param("off", marks=pytest.mark.browser_context_args(java_script_enabled=False)),
    ],
)
HOSTILE = "<script>document.title='owned'</script>"
LONG = "a-directory-may-give-names-of-any-length-and-without-a-place-to-break-them-at-all-0123456789"


@pytest.fixture
def office(site: Site, data: Path) -> Iterator[Running]:
    """A site of this test's own with the demo, where visitors may everything."""
    settings = {"REGUI_REGISTRY_URL": site.demo.url}
    assert regui(data, "sync", **settings).returncode == 0
    with fresh(data, **settings) as one:
        yield one


def name_as_directories_may(data: Path, old: str, new: str) -> None:
    """Give somebody a name that no form here would take."""
    with sqlite3.connect(data / "regui.sqlite3", timeout=30) as database:
        database.execute("update accounts_user set username = ? where username = ?", (new, old))
    database.close()


def add_person(page: Page, name: str) -> None:
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def add_group(page: Page, name: str, *people: str) -> None:
    page.get_by_role("link", name="Groups", exact=True).click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Make", exact=True).click()
    for one in people:
        page.get_by_label("Name", exact=True).fill(one)
        page.get_by_role("button", name="Put in", exact=True).click()
        expect(page.locator(f"[data-person='{one}']")).to_be_visible()


def give(page: Page, kind: str, who: str, role: str, pattern: str) -> None:
    page.get_by_role("link", name="Access", exact=True).click()
    form = page.locator("form", has=page.get_by_role("button", name="Give", exact=True))
    form.get_by_label("Who", exact=True).select_option(kind)
    form.get_by_label("Name of the person or group").fill(who)
    form.get_by_label("Role").select_option(role)
    form.get_by_label("Repositories").fill(pattern)
    form.get_by_role("button", name="Give", exact=True).click()


def ask(page: Page, who: str, repository: str) -> None:
    form = page.locator("[data-ask='what']")
    form.get_by_label("Name of the person or group").fill(who)
    form.get_by_label("Repository").fill(repository)
    form.get_by_role("button", name="Ask").click()


@with_and_without_scripts
def test_roles_are_given_explained_and_taken_away(
    page: Page, office: Running, data: Path, looks: Looks, watch: Watch, scripts: str
) -> None:
    def look(what: str) -> None:
        if scripts == "on":
            assert looks.faults(page, what) == []

    page.goto(f"{office.url}/-/settings/")
    expect(page.locator("[data-visitors='admin']")).to_be_visible()
    look("access-settings")
    page.get_by_role("link", name="Access", exact=True).click()
    look("access-empty")
    for name in ("alice", "bob", "carol"):
        add_person(page, name)
    add_group(page, "devs", "bob", "carol")
    look("access-group")
    give(page, "person", "alice", "admin", "")
    give(page, "group", "devs", "reader", "")
    give(page, "group", "devs", "maintainer", "shop/**")
    give(page, "everyone", "", "none", "shop/payments/**")
    give(page, "person", "carol", "auditor", "**")
    expect(page.locator("[data-grant]")).to_have_count(5)
    expect(page.locator("[data-pattern]").first).to_have_attribute("data-pattern", "shop/payments/**")

    ask(page, "bob", "shop/checkout/api")
    expect(page.locator("[data-answer]")).to_contain_text(
        "bob can see main/shop/checkout/api, set tags, delete and administer there."
    )
    look("access-answer")
    page.locator("[data-ask='who']").get_by_label("Who can").select_option("delete")
    page.locator("[data-ask='who']").get_by_role("button", name="Ask").click()
    expect(page.locator("[data-able]")).to_contain_text("Anyone who reaches this address can delete there")
    look("access-able")

    page.get_by_role("link", name="Remove maintainer of shop/** for group devs").click()
    expect(page.get_by_role("heading", name="Take away this role?")).to_be_visible()
    look("access-remove")
    page.get_by_role("button", name="Take away").click()
    expect(page.locator("[data-grant]")).to_have_count(4)

    page.get_by_role("link", name="Remove admin of ** for alice").click()
    watch.expect("status 409: ")
    page.get_by_role("button", name="Take away").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody would administer everything any more")
    look("access-last")

    page.get_by_role("link", name="Access", exact=True).first.click()
    page.get_by_role("link", name="People", exact=True).click()
    look("access-people")
    page.get_by_role("link", name="bob", exact=True).click()
    look("access-person")
    page.get_by_role("link", name="Disable…").click()
    look("access-disable")
    page.get_by_role("button", name="Disable", exact=True).click()
    expect(page.get_by_text("disabled", exact=True)).to_be_visible()
    name_as_directories_may(data, "bob", HOSTILE)
    name_as_directories_may(data, "carol", LONG)
    page.get_by_role("link", name="Groups", exact=True).click()
    look("access-groups")
    page.get_by_role("link", name="devs", exact=True).click()
    expect(page.locator(".members").get_by_text(HOSTILE)).to_be_visible()
    look("access-group-hostile")
    page.get_by_role("link", name="People", exact=True).click()
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    look("access-people-hostile")
    page.get_by_role("link", name="Access", exact=True).click()
    look("access-hostile")
    page.get_by_role("link", name="Journal", exact=True).click()
    expect(page.locator("[data-entry='person-changed']")).to_contain_text("changed a person bob")
    look("access-journal")
    assert page.title() != "owned"


@pytest.mark.browser_context_args(viewport=PHONE)
def test_a_role_is_given_by_keyboard_on_a_phone_and_mended_first(
    page: Page, office: Running, looks: Looks, watch: Watch
) -> None:
    page.goto(f"{office.url}/-/access/people/")
    page.get_by_label("Name", exact=True).fill("bob")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="bob", level=1)).to_be_visible()
    page.goto(f"{office.url}/-/access/")
    page.get_by_text("Which grant counts, and what each role may do").click()
    form = page.locator("form", has=page.get_by_role("button", name="Give", exact=True))
    name = form.get_by_label("Name of the person or group")
    name.focus()
    page.keyboard.type("bbo")
    watch.expect("status 422: ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This must name a person: there is none named bbo.")
    expect(name).to_be_focused()
    expect(name).to_have_value("bbo")
    assert looks.faults(page, "access-wrong") == []
    page.set_viewport_size(PHONE)
    name.fill("bob")
    page.keyboard.press("Tab")
    page.keyboard.type("maint")  # as one chooses in a list
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("shop/**")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-grant]")).to_have_attribute("data-role", "maintainer")
    expect(page.locator("[data-grant]")).to_have_attribute("data-pattern", "shop/**")
    page.get_by_text("Which grant counts, and what each role may do").click()
    assert looks.faults(page, "access-order") == []


def test_the_list_follows_what_is_typed(page: Page, office: Running) -> None:
    page.goto(f"{office.url}/-/access/")
    give(page, "everyone", "", "reader", "")
    give(page, "everyone", "", "developer", "shop/**")
    expect(page.locator("[data-grant]")).to_have_count(2)
    page.get_by_placeholder("Covers repository, team/app").fill("shop/checkout/api")
    expect(page).to_have_url(f"{office.url}/-/access/?covers=shop%2Fcheckout%2Fapi")
    expect(page.locator("[data-grant]")).to_have_count(2)
    page.get_by_placeholder("Covers repository, team/app").fill("other/thing")
    expect(page.locator("[data-grant]")).to_have_count(1)
    expect(page.locator("[data-announce]")).to_have_text("1 of 2 grants")
    page.get_by_placeholder("Person or group").fill("nobody")
    expect(page.get_by_text("No grant matches")).to_be_visible()
