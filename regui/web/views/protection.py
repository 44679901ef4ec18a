"""The rules that protect tags of a registry."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from regui.accounts import access
from regui.actions import protection
from regui.actions.models import Protection
from regui.actions.protection import Rule
from regui.index.models import Registry
from regui.web import htmx
from regui.web.forms import cleaned
from regui.web.http import Request, read_only
from regui.web.protecting import Form, Protecting, checked

FIELDS = ("repositories", "tags", "note")


@never_cache
@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """The rules, with a form for one more."""
    return page(request, administered(request, registry), Form(), {})


@require_POST
def add(request: Request, registry: str) -> HttpResponse:
    """Make a rule; 422 when the form says none."""
    row = administered(request, registry)
    form = Form(**{field: cleaned(request.POST.get(field, "")) for field in FIELDS})
    if faults := checked(form):
        return page(request, row, form, faults, status=422)
    new = protection.add(row, form.rule, request.actor.name, form.note[:200], timezone.now())
    said = "are protected from now on" if new else "were protected already"
    messages.success(request, f"Tags {form.rule.tags} of {form.rule.repositories} {said}.")
    return HttpResponseRedirect(reverse("protection", args=[row.name]), status=303)


@require_POST
def remove(request: Request, registry: str) -> HttpResponse:
    """Let go of one rule."""
    row = administered(request, registry)
    text = request.POST.get("rule", "")
    rows = Protection.objects.filter(registry=row.name, pk=int(text) if text.isdecimal() else 0)
    for made in rows:
        protection.remove(row, Rule(made.repositories, made.tags), request.actor.name)
        messages.success(request, f"Tags {made.tags} of {made.repositories} are no longer protected.")
    return HttpResponseRedirect(reverse("protection", args=[row.name]), status=303)


def administered(request: Request, registry: str) -> Registry:
    row = access.registry(request.actor, registry)
    access.administer(request.actor, row)
    return row


def page(
    request: Request, row: Registry, form: Form, faults: Mapping[str, str], status: int = 200
) -> HttpResponse:
    context = {"protecting": Protecting(row), "form": form, "faults": faults}
    return htmx.render(request, "settings/protection.html", context, status=status)
