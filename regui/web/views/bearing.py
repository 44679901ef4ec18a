"""Signing in to a registry that asks everybody who they are."""

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from regui import oci
from regui.accounts import access, bearers, limits
from regui.index.models import Registry
from regui.web import htmx
from regui.web.http import Request, is_ours


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: Request, registry: str) -> HttpResponse:
    """The form; 422 when the registry doesn't take what was typed. Nothing is kept then."""
    row = access.known(request.actor, registry)
    if not row.own:
        return HttpResponseRedirect(reverse("registry", args=[row.name]))
    if request.method != "POST":
        return page(request, row)
    username, password = request.POST.get("username", "").strip(), request.POST.get("password", "")
    if not username or not password:
        return page(request, row, username, "Both are needed.")
    if fault := entered(request, row, oci.Credentials(username, password)):
        return page(request, row, username, fault)
    return HttpResponseRedirect(onward(request, row), status=303)


def entered(request: Request, row: Registry, credentials: oci.Credentials) -> str:
    """Why the credentials aren't kept; empty when they are."""
    address = request.actor.address
    if seconds := limits.blocked("registry", address):
        return f"That was wrong too often. Try again in {seconds} seconds."
    try:
        bearers.enter(request.session, row, credentials)
    except (oci.Unauthorized, oci.Denied):
        limits.failed("registry", address)
        return f"{row.name} doesn't take them."
    except oci.Error as error:
        return f"{error} {error.hint}".rstrip()
    if request.actor.visitor:
        request.session.cycle_key()  # nobody else may have known the session from before
    return ""


@require_POST
def leave(request: Request, registry: str) -> HttpResponse:
    """Forget the credentials."""
    row = access.known(request.actor, registry)
    bearers.leave(request.session, row.name)
    messages.success(request, f"You have signed out of {row.name}.")
    return HttpResponseRedirect(reverse("registry-sign-in", args=[row.name]), status=303)


def onward(request: Request, row: Registry) -> str:
    """Where they were going, if that is a page of ours; else the registry."""
    there = request.POST.get(REDIRECT_FIELD_NAME, "")
    ours = there.startswith("/") and is_ours(request, there)
    return there if ours else resolve_url("registry", row.name)


def page(request: Request, row: Registry, username: str = "", fault: str = "") -> HttpResponse:
    context = {
        "row": row,
        "username": username,
        "fault": fault,
        "next": request.GET.get(REDIRECT_FIELD_NAME, request.POST.get(REDIRECT_FIELD_NAME, "")),
        "shown": request.actor.bearer(row),
    }
    return htmx.render(request, "registries/sign_in.html", context, status=422 if fault else 200)
