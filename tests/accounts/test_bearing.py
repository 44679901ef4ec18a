"""A registry that asks everybody who they are: its own rights decide what people see and change there."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from regui.actions import run
from regui.actions.models import Action
from regui.index import connect
from regui.index.models import Listing
from tests.accounts.stand import USERS, Rights, dumped
from tests.people import SignedIn
from tests.registry import RunningRegistry
from tests.web.acting import Page, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("main")]

LINK = "/main/team/app/"


def test_one_sees_what_one_s_own_account_can_list(alice: SignedIn, bob: SignedIn) -> None:
    assert all(name in alice.get("/main/").text for name in ("team/app", "team/web", "secret/app"))
    assert f'"{LINK}"' not in bob.get("/main/").text, "the list is refused to them"
    assert bob.get("/main/team/app/").status_code == 200
    assert bob.get("/main/secret/app/").status_code == 404
    assert bob.get("/main/team/ghost/").status_code == 404
    page = bob.get("/main/").text
    assert f'"{LINK}"' in page, "what they opened is known"
    assert "secret/app" not in page
    assert "team/web" not in page
    found = bob.get("/-/search/?q=app").text
    assert "team/app" in found
    assert "secret/app" not in found


def test_a_page_says_whose_account_it_shows_and_why_so_little(alice: SignedIn, bob: SignedIn) -> None:
    page = bob.get("/main/").text
    assert "main gives bob no list" in page
    assert 'name="open"' in page
    assert "Nothing opened of late" in page
    page = alice.get("/main/").text
    assert "Signed in as alice" in page
    assert "no list" not in page


def test_what_is_seen_of_all_registries_asks_them_too(alice: SignedIn) -> None:
    alice.get("/main/")
    Listing.objects.all().delete()
    assert "secret/app" in alice.get("/-/search/?q=secret").text


def test_it_counts_for_five_minutes(bob: SignedIn) -> None:
    bob.get("/main/team/app/")
    assert f'"{LINK}"' in bob.get("/main/").text
    Listing.objects.update(at=timezone.now() - timedelta(minutes=6))
    assert f'"{LINK}"' not in bob.get("/main/").text


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


def test_what_one_may_not_see_can_not_be_copied_from(bob: SignedIn, alice: SignedIn) -> None:
    source = {"source": "main/secret/app", "reference": "1.0", "tag": "1.0"}
    assert bob.get("/main/secret/app/-/tags/1.0/copy/", source).status_code == 404
    assert alice.get("/main/secret/app/-/tags/1.0/copy/", source).status_code == 200


def test_what_was_deleted_is_put_back_by_one_s_own_account(guarded: RunningRegistry, alice: SignedIn) -> None:
    digest = guarded.push("team/app", tags=["back"])
    alice.get("/main/team/app/")
    delete(alice, digest)
    assert "back" not in tags(guarded)
    page = Page(alice.get(there := reverse("action-undo", args=[Action.objects.get().pk])), there)
    assert page.status == 200
    Visitor(alice).submit(page)
    due = run.next_due(timezone.now())
    assert due
    undone = run.carry_out(due)
    assert (undone.state, undone.reason) == (Action.State.DONE, "")
    assert "back" in tags(guarded), "regui's own may only pull"


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


def delete(browser: SignedIn, digest: str) -> None:
    visitor = Visitor(browser)
    page = visitor.confirm("team/app", digest)
    assert page.status == 200, page.text
    visitor.submit(page)


def tags(registry: RunningRegistry) -> list[str]:
    with registry.connect() as client:
        return list(client.tags("team/app"))
