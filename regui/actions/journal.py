"""Writing the journal: an action stands in it, with the bytes to take it back, before its first request; and
so does every step before its own."""

import secrets
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from regui import oci
from regui.accounts import access, matching
from regui.accounts.access import Actor
from regui.actions import carried, plans
from regui.actions.models import LEASE, Action, ActionQuerySet, Item, Kept
from regui.actions.plans import Plan
from regui.index import search
from regui.index.batches import batches
from regui.index.models import Registry, Repository

State, Result = Action.State, Item.Result

SOURCES = Item.objects.filter(action=OuterRef("pk")).exclude(source="").order_by("position").values("source")


@dataclass(frozen=True)
class Ending:
    """How an action ended. `tags` tells, by name, what became of tags that went along otherwise than their
    digest did, as their own result and reason."""

    state: str
    reason: str = ""
    hint: str = ""
    code: str = ""
    tags: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def visible(actor: Actor) -> ActionQuerySet:
    """The actions this actor may see, newest first, with their items: who may see a repository may see what
    was done to it. Names decide, for the journal outlives the index's rows."""
    access.renew(actor)
    seen = access.seen(actor, names="repository", registries="registry")
    return matching.those(Action.objects.prefetch_related("items"), seen)


def found(actor: Actor, query: search.Query) -> ActionQuerySet:
    """Those of them that the query lets through, for a list that needn't read their plans: each has its
    `origin`, where a copy came from, as registry/repository. Why something isn't done may name what somebody
    may not see, so that is looked through for who sees everything."""
    rows = visible(actor).annotate(origin=Coalesce(Subquery(SOURCES[:1]), Value(""))).defer("plan")
    return rows.matching(query, reasons=not query or access.sees_everything(actor))


def named(repository: Repository, pk: str) -> Action:
    """The action of that key, on that repository; Action.DoesNotExist for none and for one on another, which
    whoever may change this one need not be allowed to see."""
    return Action.objects.get(pk=pk, registry=repository.registry.name, repository=repository.name)


def counts(actions: Iterable[Action]) -> dict[str, tuple[int, int]]:
    """How many steps each of these actions has, and how many of them have ended, by the actions' keys."""
    steps = Item.objects.filter(action__in=list(actions)).exclude(do=plans.GOES_ALONG).order_by()
    numbers = steps.values_list("action").annotate(total=Count("pk"), ended=Count("pk", filter=~Q(result="")))
    return {pk: (total, ended) for pk, total, ended in numbers}


def about(repository: Repository, digest: str) -> ActionQuerySet:
    """What was carried out on this digest of this repository, newest first."""
    done = Action.objects.filter(state__in=[State.DONE, State.PARTIAL])
    items = Item.objects.filter(digest=digest, do=plans.DELETE_DIGEST, result=Result.DONE).values("action")
    return done.filter(registry=repository.registry.name, repository=repository.name, pk__in=items)


def leaving(repository: Repository, tags: Iterable[str]) -> list[Item]:
    """The items, with their actions, that will take some of these tags of the repository away."""
    away = [plans.UNTAG, plans.GOES_ALONG]
    items = Item.objects.filter(tag__in=list(tags), repository=repository.name, do__in=away, result="")
    mine = items.filter(action__registry=repository.registry.name, action__in=Action.objects.open())
    return list(mine.select_related("action"))


def begin(
    plan: Plan,
    actor: Actor,
    kept: Iterable[oci.Content],
    now: datetime,
    *,
    not_before: datetime | None = None,
    held: bool = True,
) -> Action:
    """An action with its items and the bytes to take it back, written in one short transaction: running, and
    `held` by whoever called, else waiting for someone to carry it out from `not_before` on."""
    tells = Registry.objects.filter(name=plan.registry).exclude(events_at=None).exists()
    action = Action(
        registry=plan.registry,
        repository=plan.repository,
        kind=plan.kind,
        digest=plan.digest,
        actor=actor.name,
        address=actor.address,
        state=State.RUNNING if held else State.WAITING,
        started_at=now,
        not_before=not_before,
        leased_until=stamp(now) if held else None,
        look_at=now if tells else None,
        undoes=str(plan.asked.get("action", "")) if plan.kind == plans.UNDO else "",
        bytes_total=plan.load.total,
        credentials=carried.packed(actor, plan),
        plan=plan.as_json(),
        fingerprint=plan.fingerprint,
    )
    with transaction.atomic():
        action.save(force_insert=True)
        for some in batches(items(action, plan)):
            Item.objects.bulk_create(some)
        for rows in batches(keep(action, plan, kept)):
            Kept.objects.bulk_create(rows)
    return action


def items(action: Action, plan: Plan) -> list[Item]:
    """A row for each step in its order, then one for each tag that goes along."""
    found = [
        Item(do=step.do, tag=step.tag, digest=step.digest, before=step.before, source=step.source)
        for step in plan.steps
    ]
    deleted = {step.digest for step in plan.steps if step.do == plans.DELETE_DIGEST}
    found += [
        Item(do=plans.GOES_ALONG, tag=tag.name, digest=tag.digest)
        for tag in plan.tags
        if tag.digest in deleted
    ]
    for position, item in enumerate(found):
        item.action, item.position, item.repository = action, position, plan.repository
    return found


