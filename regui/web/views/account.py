"""One's own account: how one signs in, and where one is signed in."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from regui.accounts import sessions
from regui.accounts.models import User
from regui.web import account, htmx
from regui.web.http import Request, read_only


@login_required
@read_only
def index(request: Request) -> HttpResponse:
    """Who one is here, and everything about it that one can change oneself."""
    return htmx.render(request, "account/index.html", {"account": account.of(request)})


@require_POST
@login_required
def end_session(request: Request, pk: int) -> HttpResponse:
    """Sign out in one place."""
    if sessions.end(cast("User", request.user), pk):
        messages.success(request, "That session has ended.")
    return back()


@require_POST
@login_required
def end_others(request: Request) -> HttpResponse:
    """Sign out everywhere but here."""
    sessions.end_all(cast("User", request.user), but=request.session.session_key)
    messages.success(request, "Everywhere else you are signed out.")
    return back()


def back() -> HttpResponse:
    return HttpResponseRedirect(reverse("account") + "#sessions", status=303)
