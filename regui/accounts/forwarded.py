"""What a proxy in front of the site says of a request: believed of ours, as good as not there of anyone
else."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from regui import proxies
from regui.accounts import arrivals
from regui.accounts.arrivals import Newcomer, Refused, Source
from regui.accounts.models import User

log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
FOR, PROTO = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"
PREFIX = "HTTP_X_FORWARDED"
OTHERS = frozenset({"HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_X_SCHEME", "HTTP_VIA"})
# For whom a session was begun that nobody signed in to.
BOUND = "proxied"


@dataclass(frozen=True)
class Person:
    """Whom the proxy names, and the groups it says they are in; no name is nobody."""

    name: str = ""
    theirs: tuple[str, ...] = ()


def forwarded(get_response: GetResponse) -> GetResponse:
    """Middleware, before all that asks where a request comes from: puts the address and the scheme in place
    that a proxy of ours names, and `request.named`. No such header is left for anything behind it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        ours: proxies.Proxies = settings.PROXIES
        peer = str(request.META.get("REMOTE_ADDR", ""))
        said = taken(request.META, ours)
        person = Person()
        if ours.trusts(peer):
            request.META["REMOTE_ADDR"] = ours.client(peer, said.get(FOR, ""))
            # Of several the last is what our own proxy says.
            scheme = said.get(PROTO, "").rpartition(",")[2].strip().lower()
            if scheme in {"http", "https"}:
                request.META["wsgi.url_scheme"] = scheme
            person = named(said, ours)
        request.named = person  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def taken(meta: dict[str, object], ours: proxies.Proxies) -> dict[str, str]:
    """What proxies say, taken out of the request's headers. Web servers spell `-` and `_` the same there."""
    asked = {proxies.variable(name) for name in (ours.user_header, ours.groups_header) if name}
    found = [name for name in meta if name.startswith(PREFIX) or name in OTHERS | asked]
    return {name: str(meta.pop(name)) for name in found}


def named(said: dict[str, str], ours: proxies.Proxies) -> Person:
    if not ours.user_header:
        return Person()
    name = decoded(said.get(proxies.variable(ours.user_header), "")).strip()
    groups = decoded(said.get(proxies.variable(ours.groups_header), "")) if ours.groups_header else ""
    return Person(name, tuple(proxies.members(groups)))


def decoded(value: str) -> str:
    """A header's text: WSGI hands over bytes as if they were Latin-1, proxies send UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def person(get_response: GetResponse) -> GetResponse:
    """Middleware, behind sessions: who is named is who asks, for this request. Nobody is signed in by it: a
    session that was begun meanwhile ends when they aren't named any more, or somebody else is."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not settings.PROXIES.user_header:
            return get_response(request)
        user = someone(request)
        settle(request, user)
        response = get_response(request)
        if user and not request.session.is_empty() and request.session.get(BOUND) != user.pk:
            request.session[BOUND] = user.pk
        return response

    return middleware


def someone(request: HttpRequest) -> User | None:
    """The person whom the proxy names; None when there is none, or they may not come in."""
    said: Person = request.named  # type: ignore[attr-defined]
    if not said.name:
        return None
    newcomer = Newcomer(
        Source.PROXY, said.name, said.name, theirs=said.theirs, mapping=settings.PROXIES.groups
    )
    try:
        return arrivals.arrive(newcomer, str(request.META["REMOTE_ADDR"]))
    except Refused as refusal:
        log.warning("the proxy names somebody who may not come in: %s", refusal)
        request.refused = str(refusal)  # type: ignore[attr-defined]  # for the page where one signs in
        return None


def settle(request: HttpRequest, user: User | None) -> None:
    """Have the request be theirs, and no session of anybody else's stay."""
    session = request.session
    named = bool(request.named.name)  # type: ignore[attr-defined]
    owners = {str(session[key]) for key in (BOUND, SESSION_KEY) if key in session}
    foreign = owners - {str(user.pk)} if user else owners
    if (named and foreign) or (not named and BOUND in session):
        session.flush()
        request.user = AnonymousUser()
    if user:
        request.user = user
    elif named:
        request.user = AnonymousUser()
