"""Where registries send their notifications.

A registry sends one at a time and waits: what isn't answered well within its time limit it sends again, and
again, before any other. So an event is only stored here, and refused is nothing but what no registry sends.
"""

import logging
import secrets
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from regui.accounts import limits
from regui.index import book, inbox
from regui.index.models import Registry

log = logging.getLogger(__name__)

PREFIX, KIND = "/hooks/", "hook"
# Bytes: a thousand events, or one about an image of many thousand layers.
LARGEST = 1 << 20
# The same for both: which registries there are is nobody's business who has no secret.
UNKNOWN = "There is no such registry, or that isn't its secret: send it as a bearer token."

GetResponse = Callable[[HttpRequest], HttpResponse]


def hooks(get_response: GetResponse) -> GetResponse:
    """Middleware that takes events before anyone looks at the Host header, which names us as the registry
    knows us; and before all else, since there may be hundreds a second."""

    def middleware(request: HttpRequest) -> HttpResponse:
        name = request.path_info.removeprefix(PREFIX)
        return get_response(request) if name == request.path_info else receive(request, name)

    return middleware


@csrf_exempt
def receive(request: HttpRequest, registry: str) -> HttpResponse:
    """202 once the events are stored. 401 without the secret, be there such a registry or not, 429 instead
    for an address that got too many of them, 413 for more than anyone would send, 400 for what is no list of
    events; 503 when the database is out of order.

    https://distribution.github.io/distribution/about/notifications/
    """
    if request.method != "POST":
        return answer("Events come by POST.", 405, Allow="POST")
    try:
        row = Registry.objects.filter(name=registry, active=True).first()
        if row is None or not is_secret(row, request.headers.get("Authorization", "")):
            return refused(request, answer(UNKNOWN, 401, **{"WWW-Authenticate": "Bearer"}))
        return taken(request, row)
    except DatabaseError as error:
        log.warning("events of %s can't be stored: %s", registry, error)
        return answer("The database can't be used; send it again.", 503)


def taken(request: HttpRequest, registry: Registry) -> HttpResponse:
    """The answer to events that come with the secret."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal():
        return answer("Say how long the body is.", 411)
    if int(length) > LARGEST:
        return answer(f"Send {LARGEST} bytes at most.", 413)
    try:
        events = inbox.parse(request.body)
    except inbox.Garbage as error:
        return answer(str(error), 400)
    except UnreadablePostError:
        return answer("The body broke off.", 400)
    inbox.store(registry, events, timezone.now())
    return answer("", 202)


def refused(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The refusal, or 429 when there were too many for this address. Who has the secret never comes here:
    behind one proxy there may be a registry with a wrong one and others whose events have to get through."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if seconds := limits.blocked(KIND, address):
        return answer("That was wrong too often.", 429, **{"Retry-After": str(seconds)})
    limits.failed(KIND, address)
    return response


def is_secret(registry: Registry, header: str) -> bool:
    """Whether an Authorization header has the registry's secret: the one from the settings, else the one that
    regui made, of which it keeps a hash only."""
    scheme, _, given = header.partition(" ")
    record = book.given(registry.name)
    token = record.events_token if record else ""
    expected = inbox.hashed(token) if token else registry.events_token
    if scheme.lower() != "bearer" or not expected:
        return False
    return secrets.compare_digest(inbox.hashed(given.strip()), expected)


def answer(words: str, status: int, **headers: str) -> HttpResponse:
    text = f"{words}\n" if words else ""
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status, headers=headers)
