"""Who may see policies and their runs, and change them.

Who may delete in all of a registry sees and changes every policy of it, an auditor sees them; everybody else
who may delete anything there has policies of their own, and sees these.
"""

from django.db.models import Q

from regui.accounts import access, standing
from regui.accounts.access import RIGHTS, Actor, Right
from regui.actions.models import PolicyRow, Run
from regui.index.models import Registry

UNATTENDED = (
    "{} asks everybody who they are, and a policy runs while nobody is there: only regui's own command line, "
    "without a token, can have policies in it."
)


class Unattended(access.Forbidden):
    """A policy runs while nobody is there, so it can't show a registry credentials of its own."""

    def __init__(self, actor: Actor, registry: str) -> None:
        super().__init__(actor, Right.DELETE, registry, registry)
        self.args = (UNATTENDED.format(registry),)


def theirs(actor: Actor, field: str = "owner") -> Q:
    """What belongs to the actor: who has signed in as a person has what their tokens have, too."""
    tokens = Q(**{f"{field}__startswith": f"{actor.name}{standing.TOKEN}"})
    return Q(**{field: actor.name}) | tokens


def sees_all(actor: Actor, registry: Registry) -> bool:
    """Whether they may see every policy of the registry: by deleting in all of it, or as an auditor."""
    return actor.may(Right.DELETE, registry.name) or audits(actor, registry)


def audits(actor: Actor, registry: Registry) -> bool:
    return actor.may(Right.AUDIT, registry.name) or actor.governs(Right.AUDIT)


def may_enter(actor: Actor, registry: Registry) -> bool:
    """Whether they may look at policies of the registry, be it only at their own."""
    return deletes(actor, registry.name) or audits(actor, registry)


def enter(actor: Actor, registry: Registry) -> None:
    """Nothing, when `may_enter`; else Forbidden."""
    if not may_enter(actor, registry):
        raise access.Forbidden(actor, Right.DELETE, registry.name, registry.name)


def permit(actor: Actor, row: PolicyRow | Run) -> None:
    """Nothing, when the actor may change the policy, or have a say in the run; else Forbidden."""
    if not may_change(actor, row):
        raise access.Forbidden(actor, Right.DELETE, row.registry, row.registry)


def may_change(actor: Actor, row: PolicyRow | Run) -> bool:
    """Whether `permit` lets them."""
    whose = row.owner if isinstance(row, PolicyRow) else row.actor
    own = whose == actor.name or whose.startswith(f"{actor.name}{standing.TOKEN}")
    return actor.may(Right.DELETE, row.registry) or (own and deletes(actor, row.registry))


def deletes(actor: Actor, registry: str) -> bool:
    """Whether there may be anything in the registry that they may delete."""
    if not actor.ever(Right.DELETE) or (actor.cap and not actor.cap.reaches(registry)):
        return False
    given = any(grant.allows(Right.DELETE) and grant.reaches(registry) for grant in actor.grants)
    return given or Right.DELETE in RIGHTS[actor.role]


def attended(actor: Actor, registry: Registry) -> None:
    """Nothing, when what the actor leaves to run by itself reaches the registry; else raises `Unattended`."""
    if registry.own and not actor.trusted:
        raise Unattended(actor, registry.name)


def alike(row: PolicyRow, actor: Actor) -> bool:
    """Whether a policy reaches as far as before when it is the actor's: what somebody let go ahead was what
    its owner could do."""
    if row.owner == actor.name:
        return True
    try:
        before = standing.actor(row.owner, row.owned_at)
    except standing.Nobody:
        return False
    return all(one.may(Right.DELETE, row.registry) for one in (before, actor))
