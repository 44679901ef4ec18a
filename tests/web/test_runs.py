"""The pages of policies' runs: what they tell to whom, and what a person says to one that asks."""

import csv
import json
import re
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from regui.accounts.access import Role
from regui.actions.models import Action, Part, PolicyRow, Run
from tests import cleanups, factories
from tests.people import SignedIn
from tests.web.conftest import Visitor

pytestmark = pytest.mark.django_db

# What the pages cost, however many repositories and runs there are.
HISTORY, ONE_RUN = 6, 12
RUNS = "/main/-/cleanup/runs/"


@pytest.fixture
def releases() -> PolicyRow:
    """A policy of Alice's over what she administers."""
    factories.registry()
    for name in ("team/app", "team/web", "secret/app"):
        factories.repository(name)
    return cleanups.policy()


@pytest.fixture
def dora(releases: PolicyRow) -> SignedIn:
    """Dora may delete from what is her team's, and nothing else."""
    return SignedIn("dora", (Role.MAINTAINER, "team/**"))


@pytest.fixture
def otto(releases: PolicyRow) -> SignedIn:
    """Otto audits."""
    return SignedIn("otto", (Role.AUDITOR, "**"))


def test_a_run_that_asks_says_what_it_would_drop_and_why(alice: Visitor, releases: PolicyRow) -> None:
    run = cleanups.run(releases)
    page = " ".join(alice.get(f"{RUNS}{run.pk}/").text.split())
    assert "would drop 3 of 12 tags (25 %)" in page
    assert "Approve: drop 3 tags, free up to 3.2 MB" in page
    assert "pr-2" in page
    assert "dropped: rule 2, created 94 days ago" in page
    assert "Rule 1: newest 5 of <code>v*</code>" in page
    assert "Rule 2 can&#x27;t tell" in page
    assert "A rule of another policy" in page
    assert "style=" not in page


def test_it_names_the_repositories_that_would_be_left_without_a_tag(
    alice: Visitor, releases: PolicyRow
) -> None:
    run = cleanups.run(releases, {"team/app": ["1", "2", "3", "4"], "team/web": ["1"]})
    asks = alice.get(f"{RUNS}{run.pk}/").text.partition('class="names-left"')[2].partition("</div>")[0]
    assert "team/app" in asks
    assert "team/web" not in asks


def test_approving_lets_the_run_and_its_policy_go_ahead(alice: Visitor, releases: PolicyRow) -> None:
    PolicyRow.objects.update(approved="")
    run = cleanups.run(releases)
    answer = alice.post(f"{RUNS}{run.pk}/approve/")
    assert (answer.status_code, answer["Location"]) == (303, f"{RUNS}{run.pk}/")
    run.refresh_from_db()
    assert (run.state, run.approved_by) == (Run.State.RUNNING, "anonymous")
    assert PolicyRow.objects.get().is_approved
    page = alice.get(f"{RUNS}{run.pk}/").text
    assert "0 of 1 repository done" in page
    assert 'http-equiv="refresh"' in page, "it goes on without scripts, too"


def test_declining_ends_it_and_approving_comes_too_late(alice: Visitor, releases: PolicyRow) -> None:
    run = cleanups.run(releases)
    alice.post(f"{RUNS}{run.pk}/decline/")
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    assert "It asks for nothing any more." in alice.post(f"{RUNS}{run.pk}/approve/", follow=True).text
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED


def test_an_auditor_sees_runs_and_can_decide_nothing(otto: SignedIn, releases: PolicyRow) -> None:
    run = cleanups.run(releases)
    page = otto.get(f"{RUNS}{run.pk}/").text
    assert "would drop 3 of 12 tags" in page
    assert "/approve/" not in page
    for verb in ("approve", "decline", "undo"):
        assert otto.post(f"{RUNS}{run.pk}/{verb}/").status_code == 403
    run.refresh_from_db()
    assert run.state == Run.State.ASKING


def test_who_deletes_from_a_part_sees_only_what_acted_for_them(dora: SignedIn, releases: PolicyRow) -> None:
    others = cleanups.run(releases)
    mine = cleanups.run(cleanups.policy("mine", owner="dora"))
    page = dora.get(RUNS).text
    assert f'data-run="{mine.pk}"' in page
    assert others.pk not in page
    assert "releases" not in page
    assert dora.get(f"{RUNS}{others.pk}/").status_code == 404
    assert dora.post(f"{RUNS}{others.pk}/approve/").status_code == 404


