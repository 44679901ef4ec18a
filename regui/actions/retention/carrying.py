"""Carrying a run out: one repository after the other, each an action of its own in the journal."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from regui import oci
from regui.accounts import access, standing
from regui.actions import journal, kinds, retain, run, undo
from regui.actions.models import Action, Part, Run
from regui.actions.plans import Agreed, Plan
from regui.actions.retention import facts, finding, keeping, leaving
from regui.actions.retention.turns import LONG, PAUSES, Turn
from regui.index.models import Registry
from regui.retention.policy import Policy

State = Run.State
# How often a repository that keeps changing is decided anew.
AGAIN = 3
# How long an action that somebody else is at, or that waits for its registry, is left to them.
MEANWHILE = timedelta(seconds=2)
# Errors that may pass.
PASSING = frozenset({"unreachable", "timed-out", "too-many-requests", "unavailable"})
CHANGING = "It kept changing while it was looked at."
NOTHING = "By now nothing of it is to go any more."


class Silent(Exception):
    """The registry doesn't answer, which may pass."""


def go_on(turn: Turn, stop: Callable[[], bool]) -> Run:
    """The run after all of its parts that can be done were; or left for somebody to go on with."""
    waits = False
    for part in turn.run.parts.filter(done=False):
        if stop():
            return turn.release()
        turn.hold()
        if turn.run.stop:
            return ended(turn)
        try:
            carry_out(turn, part, stop)
        except Silent as silence:
            if turn.run.tries >= len(PAUSES):
                note(part, str(silence), done=True)
                continue
            note(part, str(silence))
            return turn.later(PAUSES[turn.run.tries], tries=turn.run.tries + 1)
        turn.write(tries=0)
        waits = waits or not part.done
    return turn.later(MEANWHILE) if waits else ended(turn)


def carry_out(turn: Turn, part: Part, stop: Callable[[], bool]) -> None:
    """Do one part, or go on with the action that somebody had begun. Raises `Silent`."""
    found = known(turn.run, part)
    if found is None:
        turn.hold(LONG)
        try:
            found = started(turn.run, part)
        except (standing.Nobody, access.Forbidden, Http404) as error:
            note(part, str(error), done=True)
        except oci.NotFound as error:
            note(part, f"{NOTHING} {error}", done=True)
        except oci.Error as error:
            if error.code in PASSING:
                raise Silent(str(error)) from error
            note(part, str(error), done=True)
        except run.Unchecked as error:
            if error.plan.check.code in PASSING:
                raise Silent(str(error)) from error
            note(part, str(error), done=True)
        except (run.Protected, run.Breaks) as error:
            note(part, str(error), done=True)
        except run.Stale:
            note(part, CHANGING, done=True)
        if found is None:
            return
        turn.hold()
    else:
        mine = journal.claim(found, timezone.now()) if found.is_open else None
        found = mine or journal.whole(found)
        if found.is_open and mine is None:
            return  # somebody is at it, or its time comes later
    Part.objects.filter(pk=part.pk).update(action=found.pk)
    part.action = found.pk

    def held() -> bool:
        turn.keep()
        return stop()

    if found.is_open:
        found = run.carry_out(found, held, budget=LONG.total_seconds())
    turn.hold(LONG)
    conclude(part, found)


def known(of: Run, part: Part) -> Action | None:
    """The action of a part, also when whoever began it died before it was noted here."""
    if part.action:
        return Action.objects.filter(pk=part.action).first()
    mine = Action.objects.filter(registry=of.registry, repository=part.repository)
    return mine.filter(started_at__gte=of.started_at, plan__asked__run=of.pk).first()


def started(of: Run, part: Part) -> Action | None:
    """The action that does a part, begun; None when nothing of it is to go any more. What changed is decided
    anew, and of that only what the run had found is done. Raises as `run.start`, and `standing.Nobody`."""
    actor = finding.acting(of)
    registry = Registry.objects.get(name=of.registry)
    policy = Policy.read(of.document)
    others = keeping.policies(of.registry)
    repository = undo.repository_of(of.registry, part.repository)
    access.require(actor, registry, part.repository, access.Right.DELETE)
    # What is agreed to may be from memory: `run.start` asks the registry. Not where memory isn't believed.
    doubted = bool(facts.wary(repository))
    max_age, budget = kinds.NOW if doubted else None, LONG.total_seconds()
    plan = retain.look(repository, policy, others, timezone.now(), run=of.pk, max_age=max_age, budget=budget)
    if doubted and not plan.check.complete:
        raise run.Unchecked(plan)
    for _ in range(AGAIN):
        agreed = narrowed(plan, part)
        now = leaving.Now(repository, policy, others, plan, timezone.now())
        part.left = now.left(part, agreed)
        part.save(update_fields=["left"])
        if not plan.steps or not (agreed.asked["tags"] or agreed.asked["digests"]):
            note(part, f"{NOTHING} {leaving.said(part.left)}", done=True)
            return None
        try:
            return run.start(agreed, actor, budget=budget)
        except run.Stale as stale:
            last, plan = stale, stale.plan
    raise last


def narrowed(plan: Plan, part: Part) -> Agreed:
    """The plan without what the run hadn't found: other tags, tags that moved since, other digests."""
    shown = {tag: digest for tag, digest, _ in part.dropped}
    on = {tag.name: tag.digest for tag in plan.tags}
    asked = dict(plan.asked)
    asked["tags"] = [one for one in asked["tags"] if one in shown and on.get(one, shown[one]) == shown[one]]
    asked["digests"] = [one for one in asked["digests"] if one in part.untagged]
    if asked == plan.asked:
        return plan.agreed
    # Its fingerprint is made of what is asked: `run.start` says what the plan is then.
    return replace(plan.agreed, asked=asked, fingerprint="", facts=None)


def conclude(part: Part, action: Action) -> None:
    """Note how the action of a part ended, and what it did; nothing while it is open."""
    if not action.is_open:
        leaving.settle(part, action)
        well = action.state in {Action.State.DONE, Action.State.UNDONE}
        note(part, "" if well else action.reason or f"It {action.state}.", done=True)


def note(part: Part, reason: str, *, done: bool = False) -> None:
    part.reason, part.done = reason, done
    part.save(update_fields=["reason", "done"])


def ended(turn: Turn) -> Run:
    """The run with its end, by how its parts did."""
    parts = turn.run.parts.exclude(dropped=[], untagged=[])
    total = parts.count()
    well = parts.filter(Q(reason="") | Q(reason__startswith=NOTHING), done=True).count()
    left = parts.filter(done=False).count()
    turn.write(**leaving.total(turn.run))
    if turn.run.stop:
        reason = f"{turn.run.reason} Stopped after {total - left} of {total}.".strip()
        return turn.end(State.CANCELLED, reason)
    if well == total:
        return turn.end(State.DONE)
    state = State.PARTIAL if parts.exclude(action="").exists() else State.FAILED
    what = "repository was" if total == 1 else "repositories were"
    return turn.end(state, f"{total - well} of {total} {what} not done, or not all of it.")
