"""What waits for a registry's garbage collection and how to run it; and the button that looks whether one
has."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from regui.accounts import access
from regui.actions import remains
from regui.web import htmx
from regui.web.garbage import Overview
from regui.web.http import Request, read_only


@never_cache
@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """What waits, since when, the commands for this version, and the last collection that was noticed. What
    waits is summed up over all of the registry, so only who sees that is told."""
    row = access.registry(request.actor, registry)
    overview = Overview(row, request.actor, request.GET.get("version", ""))
    context = {"overview": overview, "may_look": request.actor.may(access.Right.DELETE, row.name)}
    return htmx.render(request, "garbage/index.html", context)


@require_POST
def look(request: Request, registry: str) -> HttpResponse:
    """Look at what was deleted, whether it is still there; then back to the page it was asked from."""
    row = access.registry(request.actor, registry)
    access.govern(request.actor, row, access.Right.DELETE)
    found = remains.look(row, remains.MANY, again=True)
    if found:
        messages.warning(request, "A garbage collection has run: some of what was deleted can't come back.")
    else:
        messages.success(request, "Looked at what was deleted.")
    page = "trash" if request.POST.get("next") == "trash" else "garbage"
    return HttpResponseRedirect(reverse(page, args=[row.name]), status=303)