def test_a_run_of_ones_own_counts_the_repositories_one_may_not_see_any_more(dora: SignedIn) -> None:
    found = {"team/app": ["pr-1"], "secret/app": ["pr-1", "pr-2"]}
    run = cleanups.run(cleanups.policy("mine", owner="dora"), found, reason="would empty secret/app")
    for address in ("", "?format=csv", "?format=json"):
        assert "secret" not in dora.get(f"{RUNS}{run.pk}/{address}").text, address
    assert dora.get(f"{RUNS}{run.pk}/in/secret/app/").status_code == 404
    page = dora.get(f"{RUNS}{run.pk}/").text
    assert "and 1 you may not see" in page
    assert "Why is told to who may see all" in page
    assert "3.2 MB" not in page.partition('class="stats"')[2]


def test_readers_and_strangers_are_kept_out(bob: SignedIn, someone: Visitor, releases: PolicyRow) -> None:
    run = cleanups.run(releases)
    for address in (RUNS, f"{RUNS}{run.pk}/", f"{RUNS}{run.pk}/undo/"):
        assert bob.get(address).status_code == 403
        assert someone.get(address).status_code == 302
    assert "Clean up" not in bob.get("/main/-/storage/").text


def test_history_is_filtered_by_policy_and_state(alice: Visitor, releases: PolicyRow) -> None:
    asking = cleanups.run(releases)
    done = cleanups.run(cleanups.policy("nightly"), state=Run.State.DONE)
    assert asking.pk in alice.get(RUNS, {"policy": "releases"}).text
    assert done.pk not in alice.get(RUNS, {"policy": "releases"}).text
    page = alice.get(RUNS, {"state": "done"}).text
    assert done.pk in page
    assert asking.pk not in page
    assert "No such run" in alice.get(RUNS, {"state": "failed"}).text


def test_files_have_every_tag_with_its_reason(alice: Visitor, releases: PolicyRow) -> None:
    tags = [f"pr-{number}" for number in range(40)]
    run = cleanups.run(releases, {"team/app": tags, "team/web": ["=cmd"]})
    table = alice.get(f"{RUNS}{run.pk}/?format=csv").text.splitlines()
    assert len(table) == 42
    assert table[0] == "registry,policy,run,repository,tag,digest,reason,result"
    assert "'=cmd" in table[-1], "no formula for a spreadsheet"
    document = json.loads(alice.get(f"{RUNS}{run.pk}/?format=json").text)
    assert [one["tag"] for one in document["parts"][0]["dropped"]] == tags
    assert document["drops"] == 41
    assert document["parts"][0]["dropped"][0]["reason"] == cleanups.WHY


def test_many_tags_of_a_repository_have_a_page_of_their_own(alice: Visitor, releases: PolicyRow) -> None:
    run = cleanups.run(releases, {"team/app": [f"pr-{number}" for number in range(60)]})
    assert "and 50 more" in alice.get(f"{RUNS}{run.pk}/").text
    page = alice.get(f"{RUNS}{run.pk}/in/team/app/", {"page": "2"}).text
    assert 'data-tag="pr-59"' in page
    assert 'data-tag="pr-1"' not in page


def test_what_the_run_before_did_not_drop_is_named(alice: Visitor, releases: PolicyRow) -> None:
    cleanups.run(releases, {"team/app": ["pr-1", "pr-2"]}, state=Run.State.DRY)
    run = cleanups.run(releases, {"team/app": ["pr-2", "pr-3"]})
    page = alice.get(f"{RUNS}{run.pk}/").text.partition('id="since"')[2].partition("</section>")[0]
    newly, _, no_longer = page.partition("no longer dropped")
    assert "1 newly dropped" in newly
    assert "team/app:pr-3" in newly
    assert "team/app:pr-1" in no_longer


def test_undoing_asks_first_and_then_has_it_taken_back(alice: Visitor, releases: PolicyRow) -> None:
    run = cleanups.run(releases, state=Run.State.DONE, approved_by="alice")
    moment = run.started_at
    action = Action.objects.create(
        registry="main",
        repository="team/app",
        kind="delete-tags",
        actor="alice",
        state=Action.State.DONE,
        started_at=moment,
        plan={"asked": {"tags": ["pr-1"]}},
    )
    Part.objects.update(action=action.pk, done=True)
    assert f"{RUNS}{run.pk}/undo/" in alice.get(f"{RUNS}{run.pk}/").text
    page = " ".join(alice.get(f"{RUNS}{run.pk}/undo/").text.split())
    assert "comes back in 1 repository" in page
    run.refresh_from_db()
    assert run.undo_at is None, "asking changes nothing"
    answer = alice.post(f"{RUNS}{run.pk}/undo/")
    assert answer.status_code == 303
    run.refresh_from_db()
    assert run.undo_by == "anonymous"
    assert "anonymous takes this run back" in alice.get(f"{RUNS}{run.pk}/").text


