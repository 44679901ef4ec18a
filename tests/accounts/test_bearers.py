"""The registry credentials that somebody entered: asked for, kept in their session, gone with it."""

from dataclasses import replace

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from regui.accounts.access import Role
from regui.index import connect
from regui.index.models import Listing
from tests.accounts.stand import ENTER, USERS, dumped
from tests.people import SignedIn, enter, person, session_key, session_of, token
from tests.registry import RunningRegistry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("main")]


def test_one_is_asked_who_one_is_and_led_back(guarded: RunningRegistry) -> None:
    browser = SignedIn("carol", (Role.ADMIN, "**"))
    page = browser.get("/main/team/app/?sort=name")
    assert page["Location"] == f"{ENTER}?next=%2Fmain%2Fteam%2Fapp%2F%3Fsort%3Dname"
    assert 'value="/main/team/app/?sort=name"' in browser.get(page["Location"]).text
    assert browser.get("/-/settings/").status_code == 200
    answer = browser.get("/api/v1/registries/main/repositories")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "needs-credentials")
    assert "team/app" not in browser.get("/-/search/?q=app").text


def test_what_the_registry_refuses_is_not_kept() -> None:
    browser = SignedIn("carol", (Role.ADMIN, "**"))
    page = browser.post(ENTER, {"username": "bob", "password": "of-nobody"})
    assert page.status_code == 422
    assert "take them" in page.text
    assert "of-nobody" not in page.text
    assert browser.get("/main/").status_code == 302


@pytest.mark.parametrize("there", ["//evil.example/", "https://evil.example/", "/\\evil.example/", "x"])
def test_it_leads_to_no_other_site(there: str) -> None:
    browser = SignedIn("carol", (Role.ADMIN, "**"))
    page = browser.post(ENTER, {"username": "bob", "password": USERS["bob"], "next": there})
    assert page["Location"] == "/main/"


def test_credentials_go_to_no_other_address_than_they_were_entered_for(
    alice: SignedIn, settings: Settings
) -> None:
    moved = replace(settings.REGISTRIES["main"], url="http://127.0.0.1:9")
    settings.REGISTRIES = {"main": moved}
    connect.ensure_registries()
    assert alice.get("/main/")["Location"].startswith(ENTER)


def test_who_is_wrong_too_often_has_to_wait(guarded: RunningRegistry) -> None:
    browser = SignedIn("mallory", (Role.ADMIN, "**"), REMOTE_ADDR="198.51.100.9")
    said = [browser.post(ENTER, {"username": "bob", "password": f"guess-{n}"}).text for n in range(11)]
    assert sum("take them" in page for page in said) == 10
    assert "wrong too often" in said[-1]
    assert "wrong too often" in browser.post(ENTER, {"username": "bob", "password": USERS["bob"]}).text


def test_a_token_has_no_account_there_whoever_s_it_is(alice: SignedIn, settings: Settings) -> None:
    secret = token(Role.ADMIN, owner=alice.person)
    for browser in (Client(), alice):
        answer = browser.get("/api/v1/registries/main/repositories", HTTP_AUTHORIZATION=f"Bearer {secret}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "needs-credentials")
    settings.TOKEN = secret
    with pytest.raises(CommandError, match="asks everybody who they are"):
        call_command("delete", "main", "team/app:1.0", "--dry-run")


def test_a_visitor_s_session_is_another_once_it_holds_them(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "reader"
    browser, other = Client(), Client()
    browser.get(ENTER)
    before = session_of(browser).session_key
    browser.post(ENTER, {"username": "alice", "password": USERS["alice"]})
    after = session_key(browser)
    assert after != before
    assert "secret/app" in browser.get("/main/").text
    assert other.get("/main/")["Location"].startswith(ENTER)
    enter(browser, person("carol"))
    assert session_key(browser) != after
    assert "secret/app" in browser.get("/main/").text, "they sit at the same browser still"
    enter(browser, person("dave"))
    assert browser.get("/main/")["Location"].startswith(ENTER)


def test_signing_out_forgets_all_of_it(alice: SignedIn) -> None:
    alice.get("/main/")
    assert Listing.objects.filter(name="team/app").exists()
    alice.post("/main/-/sign-out/")
    assert not Listing.objects.exists()
    assert alice.get("/main/").status_code == 302


def test_nothing_of_them_lies_in_clear(alice: SignedIn, bob: SignedIn) -> None:
    alice.get("/main/")
    assert Session.objects.count() >= 2
    assert dumped(USERS["alice"]) == dumped(USERS["bob"]) == []
    for session in Session.objects.all():
        assert USERS["alice"] not in str(session.get_decoded())
