"""Who gets to the pages about cleaning up."""

from regui.accounts.access import Actor, Forbidden, Right
from regui.index.models import Registry


def may_look(actor: Actor, registry: Registry) -> bool:
    """Whether they may have policies there, or look at those of others."""
    return may_add(actor, registry) or actor.may(Right.AUDIT, registry.name)


def look(actor: Actor, registry: Registry) -> None:
    """Nothing, when they may; else Forbidden."""
    if not may_look(actor, registry):
        raise Forbidden(actor, Right.DELETE, registry.name, registry.name)


def may_add(actor: Actor, registry: Registry) -> bool:
    """Whether there may be anything in the registry that they may delete from."""
    if actor.may(Right.DELETE, registry.name):
        return True
    theirs = (grant for grant in actor.grants if grant.reaches(registry.name))
    return actor.ever(Right.DELETE) and any(grant.allows(Right.DELETE) for grant in theirs)
