"""Runs of policies: begun by a schedule, a person or a command, decided, asked about when they would do much,
carried out one repository at a time as actions in the journal, told of, and taken back whole."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import Http404

from regui.accounts import access, standing
from regui.accounts.access import Actor
from regui.actions.models import PolicyRow, Run
from regui.actions.models.policies import RunQuerySet
from regui.actions.retention import carrying, finding, leaving, returning, rights
from regui.actions.retention.turns import Overtaken, Turn
from regui.index.models import Registry
from regui.retention import schedule

log = logging.getLogger(__name__)

State, Trigger = Run.State, Run.Trigger
# How many old runs go at a time.
BATCH = 100
SUPERSEDED, DECLINED = "Another run was begun since.", "{} declined it."
CHANGED, REMOVED = "The policy was changed meanwhile.", "The policy was removed meanwhile."
PAUSED = "The policy was paused meanwhile."


def begin(row: PolicyRow, actor: Actor, trigger: Run.Trigger, now: datetime, *, dry: bool = False) -> Run:
    """A run that waits for a worker, or for `carry_out`; or one that is open already. A policy that nobody
    approved yet runs dry, and then waits for a person; so does one that would drop too much. It is of the
    policy as it is kept by now. Raises `access.Forbidden`, and Http404 for one that was removed."""
    with transaction.atomic():
        kept = PolicyRow.objects.select_for_update().filter(pk=row.pk).first()
        if kept is None:
            raise Http404(REMOVED)
        row = kept
        rights.permit(actor, row)
        same = Run.objects.filter(registry=row.registry, policy=row.name)
        if found := same.filter(state__in=Run.OPEN, dry=dry, stop=False).first():
            return found
        asking = same.filter(state=State.ASKING)
        if trigger == Trigger.SCHEDULE and (found := asking.first()):
            return found
        if not dry:
            asking.update(state=State.CANCELLED, reason=SUPERSEDED, finished_at=now)
        run = written(row, actor.name, trigger, now, dry=dry, address=actor.address)
    log.info("%s %s: a run of %s begins (%s)", run.pk, actor.name, row, trigger)
    return run


def written(row: PolicyRow, actor: str, trigger: Run.Trigger, now: datetime, **fields: object) -> Run:
    """A run of the policy as it is now."""
    return Run.objects.create(
        registry=row.registry,
        policy=row.name,
        document=row.document,
        trigger=trigger,
        begun_by=actor,
        actor=actor,
        started_at=now,
        **fields,
    )


def scheduled(now: datetime) -> list[Run]:
    """Runs for the policies whose time has come, each begun by one worker alone, and once however often its
    time came while nobody looked. What nobody approved yet waits on."""
    found = []
    for row in PolicyRow.objects.due(now):
        with transaction.atomic():
            mine = PolicyRow.objects.due(now).filter(pk=row.pk, next_at=row.next_at)
            if mine.update(next_at=schedule.next_after(row.policy.schedule, now)) and row.is_approved:
                found.append(begin_for_owner(row, now))
    return found


def begin_for_owner(row: PolicyRow, now: datetime) -> Run:
    """The run of a policy with the rights of its owner; failed at once when those are nobody's any more."""
    try:
        return begin(row, standing.actor(row.owner, row.owned_at), Trigger.SCHEDULE, now)
    except (standing.Nobody, access.Forbidden) as error:
        over = {"state": State.FAILED, "reason": str(error), "finished_at": now}
        return written(row, row.owner, Trigger.SCHEDULE, now, **over)


def carry_out(run: Run, stop: Callable[[], bool] = lambda: False) -> Run:
    """Go on with a run until it has ended or waits for a person, or `stop` says so: decide once, then take
    one repository after the other; or take it back. Whoever calls has it by a claim (`turns`)."""
    turn = Turn(run)
    try:
        if run.undo_at and not run.undone_at:
            return returning.go_on(turn, stop)
        if run.state in {State.WAITING, State.DECIDING}:
            run = finding.decide(turn)
        return carrying.go_on(turn, stop) if run.state == State.RUNNING else run
    except Overtaken:
        return Run.objects.get(pk=run.pk)


def approve(run: Run, actor: Actor, now: datetime) -> Run:
    """Let a run that asks go on with the rights of whoever says so, and its policy from now on; one that
    doesn't ask any more is left as it is, and one whose policy is another by now ends. What changed since it
    decided is decided anew, and never more dropped than was shown: nor later, so the policy is theirs only
    when it then reaches as far as before. Raises `access.Forbidden`."""
    rights.permit(actor, run)
    rights.attended(actor, Registry.objects.get(name=run.registry))
    said = {"approved_by": actor.name, "approved_at": now, "actor": actor.name, "address": actor.address}
    with transaction.atomic():
        same = PolicyRow.objects.filter(registry=run.registry, name=run.policy)
        row = same.select_for_update().first()
        asks = Run.objects.filter(pk=run.pk, state=State.ASKING)
        if row is None or row.policy.fingerprint != run.fingerprint:
            close(asks, CHANGED if row else REMOVED, now)
        elif asks.update(state=State.RUNNING, reason="", told_at=None, **said):
            row.approved, row.allowed = run.fingerprint, run.document
            if rights.alike(row, actor):
                row.owner, row.owned_at = actor.name, now
            row.save(update_fields=["approved", "allowed", "owner", "owned_at"])
            log.info("%s %s approved a run of %s", run.pk, actor.name, run.policy)
    return Run.objects.get(pk=run.pk)


