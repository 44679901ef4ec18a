"""The request as views see it, after our middleware."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from regui.accounts.access import Actor


class Request(HttpRequest):
    """An HttpRequest that knows who asks and whether htmx does."""

    actor: Actor
    htmx: HtmxDetails
