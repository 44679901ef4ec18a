"""What a registry can do, and the button that has it found out anew."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from regui.accounts import access
from regui.index import capabilities
from regui.web import htmx
from regui.web.capabilities import Overview
from regui.web.http import Request, read_only


@never_cache
@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """What was found out, when and how, and for what it can't do what to set."""
    row = access.registry(request.actor, registry)
    context = {
        "overview": Overview(row, access.sees_all(request.actor, row)),
        "may_look": request.actor.may(access.Right.DELETE, row.name),
    }
    return htmx.render(request, "capabilities/index.html", context)


@require_POST
def look(request: Request, registry: str) -> HttpResponse:
    """Find it out anew, for whoever may change what is there: it takes questions that look like changes."""
    row = access.registry(request.actor, registry)
    access.govern(request.actor, row, access.Right.DELETE)
    capabilities.look(row)
    if row.can("reachable") == "yes":
        messages.success(request, f"Looked at what {row.name} can do.")
    else:
        messages.warning(request, row.capabilities["reachable"]["detail"])
    return HttpResponseRedirect(reverse("capabilities", args=[row.name]), status=303)
