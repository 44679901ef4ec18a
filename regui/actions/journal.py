"""Writing the journal: an action stands in it, with the bytes to take it back, before its first request."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from regui import oci
from regui.accounts.access import Actor, Right
from regui.actions import plans
from regui.actions.models import Action, ActionQuerySet, Item, Kept
from regui.actions.plans import Plan
from regui.index.models import Repository

State, Result = Action.State, Item.Result


@dataclass(frozen=True)
class Ending:
    """How an action ended. `result` is that of the digest and of every tag that `tags` doesn't tell apart, by
    name, as its own result and reason."""

    state: str
    result: str
    reason: str = ""
    hint: str = ""
    code: str = ""
    tags: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def visible(actor: Actor) -> ActionQuerySet:
    """The actions this actor may see, newest first, with their items. Who may see registries may see what was
    done to them; names decide, for the journal outlives the index's rows."""
    actions = Action.objects.prefetch_related("items")
    return actions if actor.may(Right.SEE) else actions.none()


def about(repository: Repository, digest: str) -> ActionQuerySet:
    """What was carried out on this digest of this repository, newest first."""
    done = Action.objects.filter(state__in=[State.DONE, State.PARTIAL])
    return done.filter(registry=repository.registry.name, repository=repository.name, digest=digest)


def begin(plan: Plan, actor: Actor, kept: Iterable[oci.Content], now: datetime) -> Action:
    """A running action with its items and the bytes to take it back, written in one short transaction."""
    action = Action(
        registry=plan.registry,
        repository=plan.repository,
        kind=plan.kind,
        digest=plan.digest,
        actor=actor.name,
        address=actor.address,
        state=State.RUNNING,
        started_at=now,
        plan=plan.as_json(),
        fingerprint=plan.fingerprint,
    )
    with transaction.atomic():
        action.save(force_insert=True)
        Item.objects.bulk_create(items(action, plan))
        Kept.objects.bulk_create(keep(action, plan, kept))
    return action


def items(action: Action, plan: Plan) -> list[Item]:
    """A row for each step, then one for each tag that goes along."""
    does = [(step.do, step.tag, step.digest) for step in plan.steps]
    does += [(plans.GOES_ALONG, tag.name, tag.digest) for tag in plan.tags]
    return [
        Item(action=action, position=position, repository=plan.repository, do=do, tag=tag, digest=digest)
        for position, (do, tag, digest) in enumerate(does)
    ]


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


def finish(action: Action, ending: Ending, now: datetime) -> Action:
    """The action as it ended. What someone else finished meanwhile stays as they wrote it."""
    with transaction.atomic():
        running = Action.objects.filter(pk=action.pk, state=State.RUNNING)
        won = running.update(
            state=ending.state,
            reason=ending.reason,
            hint=ending.hint,
            error_code=ending.code,
            finished_at=now,
        )
        if won:
            action.items.exclude(tag__in=ending.tags).update(result=ending.result)
            for tag, (result, reason) in ending.tags.items():
                action.items.filter(tag=tag).update(result=result, reason=reason)
    return Action.objects.prefetch_related("items").get(pk=action.pk)


def doubt(action: Action, error: oci.Error) -> Action:
    """The action, still running, with why nobody knows yet how it ended."""
    Action.objects.filter(pk=action.pk, state=State.RUNNING).update(
        reason=str(error), hint=error.hint, error_code=error.code
    )
    return Action.objects.prefetch_related("items").get(pk=action.pk)
