"""The policies that are kept, and who may touch them (`rights`). A policy acts with the rights of its owner:
of whoever saved it, or let it go ahead."""

import logging
from datetime import datetime

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from regui.accounts import access
from regui.accounts.access import Actor, Right
from regui.actions.models import PolicyRow, Run
from regui.actions.models.policies import PolicyQuerySet
from regui.actions.retention import rights, runs
from regui.index.models import Registry
from regui.retention import schedule
from regui.retention.policy import Policy
from regui.retention.reading import Invalid

log = logging.getLogger(__name__)


class Newer(Exception):
    """The policy was saved as another since somebody opened it; `row` is how it is now."""

    def __init__(self, row: PolicyRow) -> None:
        super().__init__(f"{row.changed_by} changed {row} meanwhile.")
        self.row = row


def visible(actor: Actor, registry: Registry) -> PolicyQuerySet:
    """The policies of a registry that this actor may see, by name."""
    rows = PolicyRow.objects.filter(registry=registry.name)
    if rights.sees_all(actor, registry):
        return rows
    return rows.filter(rights.theirs(actor)) if may_add(actor, registry) else rows.none()


def named(actor: Actor, registry: Registry, name: str, *, change: bool = False) -> PolicyRow:
    """The policy of that name. Raises Http404 when they may not see it, `access.Forbidden` when it is to be
    changed and they may not, or may look at none."""
    rights.enter(actor, registry)
    row = visible(actor, registry).filter(name=name).first()
    if row is None:
        raise Http404(f"No policy named {name}.")
    if change:
        rights.permit(actor, row)
    return row


def may_add(actor: Actor, registry: Registry) -> bool:
    """Whether they may have policies there at all."""
    return rights.deletes(actor, registry.name)


def save(
    actor: Actor,
    registry: Registry,
    policy: Policy,
    now: datetime,
    row: PolicyRow | None = None,
    *,
    opened: str | None = None,
) -> PolicyRow:
    """Keep a policy, new or instead of the row's. One that does something else than what was approved isn't
    approved any more, nor one that reaches elsewhere since it is another's; a dry run of it is begun
    (`runs.begin`). Raises `Invalid` for a name that is taken or another than before, `access.Forbidden`, and
    `Newer` for a row that is another by now than the one whose `mark` was `opened`."""
    if policy.registry != registry.name:
        raise Invalid(("registry",), f"This is about {registry.name}.")
    if not may_add(actor, registry):
        raise access.Forbidden(actor, Right.DELETE, registry.name, registry.name)
    rights.attended(actor, registry)
    try:
        with transaction.atomic():
            saved = changed(row, actor, policy, now, opened) if row else added(actor, policy, now)
            if not saved.is_approved:
                runs.begin(saved, actor, Run.Trigger.FIRST, now)
    except IntegrityError as error:
        raise Invalid(("name",), f"{registry.name} has a policy {policy.name} already.") from error
    log.info("%s saved the policy %s", actor.name, saved)
    return saved


def added(actor: Actor, policy: Policy, now: datetime) -> PolicyRow:
    return PolicyRow.objects.create(
        registry=policy.registry,
        name=policy.name,
        document=policy.plain(),
        owner=actor.name,
        owned_at=now,
        next_at=schedule.next_after(policy.schedule, now),
        created_by=actor.name,
        created_at=now,
        changed_by=actor.name,
        changed_at=now,
    )


def changed(row: PolicyRow, actor: Actor, policy: Policy, now: datetime, opened: str | None) -> PolicyRow:
    """The row with another policy of the same name; what runs by the old one ends, and what was found for
    somebody who reaches less or more."""
    rights.permit(actor, row)
    if policy.name != row.name:
        raise Invalid(("name",), f"A policy keeps its name: its runs are known by it as {row.name}.")
    row = PolicyRow.objects.select_for_update().get(pk=row.pk)
    # Who saves what is there already, by pressing twice, takes nothing back.
    if opened not in {None, row.mark} and row.policy != policy:
        raise Newer(row)
    alike = rights.alike(row, actor)
    if policy.fingerprint != row.policy.fingerprint or not alike:
        runs.end(row, runs.CHANGED, now)
    if not alike:
        row.approved = ""
    row.document, row.owner, row.owned_at = policy.plain(), actor.name, now
    row.next_at = None if row.paused else schedule.next_after(policy.schedule, now)
    row.changed_by, row.changed_at = actor.name, now
    row.save()
    return row


def pause(row: PolicyRow, actor: Actor, now: datetime, *, paused: bool) -> None:
    """Let it rest, with what its schedule began, or go on: what it missed meanwhile isn't made up for."""
    rights.permit(actor, row)
    row.paused = paused
    row.next_at = None if paused else schedule.next_after(row.policy.schedule, now)
    row.save(update_fields=["paused", "next_at"])
    if paused:
        runs.rest(row, now)
    log.info("%s %s the policy %s", actor.name, "paused" if paused else "resumed", row)


def remove(row: PolicyRow, actor: Actor) -> None:
    """Forget the policy; its runs stay, and those that are open end."""
    rights.permit(actor, row)
    with transaction.atomic():
        runs.end(row, runs.REMOVED, timezone.now())
        PolicyRow.objects.filter(pk=row.pk).delete()
    log.info("%s removed the policy %s", actor.name, row)
