"""Who is behind a name of the journals by now: what goes on while nobody asks acts as somebody."""

from datetime import datetime

from django.utils import timezone

from regui.accounts import people, tokens
from regui.accounts.access import Actor, Role
from regui.accounts.models import Token, User
from regui.accounts.visitors import ANONYMOUS

# How the names of those begin who are no people: whoever sits at the machine itself, and robots.
LOCAL, ROBOT, TOKEN = "local:", "robot:", " (token "


class Nobody(Exception):
    """Nobody of that name may do anything any more; the words say why."""


def actor(name: str, since: datetime, address: str = "") -> Actor:
    """Who was called so at that moment, with the rights they have now. Raises `Nobody`; a name that is by now
    another's counts for nothing."""
    if name.startswith(ROBOT) or TOKEN in name:
        return by_token(name, since, address)
    user = User.objects.filter(username=name).first()
    if user is None or user.date_joined > since:
        return nobodys(name, address)
    if not user.is_active:
        raise Nobody(f"{name} may not sign in any more.")
    return people.actor_of(user, address)


def nobodys(name: str, address: str) -> Actor:
    """Who is no person: a visitor, or whoever sits at the machine."""
    if name == ANONYMOUS:
        return Actor(name, people.everyone(), address, visitor=True)
    if name.startswith(LOCAL):
        return Actor(name, Role.ADMIN, address, trusted=True)
    raise Nobody(f"There is no account of {name} any more.")


def by_token(name: str, since: datetime, address: str) -> Actor:
    """Whom the token of that name stands for. Of several that are called alike nobody knows which it was."""
    short = name.removeprefix(ROBOT) if name.startswith(ROBOT) else name.partition(TOKEN)[2][:-1]
    rows = Token.objects.good(timezone.now()).filter(name=short, created_at__lte=since)
    found = [row for row in rows.select_related("owner") if tokens.called(row) == name]
    if not found:
        raise Nobody(f"{name} was revoked, is over, or belongs to nobody who may sign in.")
    if len(found) > 1:
        raise Nobody(f"Several tokens are called {name}.")
    return tokens.actor_of(found[0], address)
