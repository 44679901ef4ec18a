"""Where people are signed in: each session with its address and browser, to be looked at and ended.

django-allauth keeps a row for each; when it was last used is written down here, now and then, for a write
with every page would be a poor price for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session as Kept
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from regui.accounts.models import User

GetResponse = Callable[[HttpRequest], HttpResponse]
# How exactly it is known when a session was last used.
NOTICED = timedelta(minutes=5)


@dataclass(frozen=True)
class Session:
    """One session, as its owner sees it."""

    pk: int
    address: str
    browser: str
    began_at: datetime
    seen_at: datetime
    current: bool

    @classmethod
    def of(cls, row: UserSession, key: str | None) -> Self:
        current = row.session_key == key
        return cls(row.pk, row.ip, row.user_agent, row.created_at, row.last_seen_at, current)


def noticed(get_response: GetResponse) -> GetResponse:
    """Middleware: a person's session was used, from that address."""

    def middleware(request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and request.user.is_authenticated and is_late(key):
            address = request.META.get("REMOTE_ADDR")
            row = UserSession.objects.filter(session_key=key)
            row.update(last_seen_at=timezone.now(), **({"ip": address} if address else {}))
        return get_response(request)

    return middleware


def is_late(key: str) -> bool:
    """Whether it wasn't noticed lately, by this process, that the session with this key is used; from now on
    it was. Not in the session itself: to write that would make it last longer."""
    return bool(cache.add(f"session-noticed:{key}", True, NOTICED.total_seconds()))


def of(user: User, request: HttpRequest) -> list[Session]:
    """The person's sessions that are still good: this one first, then those used last."""
    rows = UserSession.objects.purge_and_list(user)
    found = [Session.of(row, request.session.session_key) for row in rows]
    return sorted(found, key=lambda one: (one.current, one.seen_at), reverse=True)


def end(user: User, pk: int) -> bool:
    """End one session of that person; whether there was one."""
    row = UserSession.objects.filter(user=user, pk=pk).first()
    if row is None:
        return False
    row.end()
    return True


def end_all(user: User, but: str | None = None) -> int:
    """End all sessions of that person, `but` the one with that key; how many."""
    rows = list(UserSession.objects.filter(user=user).exclude(session_key=but or ""))
    for row in rows:
        row.end()
    return len(rows)


def forget(now: datetime) -> None:
    """Let go of the sessions that are over, of visitors' too, which had begun to sign in."""
    Kept.objects.filter(expire_date__lt=now).delete()
    UserSession.objects.exclude(session_key__in=Kept.objects.values("session_key")).delete()
