"""Grants in words, and what somebody may do by all of theirs."""

from dataclasses import dataclass

from regui.accounts import explaining, grants
from regui.accounts.access import RIGHTS, Actor, Grant
from regui.accounts.models import Grant as Row


@dataclass(frozen=True)
class Mine:
    """What somebody may do: their grants in the order in which they win, those that only add after them."""

    actor: Actor

    @property
    def grants(self) -> list[Grant]:
        return [*self.actor.weighed, *self.actor.adding]

    @property
    def everywhere(self) -> str:
        """What everybody is, when that is anything."""
        return explaining.a(self.actor.role) if RIGHTS[self.actor.role] else ""


def said(row: Row) -> str:
    """A grant as a sentence."""
    return explaining.sentence(grants.plain(row))