def decline(run: Run, actor: Actor, now: datetime) -> Run:
    """End a run that asks, or stop one that is under way before its next repository. Raises
    `access.Forbidden`."""
    rights.permit(actor, run)
    close(Run.objects.filter(pk=run.pk), DECLINED.format(actor.name), now)
    log.info("%s %s declined or stopped a run of %s", run.pk, actor.name, run.policy)
    return Run.objects.get(pk=run.pk)


def end(row: PolicyRow, why: str, now: datetime) -> None:
    """End what is open of a policy that is another by now."""
    close(Run.objects.filter(registry=row.registry, policy=row.name), why, now)


def rest(row: PolicyRow, now: datetime) -> None:
    """End what a schedule began of a policy that is paused; what a person began is theirs to stop."""
    begun = Run.objects.filter(registry=row.registry, policy=row.name, trigger=Trigger.SCHEDULE)
    close(begun.filter(state__in=Run.OPEN), PAUSED, now)


def close(rows: RunQuerySet, why: str, now: datetime) -> None:
    """End those of the runs that nobody is at; have the others end before their next repository."""
    # In this order: one that is deciding sees that it is to stop, or asks by the time it is looked at again.
    rows.filter(state__in=Run.OPEN).update(stop=True, reason=why)
    idle = rows.filter(state__in=[State.ASKING, State.WAITING], leased_until=None)
    idle.update(state=State.CANCELLED, reason=why, finished_at=now)


def undo(run: Run, actor: Actor, now: datetime) -> Run:
    """Have all of a run that has ended taken back, by a worker: each of its parts then names the action that
    does, or what can't come back. Its policy waits for a person again: else it would soon do the same once
    more. Raises `access.Forbidden`."""
    rights.permit(actor, run)
    ended = Run.objects.ended().filter(pk=run.pk)
    if ended.filter(parts__action__gt="").exists():
        asked = Q(undo_at__isnull=False, undone_at=None)
        wanted = {"undo_by": actor.name, "undo_address": actor.address, "undo_at": now, "undone_at": None}
        if ended.exclude(asked).update(**wanted):
            same = PolicyRow.objects.filter(registry=run.registry, name=run.policy)
            same.filter(approved=run.fingerprint).update(approved="")
            log.info("%s %s takes a run of %s back", run.pk, actor.name, run.policy)
    return Run.objects.get(pk=run.pk)


def visible(actor: Actor, registry: Registry) -> RunQuerySet:
    """The runs of policies that are the actor's since before, and those which acted for them; or all, for who
    sees all policies."""
    rows = Run.objects.filter(registry=registry.name)
    if rights.sees_all(actor, registry):
        return rows
    if not rights.deletes(actor, registry.name):
        return rows.none()
    mine = PolicyRow.objects.filter(rights.theirs(actor), registry=registry.name, name=OuterRef("policy"))
    since = Exists(mine.filter(owned_at__lte=OuterRef("started_at")))
    return rows.filter(since | rights.theirs(actor, "actor"))


def forget(before: datetime) -> Iterator[int]:
    """Let go of runs that ended earlier than that; yields how many rows each batch took."""
    rows = Run.objects.ended().filter(finished_at__lt=before).order_by("finished_at")
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        yield Run.objects.filter(pk__in=keys).delete()[0]


@dataclass(frozen=True)
class Difference:
    """Tags, as (repository, tag, reason), that one run drops and the other doesn't."""

    newly: Sequence[tuple[str, str, str]]
    no_longer: Sequence[tuple[str, str, str]]


def before(run: Run) -> Run | None:
    """The last run or dry run of the same policy that decided before this one was begun."""
    rows = Run.objects.filter(registry=run.registry, policy=run.policy, started_at__lt=run.started_at)
    return rows.exclude(decided_at=None).order_by("-started_at").first()


def compared(run: Run, before: Run) -> Difference:
    """What a run drops that the one before it didn't, and the other way round; without what it dropped."""
    now, then = drops(run), drops(before)
    carried = before.parts.exclude(action="")
    done = {(part.repository, tag) for part in carried for tag, _, _ in leaving.Outcome(part).went}
    newly = [(*place, reason) for place, reason in now.items() if place not in then]
    left = then.keys() - now.keys() - done
    return Difference(newly, [(*place, reason) for place, reason in then.items() if place in left])


def drops(run: Run) -> dict[tuple[str, str], str]:
    """The reasons of what a run drops, by repository and tag."""
    return {(part.repository, tag): reason for part in run.parts.all() for tag, _, reason in part.dropped}
