"""Settings: which registries there are, and the notifications of each."""

import secrets

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from regui.accounts import access, people
from regui.index import book, inbox
from regui.web import errors, htmx, notifications
from regui.web.http import Request, read_only


@never_cache
@read_only
def index(request: Request) -> HttpResponse:
    """The address book, how each registry is set up to send its notifications, and whether they come."""
    registries = access.administered(request.actor)
    setups = [notifications.setup(request, row) for row in registries]
    may_add = request.actor.governs(access.Right.ADMIN)
    theirs = {row.name for row in registries}
    lines = [line for line in book.lines() if may_add or line.name in theirs]
    context = {"setups": setups, "lines": lines, "may_add": may_add, "everybody": people.everyone()}
    return htmx.render(request, "settings/index.html", context)


@never_cache
@require_POST
def make_secret(request: Request, registry: str) -> HttpResponse:
    """Make a new secret for a registry's notifications, and show it this once; the one before is no good any
    more."""
    row = access.registry(request.actor, registry)
    access.administer(request.actor, row)
    setup = notifications.setup(request, row, secrets.token_urlsafe(32))
    if setup.given:
        return errors.respond(request, given(setup))
    row.events_token = inbox.hashed(setup.secret)
    row.save(update_fields=["events_token"])
    context = {"setups": [setup], "made": setup, "everybody": people.everyone()}
    return htmx.render(request, "settings/index.html", context)


def given(setup: notifications.Setup) -> errors.Problem:
    """What there is to say when the settings hold the secret."""
    return errors.Problem(
        409,
        "The secret comes from the settings",
        f"regui takes the one in {setup.variable} and no other.",
        "Change it there, or take it out to have one made here.",
        icon="lock",
    )
