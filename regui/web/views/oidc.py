"""Signing in through a provider: there, and back."""

import logging

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url, perform_login
from allauth.decorators import rate_limit
from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from regui.accounts import audit
from regui.accounts.arrivals import Refused
from regui.accounts.oidc import flow
from regui.accounts.oidc.errors import Failed, Silent, Stale
from regui.directories import Oidc
from regui.web.errors import Problem, respond
from regui.web.http import Request

log = logging.getLogger(__name__)


@require_POST
@rate_limit(action="login")  # type: ignore[untyped-decorator]  # allauth has no types
def begin(request: Request) -> HttpResponse:
    """On to the provider, and from there back to where one was going."""
    there = get_next_redirect_url(request) or ""
    try:
        return HttpResponseRedirect(flow.begin(request, provider(), there))
    except Failed as error:
        return failed(request, error)


@require_GET
@never_cache
def answer(request: Request) -> HttpResponse:
    """Back from the provider: signed in, or told why not."""
    try:
        arrival = flow.finish(request, provider())
    except Failed as error:
        return failed(request, error)
    except Refused as refusal:
        noted(request, str(refusal))
        problem = Problem(403, "You may not come in", str(refusal), recipe="sign_in", icon="lock")
        return respond(request, problem)
    if request.user.is_authenticated and request.user != arrival.user:
        logout(request)
    record_authentication(request, arrival.user, "socialaccount", provider=flow.ID)
    signed: HttpResponse = perform_login(
        request, arrival.user, email_verification="none", redirect_url=arrival.there or None
    )
    return signed


def provider() -> Oidc:
    """The provider that is set; Http404 without one."""
    found: Oidc | None = settings.OIDC
    if found is None:
        raise Http404("Nobody signs in through a provider here.")
    return found


def failed(request: HttpRequest, error: Failed) -> HttpResponse:
    """The page that says so, to begin anew from. What exactly went wrong is for the log."""
    log.warning("sign-in through %s: %s", provider().issuer, error)
    if not isinstance(error, Stale):  # anybody can make up any number of those
        noted(request, str(error))
    return respond(
        request,
        Problem(
            502 if isinstance(error, Silent) else 403,
            "You aren't signed in",
            error.words,
            "Begin again. If it happens every time, what went wrong is in regui's log.",
            recipe="sign_in",
            icon="lock",
        ),
    )


def noted(request: HttpRequest, why: str) -> None:
    address = str(request.META.get("REMOTE_ADDR", ""))
    audit.note(audit.What.SIGN_IN_FAILED, "unknown", address, detail=f"through the provider: {why}")
