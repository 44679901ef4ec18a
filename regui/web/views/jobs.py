"""Jobs: what goes on behind the pages, and the buttons that set it going."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from regui.accounts import access
from regui.index import fetch, rounds
from regui.web import htmx, work
from regui.web.http import Request, read_only


@never_cache
@read_only
def index(request: Request) -> HttpResponse:
    """Rounds that run and how far they are, those that ended, what failed and when it is tried again, and
    what isn't believed."""
    access.look(request.actor, "the jobs here")
    now = timezone.now()
    context = {"work": work.of(request.actor, now), "now": now}
    return htmx.render(request, "jobs/index.html", context, partials=["jobs"])


@require_POST
def read(request: Request, registry: str) -> HttpResponse:
    """Have all of a registry read as soon as a worker is free."""
    row = access.registry(request.actor, registry)
    access.govern(request.actor, row, access.Right.DELETE)
    rounds.ask(row, access.repositories(request.actor, row), timezone.now())
    return redirect("jobs")


@require_POST
def believe(request: Request, registry: str) -> HttpResponse:
    """List a registry, or the repository that the form names, once more, and believe what it says: what is
    no longer there may leave."""
    row = access.registry(request.actor, registry)
    name = request.POST.get("repository", "")
    # What isn't believed would otherwise be let go by a reader.
    if name:
        repository = access.repository(request.actor, row, name, access.Right.DELETE)
    else:
        access.govern(request.actor, row, access.Right.DELETE)
        repository = None
    fetch.confirm(repository or row)
    messages.success(request, f"{name or row.name} is now as the registry says.")
    return redirect("jobs")
