"""Who gets to the pages about cleaning up."""

from regui.accounts import access
from regui.accounts.access import Actor, Forbidden, Right
from regui.actions.retention import book
from regui.index.models import Registry


def registry(actor: Actor, name: str) -> Registry:
    """The registry of that name, for who may look at how it is cleaned up. Raises like `access.registry`, and
    `Forbidden`."""
    row = access.registry(actor, name)
    if not may_look(actor, row):
        raise Forbidden(actor, Right.DELETE, row.name, row.name)
    return row


def may_look(actor: Actor, registry: Registry) -> bool:
    """Whether they may have policies there, or look at those of others."""
    return book.may_add(actor, registry) or actor.may(Right.AUDIT, registry.name)
