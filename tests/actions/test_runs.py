"""Runs of policies on a real registry: what is asked, what goes, what stays, and what comes back."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui.accounts import people
from regui.accounts.access import Actor, Forbidden, Role
from regui.accounts.models import Grant
from regui.actions.models import Action, Part, PolicyRow, Run
from regui.actions.retention import book, carrying, runs, turns
from regui.index.models import Registry, Revision, Tag, TagMove
from regui.registries import RegistrySettings
from tests import images
from tests.actions.conftest import stand  # noqa: F401 — a fixture
from tests.actions.policies import acted, approved, begun, fill, policy, read, saved, silent, work
from tests.actions.stand import ALICE, Stand
from tests.people import grant, person

pytestmark = pytest.mark.django_db
# fixtures are called like the arguments that ask for them
# ruff: noqa: F811

State, Trigger = Run.State, Run.Trigger


@pytest.fixture(autouse=True)
def alice(db: None) -> None:
    """Alice has an account: what runs while nobody is there acts with what is granted to it."""
    grant(Role.ADMIN, user=person("alice"))


def test_a_policy_saved_for_the_first_time_changes_nothing_until_a_person_says_so(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-2", "pr-10")
    row = saved(policy(stand.name))
    run = work(Run.objects.get(policy=row.name))

    assert (run.state, run.trigger) == (State.ASKING, Trigger.FIRST)
    assert run.reason == "Nobody has approved this policy yet. It would drop 2 of 3 tags."
    assert (run.repositories, run.tags, run.keeps, run.drops, run.manifests) == (1, 3, 1, 2, 2)
    part = run.parts.get()
    assert [(tag, digest) for tag, digest, _ in part.dropped] == [
        (tag, there[tag]) for tag in ("pr-10", "pr-2")
    ]
    assert {reason.partition(",")[0] for _, _, reason in part.dropped} == {"dropped: rule 1"}
    assert stand.tags() == there
    assert not Action.objects.exists()

    run = work(runs.approve(run, ALICE, timezone.now()))
    assert (run.state, run.reason, run.approved_by) == (State.DONE, "", "alice")
    assert stand.tags() == {"1.0": there["1.0"]}
    assert PolicyRow.objects.get().is_approved
    assert [(one.actor, one.state) for one in acted(run)] == [("alice", "done")]


def test_a_declined_run_changes_nothing_and_its_policy_goes_on_waiting(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1")
    row = saved(policy(stand.name))
    run = runs.decline(work(Run.objects.get()), ALICE, timezone.now())
    assert (run.state, run.reason) == (State.CANCELLED, "alice declined it.")
    assert work(runs.approve(run, ALICE, timezone.now())).state == State.CANCELLED
    assert stand.tags() == there
    row.refresh_from_db()
    assert not row.is_approved
    PolicyRow.objects.update(next_at=timezone.now())
    assert runs.scheduled(timezone.now()) == []


def test_a_run_of_an_approved_policy_asks_nobody(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1")
    run = work(begun(approved(policy(stand.name))))
    assert run.state == State.DONE
    assert stand.tags() == {"1.0": there["1.0"]}
    assert stand.indexed() == {"1.0": there["1.0"]}


def test_a_dry_run_changes_nothing_and_asks_nothing(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1")
    run = work(begun(approved(policy(stand.name)), dry=True))
    assert (run.state, run.drops, run.parts.count()) == (State.DRY, 1, 1)
    assert stand.tags() == there
    assert not Action.objects.exists()


def test_a_run_that_would_drop_more_than_its_limit_asks_first(stand: Stand) -> None:
    there = fill(stand, "1.0", "1.1", "1.2", "pr-1", "pr-2")
    run = work(begun(approved(policy(stand.name, limit="30%"))))
    assert (run.state, run.reason) == (
        State.ASKING,
        "It would drop 2 of 5 tags (40 %), more than 30 %.",
    )
    assert stand.tags() == there
    assert work(runs.approve(run, ALICE, timezone.now())).state == State.DONE
    assert stand.tags().keys() == {"1.0", "1.1", "1.2"}


def test_just_as_much_as_the_limit_asks_nobody(stand: Stand) -> None:
    fill(stand, "1.0", "1.1", "1.2", "pr-1", "pr-2")
    assert work(begun(approved(policy(stand.name, limit="40%")))).state == State.DONE


def test_a_run_that_would_leave_a_repository_without_a_tag_asks_first(stand: Stand) -> None:
    other = stand.registry.unique("team/other")
    fill(stand, "1.0", "1.1", "1.2")
    fill(stand, "pr-1", name=other)
    run = work(begun(approved(policy(stand.name, other))))
    assert (run.state, run.reason) == (State.ASKING, "It would leave 1 repository without a tag.")


def test_what_was_pushed_since_a_run_decided_is_not_dropped(stand: Stand) -> None:
    there = fill(stand, "1.0", "1.1", "pr-1", "pr-2")
    run = work(begun(approved(policy(stand.name, limit="10%"))))
    assert run.state == State.ASKING
    moved = str(stand.registry.push(stand.name, tags=["pr-2"]))
    new = str(stand.registry.push(stand.name, tags=["pr-3"]))

    run = work(runs.approve(run, ALICE, timezone.now()))
    assert run.state == State.DONE
    assert stand.tags() == {"1.0": there["1.0"], "1.1": there["1.1"], "pr-2": moved, "pr-3": new}


def test_what_is_gone_meanwhile_is_no_failure(stand: Stand) -> None:
    fill(stand, "1.0", "1.1", "pr-1")
    run = work(begun(approved(policy(stand.name, limit="10%"))))
    stand.client.delete_manifest(stand.name, stand.on("pr-1"))
    run = work(runs.approve(run, ALICE, timezone.now()))
    assert run.parts.get().reason == (
        "By now nothing of it is to go any more. pr-1 gone: it was not there any more."
    )
    assert run.state == State.DONE


def test_all_of_a_run_comes_back_with_the_same_digests(stand: Stand) -> None:
    other = stand.registry.unique("team/other")
    here = fill(stand, "1.0", "pr-1", "pr-2")
    index = images.index()
    stand.registry.push_built(other, index, ["pr-1"])
    there = fill(stand, "2.0", name=other) | {"pr-1": str(index.digest)}
    run = work(begun(approved(policy(stand.name, other))))
    away = Stand(stand.registry, stand.client, other)
    assert (set(stand.tags()), set(away.tags())) == ({"1.0"}, {"2.0"})

    run = work(runs.undo(run, ALICE, timezone.now()))
    assert (stand.tags(), away.tags()) == (here, there)
    assert [part.lost for part in run.parts.all()] == ["", ""]
    assert [one.state for one in acted(run)] == ["undone", "undone"]
    assert run.undone_at is not None
    undos = {part.undo for part in run.parts.all()}
    assert {one.undoes for one in Action.objects.filter(pk__in=undos)} == {one.pk for one in acted(run)}

    again = work(runs.undo(run, ALICE, timezone.now()))
    assert Action.objects.filter(undoes__gt="").count() == 2, "once is enough"
    assert again.state == State.DONE


def test_what_was_taken_back_by_hand_is_left_out_of_an_undo(stand: Stand) -> None:
    here = fill(stand, "1.0", "pr-1")
    run = work(begun(approved(policy(stand.name))))
    Action.objects.update(state="undone")
    run = work(runs.undo(run, ALICE, timezone.now()))
    assert (run.parts.get().undo, run.parts.get().lost) == ("", "It was taken back before.")
    assert stand.tags() == {"1.0": here["1.0"]}


def test_two_runs_of_one_policy_are_never_open_at_a_time(stand: Stand) -> None:
    row = approved(policy(stand.name))
    first = begun(row)
    assert begun(row) == first
    assert Run.objects.count() == 1
    dry = begun(row, dry=True)
    now = timezone.now()
    assert turns.claim(first, now)
    assert turns.claim(first, now) is None
    assert turns.claim(dry, now) is None, "another of the same policy is under way"
    assert turns.claim(dry, now + timedelta(hours=1))


def test_a_run_that_somebody_wants_supersedes_one_that_asks(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1")
    row = saved(policy(stand.name))
    asks = work(Run.objects.get())
    PolicyRow.objects.update(approved=row.policy.fingerprint, next_at=timezone.now())
    assert runs.scheduled(timezone.now()) == [asks], "a schedule waits for the answer"
    newer = begun(row)
    asks.refresh_from_db()
    assert (asks.state, asks.reason) == (State.CANCELLED, "Another run was begun since.")
    assert newer.pk != asks.pk


def test_missed_times_run_once(stand: Stand) -> None:
    row = approved(policy(stand.name, schedule="*/5 * * * *"))
    now = timezone.now()
    PolicyRow.objects.update(next_at=now - timedelta(days=3))
    (run,) = runs.scheduled(now)
    row.refresh_from_db()
    assert row.next_at is not None
    assert now < row.next_at <= now + timedelta(minutes=5)
    assert runs.scheduled(now) == []
    assert (run.trigger, run.actor) == (Trigger.SCHEDULE, "alice")


def test_a_policy_that_was_paused_makes_up_for_nothing(stand: Stand) -> None:
    row = approved(policy(stand.name, schedule="*/5 * * * *"))
    book.pause(row, ALICE, timezone.now(), paused=True)
    later = timezone.now() + timedelta(days=1)
    assert runs.scheduled(later) == []
    book.pause(row, ALICE, later, paused=False)
    assert runs.scheduled(later) == []
    assert len(runs.scheduled(later + timedelta(minutes=6))) == 1


@pytest.fixture
def mia(stand: Stand, settings: Settings) -> Actor:
    """Mia may delete from the repository and from nothing else."""
    settings.ANONYMOUS_ROLE = "none"
    grant(Role.MAINTAINER, stand.name, user=person("mia"))
    return people.actor_of(person("mia"))


def test_a_run_acts_only_where_its_owner_may_delete(stand: Stand, mia: Actor) -> None:
    other = stand.registry.unique("team/other")
    fill(stand, "1.0", "pr-1")
    there = fill(stand, "1.0", "pr-1", name=other)
    run = work(begun(approved(policy(stand.name, other), mia), mia))
    assert (run.state, run.repositories, run.tags, run.drops) == (State.DONE, 1, 2, 1)
    assert stand.tags().keys() == {"1.0"}
    assert Stand(stand.registry, stand.client, other).tags() == there


def test_a_run_stops_where_a_right_was_lost_meanwhile(stand: Stand, mia: Actor) -> None:
    there = fill(stand, "1.0", "1.1", "pr-1")
    run = work(begun(approved(policy(stand.name, limit="10%"), mia), mia))
    Run.objects.update(state=State.RUNNING)
    Grant.objects.update(role=Role.READER.value)
    run = work(run)
    assert run.state == State.FAILED
    assert run.parts.get().reason == f"mia may not delete from main/{stand.name}."
    assert stand.tags() == there


def test_a_policy_whose_owner_may_not_sign_in_fails_and_says_why(stand: Stand, mia: Actor) -> None:
    there = fill(stand, "1.0", "pr-1")
    approved(policy(stand.name, schedule="0 3 * * *"), mia)
    person("mia").__class__.objects.update(is_active=False)
    PolicyRow.objects.update(next_at=timezone.now())
    (run,) = runs.scheduled(timezone.now())
    assert (run.state, run.reason) == (State.FAILED, "mia may not sign in any more.")
    assert stand.tags() == there


def test_who_is_called_like_somebody_who_left_does_not_inherit_a_policy(stand: Stand, mia: Actor) -> None:
    approved(policy(stand.name, schedule="0 3 * * *"), mia)
    person("mia").delete()
    grant(Role.ADMIN, user=person("mia"))
    PolicyRow.objects.update(next_at=timezone.now())
    (run,) = runs.scheduled(timezone.now())
    assert (run.state, run.reason) == (State.FAILED, "There is no account of mia any more.")


def test_a_run_that_somebody_left_is_gone_on_with(stand: Stand) -> None:
    there = fill(stand, "1.0", "pr-1")
    run = begun(approved(policy(stand.name)))
    now = timezone.now()
    turns.claim(run, now)  # who has it dies
    Run.objects.update(state=State.DECIDING)
    Part.objects.create(run=run, repository="half/written", tags=1)
    assert turns.next_due(now) is None
    mine = turns.next_due(now + timedelta(minutes=3))
    assert mine == run
    run = work(run)
    assert run.state == State.DONE
    assert [part.repository for part in run.parts.all()] == [stand.name]
    assert stand.tags() == {"1.0": there["1.0"]}


def test_an_action_whose_beginner_died_before_noting_it_is_joined(stand: Stand) -> None:
    there = fill(stand, "1.0", "1.1", "pr-1")
    run = work(begun(approved(policy(stand.name, limit="10%"))))
    run = runs.approve(run, ALICE, timezone.now())
    action = carrying.started(run, run.parts.get())
    assert action
    assert run.parts.get().action == "", "here somebody died"
    Action.objects.update(leased_until=None)
    run = work(run)
    assert (run.state, run.parts.get().action) == (State.DONE, action.pk)
    assert Action.objects.count() == 1
    assert stand.tags() == {"1.0": there["1.0"], "1.1": there["1.1"]}


def test_manifests_without_a_tag_go_with_a_run_and_come_back(stand: Stand) -> None:
    fill(stand, "1.0", "latest")
    old = stand.on("latest")
    fill(stand, "latest")
    Revision.objects.update(first_seen_at=timezone.now() - timedelta(days=9))
    TagMove.objects.update(at=timezone.now() - timedelta(days=9))
    run = work(begun(approved(policy(stand.name, rules=[], untagged="7d"))))
    assert (run.state, run.drops, run.untagged) == (State.DONE, 0, 1)
    assert run.parts.get().untagged == [old]
    assert stand.on(old) == ""
    work(runs.undo(run, ALICE, timezone.now()))
    assert stand.on(old) == old


def test_who_was_overtaken_writes_nothing_more(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1")
    run = begun(approved(policy(stand.name)))
    mine = turns.claim(run, timezone.now())
    assert mine
    Run.objects.update(leased_until=timezone.now() + timedelta(minutes=9))
    assert runs.carry_out(mine).state == State.WAITING
    assert not run.parts.exists()


def test_a_silent_registry_is_tried_again_later(stand: Stand, settings: Settings) -> None:
    run = silent(stand, settings)
    there = stand.tags()
    assert run.leased_until is not None, "not at once"
    assert run.parts.get().reason

    Registry.objects.update(url=stand.registry.url)
    settings.REGISTRIES = {"main": RegistrySettings("main", stand.registry.url)}
    run = work(run)
    assert (run.state, run.parts.get().reason) == (State.DONE, "")
    assert stand.tags() == {"1.0": there["1.0"], "1.1": there["1.1"]}


def test_a_run_is_stopped_before_its_next_repository(stand: Stand) -> None:
    there = fill(stand, "1.0", "1.1", "pr-1")
    run = work(begun(approved(policy(stand.name, limit="10%"))))
    run = runs.approve(run, ALICE, timezone.now())
    run = work(runs.decline(run, ALICE, timezone.now()))
    assert (run.state, run.reason) == (State.CANCELLED, "alice declined it. Stopped after 0 of 1.")
    assert stand.tags() == there


def test_runs_are_compared(stand: Stand) -> None:
    fill(stand, "1.0", "1.1", "pr-1", "pr-2")
    row = approved(policy(stand.name))
    first = work(begun(row, dry=True))
    fill(stand, "pr-3")
    Tag.objects.filter(name="pr-2").update(gone_at=timezone.now())
    second = work(begun(row, dry=True))
    assert runs.before(second) == first
    found = runs.compared(second, first)
    assert [(where, tag) for where, tag, _ in found.newly] == [(stand.name, "pr-3")]
    assert [(where, tag) for where, tag, _ in found.no_longer] == [(stand.name, "pr-2")]


def test_what_a_run_dropped_is_not_said_to_be_kept_by_the_next(stand: Stand) -> None:
    fill(stand, "1.0", "pr-1")
    row = approved(policy(stand.name))
    first = work(begun(row))
    second = work(begun(row, dry=True))
    assert runs.compared(second, first) == runs.Difference([], [])


def test_old_runs_are_let_go_of_but_those_that_are_open(stand: Stand) -> None:
    row = approved(policy(stand.name))
    old = timezone.now() - timedelta(days=10)
    for state in (State.DONE, State.ASKING, State.DRY):
        runs.written(row, "alice", Trigger.PERSON, old, state=state, finished_at=old)
    assert sum(runs.forget(timezone.now() - timedelta(days=9))) == 2
    assert [run.state for run in Run.objects.all()] == [State.ASKING]


def test_nobody_else_may_have_a_say_in_a_run(stand: Stand, mia: Actor) -> None:
    fill(stand, "1.0", "pr-1")
    row = saved(policy(stand.name))
    run = work(Run.objects.get())
    for what in (runs.approve, runs.decline, runs.undo):
        with pytest.raises(Forbidden):
            what(run, mia, timezone.now())
    with pytest.raises(Forbidden):
        begun(row, mia)
    assert runs.visible(mia, Registry.objects.get()).count() == 0
    assert runs.visible(ALICE, Registry.objects.get()).count() == 1
    read(stand)
