"""The request as views see it, after our middleware, and the views that change nothing."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from regui.accounts.access import Actor

P = ParamSpec("P")


class Request(HttpRequest):
    """An HttpRequest that knows who asks and whether htmx does."""

    actor: Actor
    htmx: HtmxDetails


GetResponse = Callable[[HttpRequest], HttpResponse]


def private(get_response: GetResponse) -> GetResponse:
    """Middleware: what somebody may see is for no one else, so nothing on the way may keep it for who asks
    next. Answers that say themselves how long they last are left alone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "private"
        return response

    return middleware


View = Callable[Concatenate[Request, P], HttpResponseBase]


def read_only(view: View[P]) -> View[P]:
    """The view, for GET and HEAD. Anything else is a 405, also without a form's token: there is nothing that
    one would protect."""
    return csrf_exempt(require_safe(view))


def is_ours(request: HttpRequest, address: str) -> bool:
    """Whether an address that came with a request leads to this site, as its visitor's browser reads it. Ask
    before redirecting to any."""
    return url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
