"""What happens to policies, their owners and their runs between what a run found and what it does."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui.accounts import people
from regui.accounts.access import Actor, Role
from regui.actions import untag
from regui.actions.models import Action, PolicyRow, Run
from regui.actions.retention import book, finding, runs, turns
from regui.index.models import Registry, Revision, TagMove
from tests.actions.conftest import stand  # noqa: F401 — a fixture
from tests.actions.policies import approved, begun, fill, policy, saved, silent, work
from tests.actions.stand import ALICE, Stand
from tests.people import grant, person

pytestmark = pytest.mark.django_db
# fixtures are called like the arguments that ask for them
# ruff: noqa: F811

State = Run.State


@pytest.fixture(autouse=True)
def alice(db: None) -> None:
    """Alice has an account: what runs while nobody is there acts with what is granted to it."""
    grant(Role.ADMIN, user=person("alice"))


@pytest.fixture
def mia(stand: Stand, settings: Settings) -> Actor:
    """Mia may delete from the repository and from nothing else."""
    settings.ANONYMOUS_ROLE = "none"
    grant(Role.MAINTAINER, stand.name, user=person("mia"))
    return people.actor_of(person("mia"))


def deciding(run: Run) -> turns.Turn:
    """The turn of a worker that has begun to decide."""
    mine = turns.claim(run, timezone.now())
    assert mine
    turn = turns.Turn(mine)
    turn.write(state=State.DECIDING)
    return turn


def test_who_approves_what_another_found_does_not_let_the_policy_reach_further(
    stand: Stand, mia: Actor
) -> None:
    other = stand.registry.unique("team/other")
    fill(stand, "1.0", "1.1", "pr-1")
    there = fill(stand, "1.0", "1.1", "pr-1", name=other)
    saved(policy(stand.name, other), mia)
    run = work(Run.objects.get())
    assert (run.state, run.drops) == (State.ASKING, 1), "of one repository"
    assert work(runs.approve(run, ALICE, timezone.now())).state == State.DONE

    row = PolicyRow.objects.get()
    assert (row.owner, row.is_approved) == ("mia", True), "what was shown is what mia may"
    PolicyRow.objects.update(next_at=timezone.now())
    (next_run,) = runs.scheduled(timezone.now())
    assert work(next_run).state == State.DONE
    assert Stand(stand.registry, stand.client, other).tags() == there


def test_who_may_just_as_much_takes_a_policy_on_by_approving_it(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1")
    grant(Role.MAINTAINER, user=person("carol"))
    carol = people.actor_of(person("carol"))
    saved(policy(stand.name))
    runs.approve(work(Run.objects.get()), carol, timezone.now())
    assert PolicyRow.objects.get().owner == "carol"


def test_a_run_that_is_stopped_while_it_decides_asks_nobody(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1")
    saved(policy(stand.name))
    turn = deciding(Run.objects.get())
    found = finding.Finding(turn, Registry.objects.get(), ALICE)
    found.look()
    runs.decline(Run.objects.get(), ALICE, timezone.now())
    run = found.concluded()
    assert (run.state, run.reason) == (State.CANCELLED, "alice declined it.")
    assert work(runs.approve(run, ALICE, timezone.now())).state == State.CANCELLED
    assert stand.tags() == there
    assert not PolicyRow.objects.get().is_approved


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_run_whose_policy_is_another_by_now_can_not_be_approved(stand: Stand, how: str) -> None:
    there = fill(stand, "1.0", "pr-1")
    row = saved(policy(stand.name))
    run = work(Run.objects.get())
    assert run.state == State.ASKING
    # As if the change had come in the same moment in which the run began to ask.
    if how == "removed":
        PolicyRow.objects.all().delete()
    else:
        careful = policy(stand.name, rules=[{"drop": "matching", "tags": ["nothing"]}])
        PolicyRow.objects.filter(pk=row.pk).update(document=careful.plain())
    run = work(runs.approve(run, ALICE, timezone.now()))
    assert (run.state, run.reason) == (State.CANCELLED, f"The policy was {how} meanwhile.")
    assert stand.tags() == there
    assert not Action.objects.exists()


def test_a_run_is_of_the_policy_as_it_is_kept_not_as_somebody_still_sees_it(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1")
    seen = approved(policy(stand.name))
    kept = book.save(ALICE, Registry.objects.get(), policy(stand.name, untagged="7d"), timezone.now(), seen)
    Run.objects.all().delete()
    stale = PolicyRow(**{**PolicyRow.objects.values().get(), "document": policy(stand.name).plain()})
    run = begun(stale)
    assert run.document == kept.document
    assert work(run).state == State.ASKING, "nobody approved that"


def test_what_a_schedule_began_stops_when_its_policy_is_paused(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1")
    row = approved(policy(stand.name, schedule="0 3 * * *"))
    PolicyRow.objects.update(next_at=timezone.now())
    (run,) = runs.scheduled(timezone.now())
    row.refresh_from_db()
    book.pause(row, ALICE, timezone.now(), paused=True)
    run = work(run)
    assert (run.state, run.reason) == (State.CANCELLED, "The policy was paused meanwhile.")
    assert stand.tags() == there
    assert work(begun(row)).state == State.DONE, "by hand it runs all the same"


def test_what_a_paused_policy_keeps_no_other_drops(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1", "pr-2")
    keep = policy(stand.name, name="careful", rules=[{"keep": "matching", "tags": ["pr-1"]}], untagged="99d")
    book.pause(approved(keep), ALICE, timezone.now(), paused=True)
    assert work(begun(approved(policy(stand.name)))).state == State.DONE
    assert stand.tags() == {"1.0": there["1.0"], "pr-1": there["pr-1"]}


def test_what_an_edit_would_give_up_stays_until_it_is_approved(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1", "pr-2")
    careful: dict[str, Any] = {
        "name": "careful",
        "rules": [{"keep": "matching", "tags": ["pr-1"]}],
        "untagged": "99d",
    }
    first = saved(policy(stand.name, **careful))
    runs.approve(work(Run.objects.get()), ALICE, timezone.now())
    gone = policy(stand.name, **careful | {"rules": [{"keep": "matching", "tags": ["pr-2"]}]})
    edited = book.save(ALICE, Registry.objects.get(name="main"), gone, timezone.now(), first)
    waiting = work(Run.objects.get(state=State.WAITING))

    pulls = approved(policy(stand.name))
    assert work(begun(pulls)).drops == 0, "of either form"
    runs.approve(waiting, ALICE, timezone.now())
    edited.refresh_from_db()
    assert edited.keeping == [edited.policy]
    run = work(begun(pulls))
    assert [row for part in run.parts.all() for row in part.dropped] == [
        ["pr-1", there["pr-1"], "dropped: rule 1, matches `pr-*`"]
    ]
    assert stand.tags() == {"1.0": there["1.0"], "pr-2": there["pr-2"]}


def test_what_is_taken_back_keeps_what_it_kept(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1")
    row = approved(policy(stand.name))
    runs.undo(work(begun(row)), ALICE, timezone.now())
    row.refresh_from_db()
    assert (row.approved, row.keeping) == ("", [row.policy]), "it wasn't changed"


def test_a_run_that_deletes_all_of_a_repository_without_tags_asks_first(stand: Stand) -> None:
    fill(stand, "1.0", "1.1", "1.2")
    other = stand.registry.unique("team/bare")
    there = fill(stand, "a", name=other)
    bare = Stand(stand.registry, stand.client, other)
    bare.run(untag.look(bare.repository, "a"))
    age(other)
    run = work(begun(approved(policy(other, rules=[], untagged="7d"))))
    assert (run.state, run.reason) == (
        State.ASKING,
        "It would delete all that is left of 1 repository without tags.",
    )
    assert bare.on(there["a"]) == there["a"]


def age(name: str) -> None:
    """As if all of a repository had been there for long."""
    at = timezone.now() - timedelta(days=9)
    Revision.objects.filter(repository__name=name).update(first_seen_at=at)
    TagMove.objects.filter(repository=name).update(at=at)


def test_what_a_run_asks_is_said_once(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1", "pr-2", "pr-3")
    saved(policy(stand.name, limit="40%"))
    run = work(Run.objects.get())
    assert run.reason == (
        "Nobody has approved this policy yet. It would drop 3 of 4 tags (75 %), more than 40 %."
    )


def test_what_was_taken_back_does_not_go_again_until_a_person_says_so(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1")
    row = approved(policy(stand.name, schedule="0 3 * * *"))
    run = work(begun(row))
    assert run.state == State.DONE
    work(runs.undo(run, ALICE, timezone.now()))
    PolicyRow.objects.update(next_at=timezone.now())
    assert runs.scheduled(timezone.now()) == []
    row.refresh_from_db()
    assert work(begun(row)).state == State.ASKING
    assert stand.tags() == there


def test_what_was_found_for_one_owner_is_not_what_the_next_approves(stand: Stand, mia: Actor) -> None:
    other = stand.registry.unique("team/other")
    fill(stand, "1.0", "pr-1")
    fill(stand, "1.0", "pr-1", name=other)
    row = saved(policy(stand.name, other), mia)
    first = Run.objects.get()
    book.save(ALICE, Registry.objects.get(), policy(stand.name, other), timezone.now(), row)
    first.refresh_from_db()
    assert first.state == State.CANCELLED
    run = work(Run.objects.exclude(pk=first.pk).get())
    assert (run.state, run.actor, run.drops) == (State.ASKING, "alice", 2)


def test_a_run_that_only_waits_for_its_next_try_ends_as_soon_as_it_is_stopped(
    stand: Stand, settings: Settings
) -> None:
    run = silent(stand, settings)
    runs.decline(run, ALICE, timezone.now())
    mine = turns.next_due(timezone.now())
    assert mine == run
    ended = runs.carry_out(mine)
    assert (ended.state, ended.reason) == (State.CANCELLED, "alice declined it. Stopped after 0 of 1.")


def test_a_dry_run_does_not_wait_for_one_that_waits_for_its_registry(
    stand: Stand, settings: Settings
) -> None:
    run = silent(stand, settings)
    dry = turns.claim(begun(PolicyRow.objects.get(), dry=True), timezone.now())
    assert dry
    Run.objects.filter(pk=run.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    assert turns.claim(run, timezone.now()) is None, "they are never at it together"
    assert runs.carry_out(dry).state == State.DRY
    assert turns.claim(run, timezone.now())


def test_a_run_that_somebody_is_at_is_left_to_them_when_it_is_stopped(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1")
    run = begun(approved(policy(stand.name)))
    turn = deciding(run)
    runs.decline(run, ALICE, timezone.now())
    assert turns.next_due(timezone.now()) is None
    assert runs.carry_out(turn.run).state == State.CANCELLED
