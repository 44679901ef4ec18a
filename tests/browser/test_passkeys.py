"""Passkeys: on `localhost`, with an authenticator that the browser pretends to have."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.looks import Looks
from tests.browser.site import HOST, fresh
from tests.browser.test_signing_in import confirm
from tests.people import PASSWORD

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True)
class Key:
    """What keeps the passkeys, and knows its owner until they leave."""

    session: CDPSession
    pk: str

    def leave(self) -> None:
        told = {"authenticatorId": self.pk, "isUserVerified": False}
        self.session.send("WebAuthn.setUserVerified", told)


@pytest.fixture
def local(data: Path) -> Iterator[str]:
    """The address of a site by a name that browsers trust without a certificate; Alice administers it."""
    alice = {"REGUI_ADMIN_USERNAME": "alice", "REGUI_ADMIN_PASSWORD": PASSWORD}
    with fresh(data, REGUI_ANONYMOUS_ROLE="none", **alice) as one:
        yield one.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def key(page: Page) -> Key:
    """A browser's own place for passkeys."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return Key(session, added["authenticatorId"])


def enter(page: Page, local: str, there: str) -> None:
    page.goto(f"{local}{there}")
    page.get_by_role("textbox", name="Name or e-mail address").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add(page: Page, local: str, name: str) -> None:
    """Add a passkey of that name, from the account on."""
    page.goto(f"{local}/-/account/")
    page.get_by_role("link", name="Add passkey").click()
    if page.get_by_role("heading", name="Is it you?").is_visible():
        confirm(page)
    page.get_by_role("textbox", name="What you call it").fill(name)
    page.get_by_role("button", name="Add passkey").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Account of alice").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to regui")).to_be_visible()


def test_a_passkey_is_added_signs_in_alone_and_is_removed(
    local: str, key: Key, page: Page, looks: Looks
) -> None:
    enter(page, local, "/-/account/passkeys/add/")
    confirm(page)
    assert looks.faults(page, "passkey-add") == []
    page.get_by_role("textbox", name="What you call it").fill("My laptop")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_text("They are shown this once.")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("My laptop")).to_be_visible()
    assert looks.faults(page, "account-with-passkey") == []
    sign_out(page)

    page.goto(f"{local}/-/activity/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{local}/-/activity/")

    page.goto(f"{local}/-/account/")
    page.get_by_role("link", name="Rename My laptop").click()
    page.get_by_role("link", name="Use a passkey instead").click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    assert looks.faults(page, "confirm-passkey") == []
    page.get_by_role("button", name="Use a passkey").click()
    renamed = page.get_by_role("textbox", name="What you call it")
    # The key answers in its own time; a page that is about to go can't be looked at.
    expect(renamed).to_be_visible()
    assert looks.faults(page, "passkey-rename") == []
    renamed.fill("Old laptop")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("link", name="Remove Old laptop").click()
    assert looks.faults(page, "passkey-remove") == []
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_text("Old laptop")).to_have_count(0)
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Sign in to regui")).to_be_visible()
    expect(page.get_by_text("This is wrong, or was used before.")).to_be_visible()


def test_a_passkey_is_the_second_step_after_a_password(
    local: str, key: Key, page: Page, looks: Looks
) -> None:
    enter(page, local, "/-/account/")
    add(page, local, "")
    sign_out(page)
    enter(page, local, "/-/activity/")
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert looks.faults(page, "second-with-passkey") == []
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{local}/-/activity/")


def test_what_a_device_refuses_is_told(local: str, key: Key, page: Page) -> None:
    enter(page, local, "/-/account/")
    add(page, local, "One")
    expect(page.get_by_text("They are shown this once.")).to_be_visible()
    add(page, local, "Another")
    expect(page.get_by_role("alert")).to_have_text("This device has a passkey for regui already.")


def test_who_is_not_there_does_not_get_in(local: str, key: Key, page: Page) -> None:
    enter(page, local, "/-/account/")
    add(page, local, "One")
    page.get_by_role("link", name="Done").click()
    sign_out(page)
    key.leave()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("That was called off, or took too long. Try again.")
    page.goto(f"{local}/-/account/")
    expect(page.get_by_role("heading", name="Sign in to regui")).to_be_visible()


def test_where_browsers_allow_no_passkeys_none_is_offered(data: Path, page: Page, looks: Looks) -> None:
    alice = {"REGUI_ADMIN_USERNAME": "alice", "REGUI_ADMIN_PASSWORD": PASSWORD}
    with fresh(data, REGUI_ANONYMOUS_ROLE="none", REGUI_URL=f"http://{HOST}", **alice) as one:
        insecure = one.url.replace("127.0.0.1", HOST)
        page.goto(f"{insecure}/-/account/sign-in/")
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
        enter(page, insecure, "/-/account/passkeys/add/")
        confirm(page)
        expect(page.get_by_text("Passkeys need scripts, and a site that is reached by https")).to_be_visible()
        expect(page.get_by_role("button", name="Add passkey")).to_be_hidden()
        assert looks.faults(page, "passkey-add-insecure") == []
