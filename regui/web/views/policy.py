"""One policy: what it says, when it runs, and what came of it; and the buttons for it."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from regui.actions.models import PolicyRow, Run
from regui.actions.retention import book, runs
from regui.web import cleaning, htmx, ruled
from regui.web.http import Request, read_only


@never_cache
@read_only
def detail(request: Request, registry: str, policy: str) -> HttpResponse:
    """A policy's rules in words, its next runs, and those there were."""
    row = cleaning.registry(request.actor, registry)
    page = ruled.Page(book.named(request.actor, row, policy), request.actor, row, timezone.now())
    context = {"policy": page.row, "words": page.words, "page": page}
    return htmx.render(request, "cleanup/policy.html", context, partials=["runs"])


@require_POST
def begin(request: Request, registry: str, policy: str) -> HttpResponse:
    """Run it now; one that nobody has approved only looks, and then asks."""
    return begun(request, changed(request, registry, policy), dry=False)


@require_POST
def attempt(request: Request, registry: str, policy: str) -> HttpResponse:
    """Have it look what it would do."""
    return begun(request, changed(request, registry, policy), dry=True)


@require_POST
def pause(request: Request, registry: str, policy: str) -> HttpResponse:
    """Let it rest."""
    return paused(request, changed(request, registry, policy), rests=True)


@require_POST
def resume(request: Request, registry: str, policy: str) -> HttpResponse:
    """Let it go on."""
    return paused(request, changed(request, registry, policy), rests=False)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: Request, registry: str, policy: str) -> HttpResponse:
    """Ask whether it is to be forgotten, and forget it."""
    row = changed(request, registry, policy)
    if request.method != "POST":
        context = {"policy": row, "words": ruled.Words(row.policy)}
        return htmx.render(request, "cleanup/remove.html", context)
    book.remove(row, request.actor)
    messages.success(request, f"{row.name} is removed. What its runs did stays under Runs.")
    return HttpResponseRedirect(listed(registry), status=303)


def changed(request: Request, registry: str, policy: str) -> PolicyRow:
    """The policy, for who may change it. Raises like `book.named`."""
    row = cleaning.registry(request.actor, registry)
    return book.named(request.actor, row, policy, change=True)


def begun(request: Request, policy: PolicyRow, *, dry: bool) -> HttpResponse:
    """On to the run that was begun, or was under way already."""
    run = runs.begin(policy, request.actor, Run.Trigger.PERSON, timezone.now(), dry=dry)
    return HttpResponseRedirect(reverse("run", args=[policy.registry, run.pk]), status=303)


def paused(request: Request, policy: PolicyRow, *, rests: bool) -> HttpResponse:
    book.pause(policy, request.actor, timezone.now(), paused=rests)
    messages.success(request, f"{policy.name} {'is paused' if rests else 'goes on'}.")
    return HttpResponseRedirect(reverse("policy", args=[policy.registry, policy.name]), status=303)


def listed(registry: str) -> str:
    """Where the policies of a registry stand."""
    try:
        return reverse("policies", args=[registry])
    except NoReverseMatch:
        return reverse("runs", args=[registry])
