"""The policies that are kept, and who may touch them.

A policy acts with its owner's rights. Who may delete in all of a registry sees and changes every policy of
it, an auditor sees them; everybody else who may delete anything there has policies of their own, and sees
these.
"""

from datetime import datetime

from regui.accounts.access import Actor
from regui.actions.models import PolicyRow
from regui.actions.models.policies import PolicyQuerySet
from regui.index.models import Registry
from regui.retention.policy import Policy


def visible(actor: Actor, registry: Registry) -> PolicyQuerySet:
    """The policies of a registry that this actor may see, by name."""
    raise NotImplementedError


def named(actor: Actor, registry: Registry, name: str, *, change: bool = False) -> PolicyRow:
    """The policy of that name. Raises Http404 when they may not see it, `access.Forbidden` when it is to be
    changed and they may not."""
    raise NotImplementedError


def may_add(actor: Actor, registry: Registry) -> bool:
    """Whether they may have policies there at all."""
    raise NotImplementedError


def save(
    actor: Actor, registry: Registry, policy: Policy, now: datetime, row: PolicyRow | None = None
) -> PolicyRow:
    """Keep a policy, new or instead of the row's. One that does something else than what was approved isn't
    approved any more, and a dry run of it is begun (`runs.begin`). Raises `Invalid` for a name that is taken,
    `access.Forbidden`."""
    raise NotImplementedError


def pause(row: PolicyRow, actor: Actor, now: datetime, *, paused: bool) -> None:
    """Let it rest, or go on: what it missed meanwhile isn't made up for."""
    raise NotImplementedError


def remove(row: PolicyRow, actor: Actor) -> None:
    """Forget the policy; its runs stay."""
    raise NotImplementedError