def keep(action: Action, plan: Plan, contents: Iterable[oci.Content]) -> list[Kept]:
    """A row for each manifest, in the order given."""
    return [
        Kept(
            action=action,
            position=position,
            repository=plan.repository,
            digest=content.digest,
            media_type=content.media_type,
            deflated=zlib.compress(content.body),
            tags=sorted(tag.name for tag in plan.tags if tag.digest == content.digest),
        )
        for position, content in enumerate(contents)
    ]


def stamp(now: datetime) -> datetime:
    """When a lease taken now ends, by a moment that nobody else comes up with: it tells whose it is."""
    return now + LEASE + timedelta(microseconds=secrets.randbelow(1_000_000))


def claim(action: Action, now: datetime) -> Action | None:
    """The action, to be carried out by whoever called; None when another was faster or it isn't its time. One
    repository's actions are carried out one at a time: a delete costs the registry a look at every tag."""
    mine = stamp(now)
    with transaction.atomic():
        same = Action.objects.filter(registry=action.registry, repository=action.repository)
        # Whoever claims at the same moment waits here, and then sees that this one runs.
        list(same.open().select_for_update().values_list("pk"))
        busy = same.filter(state=State.RUNNING, leased_until__gte=now).exclude(pk=action.pk)
        if busy.exists():
            return None
        due = Action.objects.due(now).filter(pk=action.pk)
        if not due.update(state=State.RUNNING, leased_until=mine):
            return None
    return Action.objects.get(pk=action.pk)


def renew(action: Action, now: datetime) -> bool:
    """Hold the action for another while, and write how many bytes it has moved; False when it is another's by
    now. Brings up to date whether it is to stop."""
    mine, ours = stamp(now), Action.objects.filter(pk=action.pk, leased_until=action.leased_until)
    if not ours.filter(state=State.RUNNING).update(leased_until=mine, bytes_done=action.bytes_done):
        return False
    action.leased_until = mine
    action.stop = Action.objects.values_list("stop", flat=True).get(pk=action.pk)
    return True


def note_begun(item: Item, passing: str, now: datetime) -> None:
    """Keep that a step is about to change something, and what will lie on its tag for a moment."""
    item.begun_at, item.passing = item.begun_at or now, passing
    Item.objects.filter(pk=item.pk).update(begun_at=item.begun_at, passing=passing)


def note_ended(item: Item, result: str, reason: str) -> None:
    """Keep how a step ended, and with a deleted digest its tags."""
    item.result, item.reason = result, reason
    Item.objects.filter(pk=item.pk).update(result=result, reason=reason)
    if item.do == plans.DELETE_DIGEST:
        along = Item.objects.filter(action=item.action_id, do=plans.GOES_ALONG, digest=item.digest)
        along.update(result=result)


def finish(action: Action, ending: Ending, now: datetime) -> Action:
    """The action as it ended. What someone else finished meanwhile stays as they wrote it."""
    with transaction.atomic():
        won = Action.objects.filter(pk=action.pk, state=State.RUNNING).update(
            state=ending.state,
            reason=ending.reason,
            hint=ending.hint,
            error_code=ending.code,
            bytes_done=action.bytes_done,
            finished_at=now,
            leased_until=None,
            credentials="",
        )
        if won:
            for tag, (result, reason) in ending.tags.items():
                action.items.filter(tag=tag).update(result=result, reason=reason)
            if action.undoes and ending.state == State.DONE:
                undone = Q(pk=action.undoes, state__in=[State.DONE, State.PARTIAL])
                Action.objects.filter(undone).update(state=State.UNDONE)
    return whole(action)


def postpone(action: Action, error: oci.Error, until: datetime) -> Action:
    """The action, still running, with why nobody knows yet how its step ended, for someone to go on with
    later."""
    Action.objects.filter(pk=action.pk, state=State.RUNNING).update(
        reason=str(error),
        hint=error.hint,
        error_code=error.code,
        leased_until=None,
        not_before=until,
        tries=action.tries + 1,
    )
    return whole(action)


def release(action: Action) -> Action:
    """The action, still running, for someone to go on with at once."""
    Action.objects.filter(pk=action.pk, leased_until=action.leased_until).update(leased_until=None)
    return whole(action)


def cancel(action: Action, now: datetime) -> Action:
    """The action, which ends before its next step; at once when it hasn't begun."""
    with transaction.atomic():
        waiting = Action.objects.filter(pk=action.pk, state=State.WAITING)
        if waiting.update(state=State.CANCELLED, finished_at=now, credentials=""):
            action.items.update(result=Result.CANCELLED)
        else:
            Action.objects.filter(pk=action.pk, state=State.RUNNING).update(stop=True)
    return whole(action)


def whole(action: Action) -> Action:
    """The action as it is written, with its items."""
    return Action.objects.prefetch_related("items").get(pk=action.pk)
