"""Tokens: secrets by which programs are known. Of each only its digest is kept, so who reads the database can
use none; a secret has 256 random bits, so a plain SHA-256 hides it as well as a slow one would."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction

from regui.accounts import access, audit, people
from regui.accounts.access import ANY, Actor, Holder, Role
from regui.accounts.models import Token, User
from regui.patterns import ANYWHERE

PREFIX = "regui_"
# Characters of a secret that are shown later: enough to tell tokens apart, and 220 bits short of one.
SHOWN = 12
# How often a token's use is written down at most, and milliseconds that the database is waited for then.
QUIET, WAIT = timedelta(minutes=1), 50
# Characters of a person's name and of a token's in the journal, which holds 150 of whoever it was.
LONGEST_PERSON, LONGEST = 100, 40


def make(
    owner: User | None, name: str, scope: access.Grant, by: Actor, now: datetime, until: datetime | None
) -> tuple[Token, str]:
    """A new token, a robot's without an owner, and its secret, which nobody can tell again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = Token.objects.create(
            owner=owner,
            name=name,
            hint=secret[:SHOWN],
            digest=digest(secret),
            registry=scope.registry,
            pattern=scope.pattern,
            role=scope.role.value,
            created_at=now,
            created_by=by.name,
            expires_at=until,
        )
        ends = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until it is revoked"
        said = f"{in_words(scope)}, {ends}"
        audit.note(audit.What.TOKEN_MADE, by.name, by.address, called(token), said)
    return token, secret


def revoke(token: Token, by: Actor, now: datetime) -> bool:
    """Let the token open nothing any more; False when it was revoked already."""
    with transaction.atomic():
        done = Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
        if done:
            said = f"{token.hint}…, {in_words(scope_of(token))}"
            audit.note(audit.What.TOKEN_REVOKED, by.name, by.address, called(token), said)
    return bool(done)


def enter(secret: str, address: str, now: datetime, place: str = "") -> Actor | None:
    """Who comes with that secret, from that address, which is written down; or from a `place` that has none.
    None when the secret opens nothing."""
    token = find(secret, now)
    if token is None:
        return None
    write_use(token, place or address, now)
    return actor_of(token, address)


def find(secret: str, now: datetime) -> Token | None:
    """The token of that secret; None for one that isn't known or opens nothing any more."""
    if not secret.startswith(PREFIX):
        return None
    # How long the database takes tells nobody anything: who guesses can't choose how a digest begins.
    return Token.objects.good(now).select_related("owner").filter(digest=digest(secret)).first()


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def write_use(token: Token, where: str, now: datetime) -> None:
    """Keep when the token was last used and from where. Not each time, and not while somebody else writes for
    long: no request waits for this or fails by it."""
    last = token.used_at
    if last and abs(now - last) < QUIET:
        return
    with suppress(OperationalError), impatient():
        Token.objects.filter(pk=token.pk).update(used_at=now, used_from=where[:64])


@contextmanager
def impatient() -> Iterator[None]:
    """Within it a write that has to wait raises OperationalError after a moment."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                cursor.execute(f"SET LOCAL lock_timeout = {WAIT}")
                yield
            return
        before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {WAIT}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {before}")


def actor_of(token: Token, address: str = "") -> Actor:
    """Whom the token stands for: its owner within its scope, as they are by now; or a robot, that has nothing
    but its scope."""
    scope, name = scope_of(token), called(token)
    if token.owner is None:
        return Actor(name, address=address, grants=(replace(scope, kind=Holder.USER, holder=name),))
    return replace(people.actor_of(token.owner, address), name=name, cap=scope)


def called(token: Token) -> str:
    """Its name in the journals: `robot:ci`, or `bob (token ci)`."""
    if token.owner is None:
        return f"robot:{token.name}"
    person = token.owner.username
    short = person if len(person) <= LONGEST_PERSON else f"{person[: LONGEST_PERSON - 1]}…"
    return f"{short} (token {token.name})"


def scope_of(token: Token) -> access.Grant:
    """What it gives at most."""
    return access.Grant(Role(token.role), token.registry, token.pattern)


def in_words(scope: access.Grant) -> str:
    """A scope for people: `reader of team/** in main`."""
    what = "every repository" if scope.pattern == ANYWHERE else scope.pattern
    where = "every registry" if scope.registry == ANY else scope.registry
    return f"{scope.role.value} of {what} in {where}"
