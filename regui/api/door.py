"""The door to /api/v1/. What goes in by it meets none of what pages need (cookies, forms' tokens, htmx), and
whatever comes out has the API's own shape.

What is behind it is imported with the first request for it: it takes ten megabytes, which who uses no API
shall not pay for.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve, set_urlconf

from regui.accounts.access import Actor, Right
from regui.api import bearer, problems

PREFIX = "/api/v1/"
ADDRESSES = "regui.api.v1.urls"
KEPT = ("Allow", "Retry-After", "WWW-Authenticate")

GetResponse = Callable[[HttpRequest], HttpResponse]


def shape(get_response: GetResponse) -> GetResponse:
    """Middleware that gives pages about errors the API's shape, wherever they come from. No answer of the API
    is to be stored by anyone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path_info.startswith(PREFIX):
            return response
        if response.status_code >= 300 and not response["Content-Type"].startswith("application/json"):
            response = told(response)
        response["Cache-Control"] = "no-store"
        response["Content-Length"] = str(len(response.content))
        return response

    return middleware


def told(response: HttpResponse) -> HttpResponse:
    """The same answer in the API's shape, in place of a page."""
    answer = problems.answer(problems.of_status(response.status_code))
    for name in KEPT:
        if name in response:
            answer[name] = response[name]
    return answer


def nowhere(actor: Actor) -> HttpResponse:
    """The answer at an address that is none. To a visitor who may see nothing all addresses are alike."""
    unknown = actor.visitor and not actor.ever(Right.SEE)
    return problems.answer(problems.unauthorized() if unknown else problems.of_status(404))


def door(get_response: GetResponse) -> GetResponse:
    """Middleware that answers requests below /api/v1/ by the addresses there; once it is known who asks. Who
    comes with a token is nobody else, whatever cookies come along."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        token = bearer.token(request)
        request.by_token = token is not None  # type: ignore[attr-defined]
        if token is not None:
            actor = bearer.actor(request, token)
            if actor is None:
                return bearer.refuse(request)
            request.actor = actor  # type: ignore[attr-defined]
        set_urlconf(ADDRESSES)
        try:
            match = resolve(request.path_info)
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except Http404:
            response = nowhere(request.actor)  # type: ignore[attr-defined]
        finally:
            set_urlconf(settings.ROOT_URLCONF)
        return response

    return middleware
