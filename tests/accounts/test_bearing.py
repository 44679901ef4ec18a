"""A registry that asks everybody who they are: its own rights decide what people see and change there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.accounts.access import Role
from regui.actions import run
from regui.actions.models import Action
from regui.index import connect
from regui.index.models import Listing, Registry
from regui.paths import resource
from regui.registries import RegistrySettings
from tests.people import SignedIn
from tests.registry import RunningRegistry, bearer_registry
from tests.tokens import TokenServer
from tests.web.acting import Visitor

pytestmark = pytest.mark.django_db

USERS = {"regui": "of-regui", "alice": "of-alice", "bob": "of-bob"}


@dataclass
class Rights(TokenServer):
    """Of the registry's own: regui's account reads, Alice may do everything, Bob may read what is Team's, and
    nobody but regui and Alice gets the list."""

    taken: set[str] = field(default_factory=set)

    def grant(self, user: str, scope: str) -> dict[str, Any]:
        kind, name, wanted = scope.split(":")
        actions = set(wanted.split(","))
        if user == "bob":
            mine = kind == "repository" and name.startswith("team/") and name not in self.taken
            actions = actions & {"pull"} if mine else set()
        elif user == "regui" and kind == "repository":
            actions &= {"pull"}
        return {"type": kind, "name": name, "actions": sorted(actions)}


@pytest.fixture(scope="module")
def tokens() -> Iterator[Rights]:
    with Rights(USERS, lifetime=1) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tokens: Rights, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    running = bearer_registry(tmp_path_factory.mktemp("guarded"), tokens)
    running.credentials = oci.Credentials("alice", USERS["alice"])
    for name in ("team/app", "team/web", "secret/app"):
        running.push(name, tags=["1.0"])
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def main(guarded: RunningRegistry, settings: Settings) -> Iterator[Registry]:
    settings.ANONYMOUS_ROLE = "none"
    settings.DELETE_GRACE = timedelta()
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STATIC_ROOT = resource("static")
    record = RegistrySettings("main", guarded.url, "regui", USERS["regui"], own=True)
    settings.REGISTRIES = {"main": record}
    connect.ensure_registries()
    yield Registry.objects.get(name="main")
    connect.close()


@pytest.fixture
def alice() -> SignedIn:
    return entered("alice")


@pytest.fixture
def bob() -> SignedIn:
    return entered("bob")


def entered(name: str) -> SignedIn:
    """An administrator of regui who showed the registry an account of that name."""
    browser = SignedIn(f"{name}-here", (Role.ADMIN, "**"))
    page = browser.post(ENTER, {"username": name, "password": USERS[name], "next": "/main/?page=1"})
    assert (page.status_code, page["Location"]) == (303, "/main/?page=1")
    return browser


ENTER = "/main/-/sign-in/"


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


def test_one_sees_what_one_s_own_account_can_list(alice: SignedIn, bob: SignedIn) -> None:
    assert all(name in alice.get("/main/").text for name in ("team/app", "team/web", "secret/app"))
    assert "team/app" not in bob.get("/main/").text, "the list is refused to them"
    assert bob.get("/main/team/app/").status_code == 200
    assert bob.get("/main/secret/app/").status_code == 404
    assert bob.get("/main/team/ghost/").status_code == 404
    page = bob.get("/main/").text
    assert "team/app" in page, "what they opened is known"
    assert "secret/app" not in page
    assert "team/web" not in page
    found = bob.get("/-/search/?q=app").text
    assert "team/app" in found
    assert "secret/app" not in found


def test_it_counts_for_five_minutes(bob: SignedIn) -> None:
    bob.get("/main/team/app/")
    assert "team/app" in bob.get("/main/").text
    Listing.objects.update(at=timezone.now() - timedelta(minutes=6))
    assert "team/app" not in bob.get("/main/").text


def test_a_right_that_was_taken_away_is_gone_at_the_next_test(bob: SignedIn, tokens: Rights) -> None:
    assert bob.get("/main/team/web/").status_code == 200
    tokens.taken.add("team/web")
    try:
        Listing.objects.update(tested_at=timezone.now() - timedelta(minutes=6))
        connect.close()  # a token lasts as long as the registry's server says
        assert bob.get("/main/team/web/").status_code == 404
        assert "team/web" not in bob.get("/main/").text
    finally:
        tokens.taken.clear()


def test_signing_out_forgets_all_of_it(alice: SignedIn) -> None:
    alice.get("/main/")
    assert Listing.objects.filter(name="team/app").exists()
    alice.post("/main/-/sign-out/")
    assert not Listing.objects.exists()
    assert alice.get("/main/").status_code == 302


def test_the_registry_s_own_rights_decide_about_changes(
    guarded: RunningRegistry, alice: SignedIn, bob: SignedIn
) -> None:
    digest = guarded.push("team/app", tags=["old"])
    bob.get("/main/team/app/")
    delete(bob, digest)
    refused = Action.objects.get()
    assert refused.state == Action.State.FAILED, "Bob may pull only, though regui would let him"
    assert refused.actor == "bob-here"
    assert "old" in set(tags(guarded))
    delete(alice, digest)
    done = Action.objects.exclude(pk=refused.pk).get()
    assert done.state == Action.State.DONE
    assert "old" not in set(tags(guarded))
    assert done.credentials == refused.credentials == "", "they are wiped when it ends"


def test_an_action_carries_them_to_whoever_goes_on_with_it(
    guarded: RunningRegistry, alice: SignedIn, settings: Settings
) -> None:
    settings.DELETE_GRACE = timedelta(minutes=1)
    digest = guarded.push("team/app", tags=["late"])
    alice.get("/main/team/app/")
    delete(alice, digest)
    action = Action.objects.get()
    assert action.state == Action.State.WAITING
    assert action.credentials
    assert dumped(USERS["alice"]) == []
    alice.post("/main/-/sign-out/")
    Action.objects.update(not_before=None)
    due = run.next_due(timezone.now())
    assert due
    assert run.carry_out(due).state == Action.State.DONE
    assert "late" not in set(tags(guarded))
    assert Action.objects.get().credentials == ""


def test_one_that_is_stopped_carries_them_no_longer(
    guarded: RunningRegistry, alice: SignedIn, settings: Settings
) -> None:
    settings.DELETE_GRACE = timedelta(minutes=1)
    digest = guarded.push("team/app", tags=["kept"])
    alice.get("/main/team/app/")
    delete(alice, digest)
    assert Action.objects.get().credentials
    alice.post(reverse("action-stop", args=[Action.objects.get().pk]))
    stopped = Action.objects.get()
    assert (stopped.state, stopped.credentials) == (Action.State.CANCELLED, "")
    assert "kept" in set(tags(guarded))


def test_nothing_of_them_lies_in_clear(alice: SignedIn, bob: SignedIn) -> None:
    alice.get("/main/")
    assert Session.objects.count() >= 2
    assert dumped(USERS["alice"]) == dumped(USERS["bob"]) == []
    for session in Session.objects.all():
        assert USERS["alice"] not in str(session.get_decoded())


def delete(browser: SignedIn, digest: str) -> None:
    visitor = Visitor(browser)
    page = visitor.confirm("team/app", digest)
    assert page.status == 200, page.text
    visitor.submit(page)


def tags(registry: RunningRegistry) -> list[str]:
    with registry.connect() as client:
        return list(client.tags("team/app"))


def dumped(secret: str) -> list[str]:
    """The tables in which those words stand anywhere."""
    return [
        model._meta.db_table
        for model in apps.get_models()
        if any(secret in str(cell) for row in model._base_manager.values_list() for cell in row)
    ]
