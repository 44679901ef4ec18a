"""Repositories named by hand, for registries that don't list them."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from regui.accounts import access
from regui.index import fetch, names
from regui.index.models import Registry
from regui.web import htmx, naming
from regui.web.http import Request, read_only


@dataclass(frozen=True)
class Naming:
    """What the page shows of a registry: its names and how they come."""

    registry: Registry
    sources: names.Sources

    @property
    def entered(self) -> list[str]:
        return names.entered(self.registry)

    @property
    def given(self) -> list[str]:
        return list(names.given(self.registry))

    @property
    def under(self) -> list[str]:
        return list(names.under(self.registry))


@never_cache
@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """The names given by hand, with a form for more."""
    return page(request, administered(request, registry), naming.Lines())


@require_POST
def add(request: Request, registry: str) -> HttpResponse:
    """Keep the names in the form and read what they name; none of them when one is wrong, or the registry
    knows nothing of it."""
    row = administered(request, registry)
    lines = naming.parse(row, request.POST.get("names", ""))
    if lines.faults:
        return page(request, row, lines, status=422)
    outcome = fetch.name(row, [name for _, name in lines.names])
    if outcome.unknown:
        return page(request, row, lines.without(outcome.unknown), status=422)
    count = len(lines.names)
    messages.success(request, f"{lines.names[0][1] if count == 1 else f'{count} repositories'} added.")
    for name, problem in list(outcome.problems.items())[:3]:
        messages.warning(request, f"{name} could not be read yet: {problem}")
    return HttpResponseRedirect(reverse("registry", args=[row.name]), status=303)


@require_POST
def remove(request: Request, registry: str) -> HttpResponse:
    """Forget one name."""
    row = administered(request, registry)
    name = request.POST.get("name", "")
    if name in names.entered(row):
        names.remove(row, name, timezone.now())
        messages.success(request, f"{name} is no longer among the names given by hand.")
    return HttpResponseRedirect(reverse("names", args=[row.name]), status=303)


def administered(request: Request, registry: str) -> Registry:
    row = access.registry(request.actor, registry)
    access.administer(request.actor, row)
    return row


def page(request: Request, row: Registry, lines: naming.Lines, status: int = 200) -> HttpResponse:
    shown = Naming(row, names.sources(access.repositories(request.actor, row)))
    context = {"naming": shown, "lines": lines}
    return htmx.render(request, "settings/names.html", context, status=status)