def test_history_costs_the_same_however_long_it_is(
    alice: Visitor, releases: PolicyRow, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        cleanups.run(releases)
        with django_assert_num_queries(HISTORY):
            alice.get(RUNS)


def test_a_run_costs_the_same_however_much_it_found(
    alice: Visitor, releases: PolicyRow, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (1, 20):
        run = cleanups.run(releases, {f"team/app{number}": ["a"] * 30 for number in range(count)})
        with django_assert_num_queries(ONE_RUN):
            alice.get(f"{RUNS}{run.pk}/")
        Run.objects.all().delete()


def test_an_action_leads_those_who_may_look_to_its_policy_and_run(
    alice: Visitor, bob: SignedIn, dora: SignedIn, releases: PolicyRow
) -> None:
    run = cleanups.run(releases, state=Run.State.DONE)
    action = Action.objects.create(
        registry="main",
        repository="team/app",
        kind="retain",
        actor="alice",
        state=Action.State.DONE,
        started_at=run.started_at,
        plan={"asked": {"policy": "releases", "run": run.pk, "tags": ["pr-1"], "digests": []}},
    )
    page = alice.get(f"/-/actions/{action.pk}/").text
    assert f'<a class="link" href="{RUNS}{run.pk}/">this run</a>' in page
    assert '<a class="mono" href="/main/-/cleanup/policies/releases/">releases</a>' in page

    for one in (bob, dora):  # who reads, and who has policies of their own
        page = one.get(f"/-/actions/{action.pk}/").text
        assert '<span class="mono">releases</span>' in page
        assert "/-/cleanup/policies/" not in page
        assert "/-/cleanup/runs/" not in page

    Run.objects.all().delete()
    PolicyRow.objects.all().delete()
    page = alice.get(f"/-/actions/{action.pk}/").text
    assert '<span class="mono">releases</span>' in page
    assert "/-/cleanup/runs/" not in page


RAN = "kept: running in prod-cluster since 2026-07-31 20:00 UTC"


def ended(row: PolicyRow, **more: Any) -> Run:
    """A run of two repositories that has ended: of the one a tag was left, the other was skipped."""
    found = {"team/app": ["pr-1", "pr-2", "pr-3"], "team/web": ["pr-1", "pr-2"]}
    did = {"went": 2, "deleted": 2, "bare": 0, "freed": 1_100_000}
    values = {"state": Run.State.DONE, "reason": "", "finished_at": timezone.now()} | did | more
    run = cleanups.run(row, found, **values)
    action = Action.objects.create(
        registry="main",
        repository="team/app",
        kind="retain",
        actor="alice",
        state=Action.State.DONE,
        started_at=run.started_at,
        plan={"asked": {"policy": "releases", "run": run.pk, "tags": ["pr-1", "pr-3"], "digests": []}},
    )
    app, web = run.parts.filter(repository="team/app"), run.parts.filter(repository="team/web")
    app.update(action=action.pk, done=True, left=[["pr-2", RAN]], **did)
    web.update(done=True, left=[["pr-1", RAN]], reason="By now nothing of it is to go any more.")
    return run


def flat(page: str) -> str:
    """The text of a page without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_run_that_ended_says_what_it_did_and_what_it_left(alice: Visitor, releases: PolicyRow) -> None:
    run = ended(releases)
    page = alice.get(f"{RUNS}{run.pk}/").text
    said = flat(page)
    assert "Dropped 2 of 5 tags to drop; 3 left" in said
    assert "Digests deleted 2 with their layers that nothing else needs; planned were 5" in said
    assert "Frees 1.1 MB once the registry collects its garbage; planned were up to 3.2 MB" in said
    assert "To drop" not in said
    app = flat(page.partition('data-repository="team/app"')[2].partition("</tr>")[0])
    assert f"pr-2 left , {RAN} pr-1" in app
    assert "2 of 4 1 left" in app
    web = flat(page.partition('data-repository="team/web"')[2].partition("</tr>")[0])
    assert f"pr-1 left , {RAN}" in web
    assert "pr-2 left , skipped: By now nothing of it is to go any more." in web
    assert "0 of 4 2 left" in web
    assert "dropped:" not in web
    part = flat(alice.get(f"{RUNS}{run.pk}/in/team/app/").text)
    assert "2 of 4 tags, 1 left" in part


def test_files_of_a_run_that_ended_tell_what_went_from_what_was_left(
    alice: Visitor, releases: PolicyRow
) -> None:
    run = ended(releases)
    text = alice.get(f"{RUNS}{run.pk}/?format=csv").text
    lines = {(one["repository"], one["tag"]): one for one in csv.DictReader(text.splitlines())}
    assert len(lines) == 5
    for place, reason, result in [
        (("team/app", "pr-1"), cleanups.WHY, "done"),
        (("team/app", "pr-2"), RAN, "left"),
        (("team/web", "pr-1"), RAN, "skipped"),
        (("team/web", "pr-2"), "skipped: By now nothing of it is to go any more.", "skipped"),
    ]:
        assert (lines[place]["reason"], lines[place]["result"]) == (reason, result)
    document = json.loads(alice.get(f"{RUNS}{run.pk}/?format=json").text)
    assert (document["drops"], document["went"], document["left"], document["freed"]) == (5, 2, 3, 1_100_000)
    app, web = document["parts"]
    assert [one["tag"] for one in app["dropped"]] == ["pr-1", "pr-3"]
    assert [(one["tag"], one["reason"]) for one in app["left"]] == [("pr-2", RAN)]
    assert (web["dropped"], [one["tag"] for one in web["left"]]) == ([], ["pr-1", "pr-2"])


def test_lists_and_the_undo_page_say_what_went(alice: Visitor, releases: PolicyRow) -> None:
    run = ended(releases)
    row = flat(alice.get(RUNS).text.partition(f'data-run="{run.pk}"')[2].partition("</tr>")[0])
    assert "2 of 14 tags, 3 left 1.1 MB" in row
    assert "2 tags come back" in flat(alice.get(f"{RUNS}{run.pk}/undo/").text)
    assert "2 tags dropped, 3 left, 1.1 MB" in flat(alice.get("/main/-/cleanup/policies/").text)
    asks = cleanups.run(cleanups.policy("nightly"))
    row = flat(alice.get(RUNS).text.partition(f'data-run="{asks.pk}"')[2].partition("</tr>")[0])
    assert "would be 3 of 12 tags up to 3.2 MB" in row


def test_who_approved_a_run_is_not_said_to_have_begun_it(alice: Visitor, releases: PolicyRow) -> None:
    values = {"trigger": Run.Trigger.COMMAND, "actor": "carol", "approved_by": "carol"}
    run = ended(releases, begun_by="local:root", approved_at=timezone.now(), **values)
    said = flat(alice.get(f"{RUNS}{run.pk}/").text)
    assert "from the command line by local:root" in said
    assert "approved by carol" in said
    Run.objects.update(begun_by="")
    assert "from the command line by somebody" in flat(alice.get(f"{RUNS}{run.pk}/").text)


def test_a_run_is_looked_at_again_until_all_of_it_is_taken_back(alice: Visitor, releases: PolicyRow) -> None:
    now = timezone.now()
    run = ended(releases, undo_by="alice", undo_at=now, undone_at=now)
    done = Action.objects.get()
    back = Action.objects.create(
        registry="main",
        repository="team/app",
        kind="undo",
        actor="alice",
        state=Action.State.RUNNING,
        started_at=now,
        undoes=done.pk,
    )
    page = alice.get(f"{RUNS}{run.pk}/").text
    assert 'hx-trigger="load delay:2s"' in page
    assert "being taken back" in flat(page)
    assert "being taken back" in flat(alice.get(RUNS).text)

    Action.objects.filter(pk=back.pk).update(state=Action.State.DONE)
    Action.objects.filter(pk=done.pk).update(state=Action.State.UNDONE)
    page = alice.get(f"{RUNS}{run.pk}/").text
    assert "load delay" not in page
    for address in (f"{RUNS}{run.pk}/", RUNS, "/main/-/cleanup/policies/releases/"):
        assert re.search(r"<span class=\"pill plain\">.*?taken back</span>", alice.get(address).text), address


def test_history_costs_one_query_more_however_much_was_taken_back(
    alice: Visitor, releases: PolicyRow, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        ended(releases, undo_by="alice", undo_at=timezone.now(), undone_at=timezone.now())
        with django_assert_num_queries(HISTORY + 1):
            alice.get(RUNS)


def test_a_run_that_asks_leads_to_each_tag_while_its_policy_is_the_same(
    alice: Visitor, releases: PolicyRow
) -> None:
    run = cleanups.run(releases)
    link = 'href="/main/-/cleanup/policies/releases/tags/"'
    assert link in alice.get(f"{RUNS}{run.pk}/").text
    assert alice.get("/main/-/cleanup/policies/releases/tags/").status_code == 200
    PolicyRow.objects.update(document=releases.document | {"otherwise": "drop"})
    assert link not in alice.get(f"{RUNS}{run.pk}/").text
    PolicyRow.objects.all().delete()
    assert link not in alice.get(f"{RUNS}{run.pk}/").text
