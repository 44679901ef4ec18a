"""Who a request comes from: a person who has signed in, or a visitor."""

from collections.abc import Callable
from dataclasses import replace

from django.http import HttpRequest, HttpResponse

from regui.accounts import bearers, people
from regui.accounts.access import Actor
from regui.accounts.models import User

ANONYMOUS = "anonymous"


def visitor(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that puts the asking `Actor` on the request, as `request.actor`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.actor = actor(request)  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def actor(request: HttpRequest) -> Actor:
    """Who asks; a visitor has the role that the settings give to all."""
    address, shown = str(request.META.get("REMOTE_ADDR", "")), bearers.of(request.session)
    if isinstance(request.user, User):
        return replace(people.actor_of(request.user, address), bearers=shown)
    return Actor(ANONYMOUS, people.everyone(), address, visitor=True, bearers=shown)
