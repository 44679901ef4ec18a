"""What stays unsaid to who doesn't see all of a registry: words about it as a whole that count its things."""

from dataclasses import replace

from regui.accounts import access
from regui.accounts.access import Actor
from regui.index import fetch
from regui.index.models import Registry

DOUBT = "The registry's last list lacks much of what it had, so it isn't believed; what is known is kept."


def doubt(actor: Actor, registry: Registry) -> str:
    """Why the registry's last list isn't believed, without the counts for who may not know them."""
    return DOUBT if registry.doubt and not access.sees_all(actor, registry) else registry.doubt


def reading(actor: Actor, registry: Registry, found: fetch.Reading) -> fetch.Reading:
    """A reading whose problem, where it is that doubt, is told so."""
    if registry.doubt and found.problem == registry.doubt:
        return replace(found, problem=doubt(actor, registry))
    return found
