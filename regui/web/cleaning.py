"""Who gets to the pages about cleaning up."""

from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions.retention import rights
from regui.index.models import Registry


def registry(actor: Actor, name: str) -> Registry:
    """The registry of that name, for who may look at how it is cleaned up. Raises like `access.registry` and
    `rights.enter`."""
    row = access.registry(actor, name)
    rights.enter(actor, row)
    return row


def may_look(actor: Actor, registry: Registry) -> bool:
    """Whether they may have policies there, or look at those of others."""
    return rights.deletes(actor, registry.name) or rights.audits(actor, registry)
