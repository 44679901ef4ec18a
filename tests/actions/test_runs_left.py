"""What a run says that it did once it has ended: what went, what it left though it had found it, and why."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from regui.accounts import people
from regui.accounts.access import Role
from regui.actions.models import Action, PolicyRow, Run
from regui.actions.plans import shortened
from regui.actions.retention import carrying, runs, summary, told
from tests.actions.conftest import stand  # noqa: F401 — a fixture
from tests.actions.policies import approved, begun, fill, policy, saved, work
from tests.actions.stand import ALICE, Stand
from tests.actions.test_inuse import REASON, use
from tests.actions.test_runs_meanwhile import age
from tests.people import grant, person

pytestmark = pytest.mark.django_db
# fixtures are called like the arguments that ask for them
# ruff: noqa: F811

State, Trigger = Run.State, Run.Trigger
KEPT = f"kept: {REASON}"


@pytest.fixture(autouse=True)
def alice(db: None) -> None:
    """Alice has an account: what runs while nobody is there acts with what is granted to it."""
    grant(Role.ADMIN, user=person("alice"))


def running(stand: Stand, tag: str, digest: str, name: str = "") -> None:
    """Have it told that the tag runs, and that it does for as long as these tests take."""
    use(tag=tag, on=digest, repository=name or stand.name, left=timedelta(days=36_500))


def asking(stand: Stand, *others: str, **more: Any) -> Run:
    """A run that waits for a person."""
    saved(policy(stand.name, *others, **more))
    run = work(Run.objects.get(policy="pulls"))
    assert run.state == State.ASKING
    return run


def test_what_runs_by_the_time_of_the_approval_is_left_with_the_reason(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1", "pr-2", "pr-3")
    run = asking(stand)
    running(stand, "pr-2", there["pr-2"])

    run = work(runs.approve(run, ALICE, timezone.now()))
    assert stand.tags().keys() == {"1.0", "pr-2"}
    part = run.parts.get()
    assert part.left == [["pr-2", KEPT]]
    assert (part.went, part.deleted, part.bare) == (2, 2, 0)
    assert (run.state, run.drops, run.went, run.left, run.deleted, run.bare) == (State.DONE, 3, 2, 1, 2, 0)
    assert run.frees is not None
    assert run.freed is not None
    assert 0 < run.freed < run.frees, "what it would have freed is more"


def test_a_repository_left_wholly_says_why(stand: Stand) -> None:
    other = stand.registry.unique("team/other")
    fill(stand, "1.0", "pr-1")
    there = fill(stand, "1.0", "pr-1", "pr-2", name=other)
    run = asking(stand, other)
    for tag in ("pr-1", "pr-2"):
        running(stand, tag, there[tag], other)

    run = work(runs.approve(run, ALICE, timezone.now()))
    part = run.parts.get(repository=other)
    assert part.reason == f"By now nothing of it is to go any more. pr-2 {KEPT}; pr-1 {KEPT}."
    assert part.left == [["pr-2", KEPT], ["pr-1", KEPT]]
    assert (part.action, part.went) == ("", None)
    assert (run.state, run.went, run.left) == (State.DONE, 1, 2)


def test_what_moved_or_vanished_is_said(stand: Stand) -> None:
    fill(stand, "1.0", "1.1", "1.2", "pr-1", "pr-2", "pr-3")
    run = asking(stand)
    moved = str(stand.registry.push(stand.name, tags=["pr-2"]))
    stand.client.delete_manifest(stand.name, stand.on("pr-1"))
    run = work(runs.approve(run, ALICE, timezone.now()))
    assert run.parts.get().left == [
        ["pr-2", f"kept: it moved to {shortened(moved)} meanwhile"],
        ["pr-1", "gone: it was not there any more"],
    ]
    assert (run.went, run.left, set(stand.tags())) == (1, 2, {"1.0", "1.1", "1.2", "pr-2"})


def test_what_another_policy_keeps_by_now_is_left_by_its_rule(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1", "pr-2")
    run = asking(stand)
    keep = policy(stand.name, name="careful", rules=[{"keep": "matching", "tags": ["pr-1"]}], untagged="99d")
    saved(keep)
    run = work(runs.approve(run, ALICE, timezone.now()))
    assert run.parts.get().left == [["pr-1", "kept: rule 1 of careful, matches `pr-1`"]]


def test_a_step_that_is_not_done_leaves_its_tag_with_why(stand: Stand) -> None:
    there = fill(stand, "1.0", "1.1", "pr-1", "pr-2")
    run = asking(stand)
    run = runs.approve(run, ALICE, timezone.now())
    action = carrying.started(run, run.parts.get())
    assert action
    running(stand, "pr-1", there["pr-1"])
    Action.objects.update(leased_until=None)
    run = work(run)
    part = run.parts.get()
    assert (run.state, part.went, part.deleted) == (State.PARTIAL, 1, 1)
    assert part.left == [["pr-1", f"kept: pr-1 is {REASON}."]]
    assert (run.went, run.left) == (1, 1)


def test_an_untagged_manifest_that_got_a_tag_is_left(stand: Stand) -> None:
    fill(stand, "1.0", "latest")
    old = stand.on("latest")
    fill(stand, "latest")
    age(stand.name)
    run = asking(stand, rules=[], untagged="7d")
    assert (run.untagged, run.parts.get().untagged) == (1, [old])
    content = stand.client.manifest(stand.name, old)
    assert content
    stand.client.put_manifest(stand.name, "again", content.body, content.media_type)
    run = work(runs.approve(run, ALICE, timezone.now()))
    part = run.parts.get()
    assert part.left == [[old, "kept: it hasn't been without a tag for long enough any more"]]
    assert (run.went, run.deleted, run.bare, run.freed) == (0, 0, 0, 0)
    assert stand.on(old) == old


def test_a_run_that_was_stopped_has_dropped_nothing(stand: Stand) -> None:
    fill(stand, "1.0", "1.1", "pr-1")
    run = runs.approve(asking(stand), ALICE, timezone.now())
    run = work(runs.decline(run, ALICE, timezone.now()))
    assert (run.state, run.went, run.left, run.deleted, run.freed) == (State.CANCELLED, 0, 1, 0, 0)


def test_the_summary_of_a_run_that_was_declined_counts_nothing_as_done(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1")
    run = runs.decline(asking(stand), ALICE, timezone.now())
    found = summary.of(run, timezone.now())
    assert (found["dropped"], found["left_count"], found["manifests"], found["bytes"]) == (0, 1, 0, 0)


def test_a_summary_says_what_was_done_and_what_was_left(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1", "pr-2", "pr-3")
    run = asking(stand)
    asks = summary.of(run, timezone.now())
    assert (asks["dropped"], asks["left_count"], asks["manifests"]) == (0, 0, 3)
    running(stand, "pr-2", there["pr-2"])
    run = work(runs.approve(run, ALICE, timezone.now()))
    found = summary.of(run, timezone.now())
    assert (found["drops"], found["dropped"], found["left_count"]) == (3, 2, 1)
    assert (found["manifests"], found["untagged"], found["bytes"]) == (2, 0, run.freed)
    assert found["left"] == [{"repository": stand.name, "tag": "pr-2", "reason": KEPT}]
    text = summary.text(found)
    assert "It dropped 2 of the 3 tags that were to go, and left 1." in text
    assert "2 manifests are deleted" in text
    assert f"  {stand.name}:pr-2 {KEPT}" in text
    assert f"{stand.name}:pr-2 {KEPT}" in str(summary.slack(found))


def test_programs_are_told_what_was_left(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1", "pr-2")
    run = asking(stand)
    running(stand, "pr-2", there["pr-2"])
    run = work(runs.approve(run, ALICE, timezone.now()))
    found = told.of_run(run, ALICE)
    assert (found["drops"], found["went"], found["left"], found["deleted"]) == (2, 1, 1, 1)
    (part,) = found["parts"]
    assert [one["tag"] for one in part["dropped"]] == ["pr-1"]
    assert part["left"] == [{"tag": "pr-2", "digest": there["pr-2"], "reason": KEPT}]


def test_what_a_run_left_is_not_said_to_be_dropped_when_the_next_is_compared(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1", "pr-2")
    run = asking(stand)
    running(stand, "pr-2", there["pr-2"])
    run = work(runs.approve(run, ALICE, timezone.now()))
    after = work(begun(PolicyRow.objects.get(), dry=True))
    found = runs.compared(after, run)
    assert [(where, tag) for where, tag, _ in found.no_longer] == [(stand.name, "pr-2")]


def test_who_approves_a_run_did_not_begin_it(stand: Stand) -> None:
    fill(stand, "1.0", "1.1", "pr-1")
    grant(Role.ADMIN, user=person("carol"))
    carol = people.actor_of(person("carol"))
    run = work(begun(approved(policy(stand.name, limit="10%"))))
    assert (run.state, run.begun_by, run.actor) == (State.ASKING, "alice", "alice")
    run = runs.approve(run, carol, timezone.now())
    assert (run.begun_by, run.actor, run.approved_by) == ("alice", "carol", "carol")
