"""Signing in with a directory's password, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import directory
from tests.browser.looks import Looks
from tests.browser.site import fresh
from tests.directory import PASSWORD, Directory
from tests.serving import Running


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    with directory.running(tmp_path_factory.mktemp("directory")) as one:
        yield one


@pytest.fixture
def entered(tree: Directory, data: Path) -> Iterator[Running]:
    """A site that people of the directory enter; its admins administer."""
    settings = {
        "REGUI_ANONYMOUS_ROLE": "none",
        "REGUI_LDAP_URL": tree.tls_url,
        "REGUI_LDAP_CA_FILE": tree.ca_file,
        "REGUI_LDAP_BIND_DN": directory.READER,
        "REGUI_LDAP_BIND_PASSWORD": directory.READING,
        "REGUI_LDAP_USER_BASE": directory.PEOPLE,
        "REGUI_LDAP_GROUP_BASE": directory.GROUPS,
        "REGUI_LDAP_GROUPS": "admins=administrators",
        "REGUI_ADMIN_GROUPS": "administrators",
        "REGUI_LOCAL_SIGN_IN": "off",
    }
    with fresh(data, **settings) as one:
        yield one


def sign_in(page: Page, site: Running, name: str, password: str) -> None:
    page.goto(f"{site.url}/-/settings/")
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_person_of_the_directory_signs_in_and_may_what_their_group_may(
    page: Page, entered: Running
) -> None:
    sign_in(page, entered, "alice", PASSWORD)
    page.wait_for_url(f"{entered.url}/-/settings/")
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()


def test_a_directory_that_is_gone_is_said_to_be(page: Page, data: Path, looks: Looks) -> None:
    settings = {"REGUI_LDAP_URL": f"ldap://127.0.0.1:{directory.free_port()}", "REGUI_LDAP_USER_BASE": "ou=x"}
    with fresh(data, REGUI_ANONYMOUS_ROLE="none", **settings) as gone:
        sign_in(page, gone, "alice", PASSWORD)
        expect(page.get_by_text("The directory doesn't answer")).to_be_visible()
        assert looks.faults(page, "directory-gone") == []
