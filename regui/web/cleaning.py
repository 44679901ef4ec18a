"""Who gets to the pages about cleaning up."""

from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions.models import Run
from regui.actions.retention import rights, runs
from regui.index.models import Registry

# How many of those that wait are told of where nobody asked for them.
WAITING = 3


def registry(actor: Actor, name: str) -> Registry:
    """The registry of that name, for who may look at how it is cleaned up. Raises like `access.registry` and
    `rights.enter`."""
    row = access.registry(actor, name)
    rights.enter(actor, row)
    return row


def may_look(actor: Actor, registry: Registry) -> bool:
    """Whether they may have policies there, or look at those of others."""
    return rights.deletes(actor, registry.name) or rights.audits(actor, registry)


def asking(actor: Actor, registry: Registry) -> list[Run]:
    """The first runs that wait for this actor to say something, oldest first."""
    if not rights.deletes(actor, registry.name):
        return []
    rows = runs.visible(actor, registry).filter(state=Run.State.ASKING).order_by("started_at")
    return list(rows.only("registry", "policy", "started_at")[:WAITING])
