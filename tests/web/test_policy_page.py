"""The page of one policy: its rules in words, when it runs, and its buttons."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from regui.accounts.access import Role
from regui.actions.models import Part, PolicyRow, Run
from regui.actions.retention import runs
from tests import cleanups, factories
from tests.actions.stand import ALICE
from tests.people import SignedIn
from tests.web.conftest import Visitor

pytestmark = pytest.mark.django_db

ADDRESS = "/main/-/cleanup/policies/releases/"
# What the page costs, however many runs there are.
PAGE = 5


@pytest.fixture
def releases() -> PolicyRow:
    factories.repository("team/app")
    return cleanups.policy()


def test_it_says_each_rule_with_its_number_and_when_it_runs(alice: Visitor, releases: PolicyRow) -> None:
    page = " ".join(alice.get(ADDRESS).text.split())
    assert (
        '<span class="nth">1</span><span class="pill ok">keep</span><span>Newest 5 of <code>v*</code>' in page
    )
    assert '<span class="nth">2</span><span class="pill bad">drop</span>' in page
    assert "Otherwise: every tag that no rule speaks of" in page
    assert "at 03:00 every day UTC" in page
    assert page.count(" 03:00 UTC</time>") == 3
    assert "more than 30 % of the tags" in page
    assert "acts with the rights of alice" in page
    assert "style=" not in page


def test_where_no_share_is_too_much_only_whole_repositories_are_asked_about(alice: Visitor) -> None:
    factories.repository("team/app")
    cleanups.policy(limit="100%", schedule="* * * * *")
    page = " ".join(alice.get(ADDRESS).text.split())
    assert "<dd>when it would drop every tag of a repository</dd>" in page
    assert "in less than a minute" in page
    assert "just now" not in page.partition('id="next"')[2].partition("</ul>")[0]


def test_what_waits_is_the_first_thing_to_do(alice: Visitor, releases: PolicyRow) -> None:
    PolicyRow.objects.update(approved="", allowed=None)
    assert "Nobody has approved it as it is now." in alice.get(ADDRESS).text
    run = cleanups.run(releases)
    page = alice.get(ADDRESS).text
    assert "releases waits for you" in page
    assert f'<a class="btn primary" href="/main/-/cleanup/runs/{run.pk}/">Look at it and decide</a>' in page
    assert "waits for you before anything is cleaned up" in alice.get("/main/").text


def test_an_edit_says_that_what_was_kept_before_still_is(alice: Visitor, releases: PolicyRow) -> None:
    words = "other policies go by what it kept then, too"
    cleanups.run(releases, state=Run.State.DONE, approved_by="alice", approved_at=timezone.now())
    assert words not in alice.get(ADDRESS).text
    changed = releases.document | {"rules": releases.document["rules"][:1]}
    PolicyRow.objects.update(document=changed)
    assert words in alice.get(ADDRESS).text


def test_a_run_that_waits_is_led_to_whatever_was_tried_since(alice: Visitor, releases: PolicyRow) -> None:
    PolicyRow.objects.update(approved="")
    now = timezone.now()
    run = cleanups.run(releases, started_at=now - timedelta(hours=1))
    for tries in (1, 12):
        for _ in range(tries):
            cleanups.run(releases, state=Run.State.DRY, dry=True)
        page = alice.get(ADDRESS).text
        assert f'href="/main/-/cleanup/runs/{run.pk}/">Look at it and decide</a>' in page
        assert "Run it: it looks first" not in page
        assert "waits for approval" in alice.get("/main/-/cleanup/policies/").text


def test_after_an_undo_it_says_so_instead_of_that_nobody_approved_it(
    alice: Visitor, releases: PolicyRow
) -> None:
    then = timezone.now() - timedelta(minutes=1)
    run = cleanups.run(
        releases, state=Run.State.DONE, approved_by="alice", approved_at=then, finished_at=then
    )
    assert runs.undo(run, ALICE, timezone.now()).undo_at is None, "no action of it is there"
    Part.objects.update(action="0123456789abcdef")
    runs.undo(run, ALICE, timezone.now())
    Run.objects.update(undone_at=timezone.now())
    page = " ".join(alice.get(ADDRESS).text.split())
    assert "A run of it was undone: it waits to be approved again." in page
    assert f'href="/main/-/cleanup/runs/{run.pk}/">undone</a>' in page
    assert "Nobody has approved it" not in page
    assert "not approved yet" not in page
    assert "to be approved again</span>" in alice.get("/main/-/cleanup/policies/").text
    # What was edited since waits for another reason.
    PolicyRow.objects.update(document=releases.document | {"rules": releases.document["rules"][:1]})
    page = alice.get(ADDRESS).text
    assert "Nobody has approved it as it is now." in page
    assert "A run of it was undone" not in page


def test_running_and_trying_lead_to_the_run(alice: Visitor, releases: PolicyRow) -> None:
    for verb, dry in (("try", True), ("run", False)):
        answer = alice.post(f"{ADDRESS}{verb}/")
        run = Run.objects.get(dry=dry)
        assert (answer.status_code, answer["Location"]) == (303, f"/main/-/cleanup/runs/{run.pk}/")
        assert "It begins as soon as a worker is free" in alice.get(answer["Location"]).text


def test_it_rests_and_goes_on(alice: Visitor, releases: PolicyRow) -> None:
    alice.post(f"{ADDRESS}pause/")
    assert PolicyRow.objects.get().paused
    page = alice.get(ADDRESS).text
    assert "not while it is paused" in page
    assert f"{ADDRESS}resume/" in page
    alice.post(f"{ADDRESS}resume/")
    row = PolicyRow.objects.get()
    assert (row.paused, row.next_at is None) == (False, False)


def test_removing_asks_first_and_leaves_the_runs(alice: Visitor, releases: PolicyRow) -> None:
    run = cleanups.run(releases, state=Run.State.DONE)
    assert "Remove releases?" in alice.get(f"{ADDRESS}remove/").text
    assert PolicyRow.objects.exists()
    answer = alice.post(f"{ADDRESS}remove/")
    assert answer.status_code == 303
    assert not PolicyRow.objects.exists()
    assert "releases" in alice.get(f"/main/-/cleanup/runs/{run.pk}/").text


def test_an_auditor_sees_it_without_buttons(releases: PolicyRow) -> None:
    otto = SignedIn("otto", (Role.AUDITOR, "**"))
    page = otto.get(ADDRESS).text
    assert "Newest 5 of" in page
    assert f"{ADDRESS}run/" not in page
    for verb in ("run", "try", "pause", "resume", "remove"):
        assert otto.post(f"{ADDRESS}{verb}/").status_code == 403, verb
    assert not Run.objects.exists()


def test_others_policies_are_not_there_for_who_deletes_from_a_part(releases: PolicyRow) -> None:
    dora = SignedIn("dora", (Role.MAINTAINER, "team/**"))
    assert dora.get(ADDRESS).status_code == 404
    assert dora.post(f"{ADDRESS}run/").status_code == 404
    cleanups.policy("mine", owner="dora")
    assert dora.get("/main/-/cleanup/policies/mine/").status_code == 200
    assert dora.post("/main/-/cleanup/policies/mine/try/").status_code == 303


def test_readers_are_told_what_it_takes(bob: SignedIn, releases: PolicyRow) -> None:
    assert bob.get(ADDRESS).status_code == 403


def test_a_policy_costs_the_same_however_often_it_ran(
    alice: Visitor, releases: PolicyRow, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        cleanups.run(releases)
        with django_assert_num_queries(PAGE):
            alice.get(ADDRESS)
