"""Somebody's own account at a registry, as pages tell of it."""

from dataclasses import dataclass

from regui.accounts.access import Actor
from regui.index import bearing
from regui.index.models import Registry


@dataclass(frozen=True)
class Account:
    """Their name there, and whether the registry gave them its list of late; None when it said nothing."""

    username: str
    lists: bool | None


def of(actor: Actor, registry: Registry) -> Account | None:
    """The account by which they see this registry; None where regui's own shows it to all."""
    bearer = None if actor.trusted or not registry.own else actor.bearer(registry)
    return Account(bearer.credentials.username, bearing.gives_list(bearer)) if bearer else None
