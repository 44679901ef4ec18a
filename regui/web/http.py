"""The request as views see it, after our middleware, and the views that change nothing."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from regui.accounts.access import Actor

P = ParamSpec("P")


class Request(HttpRequest):
    """An HttpRequest that knows who asks and whether htmx does."""

    actor: Actor
    htmx: HtmxDetails


View = Callable[Concatenate[Request, P], HttpResponse]


def read_only(view: View[P]) -> View[P]:
    """The view, for GET and HEAD. Anything else is a 405, also without a form's token: there is nothing that
    one would protect."""
    return csrf_exempt(require_safe(view))
