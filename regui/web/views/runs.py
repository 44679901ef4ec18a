"""The runs of policies: their history, one of them, and what a person says to it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from regui.accounts import access
from regui.actions.models import Run
from regui.actions.retention import book, rights, runs
from regui.index.models import Registry
from regui.web import cleaning, dropped, forms, htmx, ran
from regui.web.comparing import since
from regui.web.http import Request, read_only
from regui.web.paging import paginate
from regui.web.parted import Parts

# Seconds between two looks at a run that hasn't ended.
AGAIN = 2


@never_cache
@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """The registry's runs that who asks may see, newest first, of one policy or in one state."""
    row = cleaning.registry(request.actor, registry)
    found = runs.visible(request.actor, row)
    policies = list(found.order_by("policy").values_list("policy", flat=True).distinct())
    policy, state = request.GET.get("policy", ""), request.GET.get("state", "")
    total = found.count()
    found = found.filter(policy=policy) if policy in policies else found
    found = found.filter(state=state) if state in Run.State.values else found
    page = paginate(request, found)
    context = {
        "page": page,
        "rows": ran.rows(request.actor, row, page),
        "policies": policies,
        "policy": policy,
        "state": state,
        "states": ran.STATE_CHOICES,
        "total": total,
        "filtered": bool(policy or state),
        "sees_policies": rights.sees_all(request.actor, row),
    }
    return htmx.render(request, "cleanup/runs.html", context, partials=["results"])


@never_cache
@read_only
def detail(request: Request, registry: str, run: str) -> HttpResponse:
    """A run: how far it is, what it found and why, and what became of it; as a file, too."""
    row = cleaning.registry(request.actor, registry)
    parts = Parts(found(request, row, run), row, request.actor)
    if request.GET.get("format") in dropped.FILES:
        return file(parts, request.GET["format"])
    words = forms.cleaned(request.GET.get("q", ""))
    rows = parts.every.filter(repository__icontains=words) if words else parts.every
    page = paginate(request, rows)
    policies = dict(book.visible(request.actor, row).values_list("name", "document"))
    back = ran.backs([parts.run]).get(parts.run.pk)
    told = ran.Told(parts.run, request.actor, parts.whole, policies, back)
    context = {
        "run": parts.run,
        "told": told,
        "parts": parts,
        "page": page,
        "rows": parts.rows(page),
        "q": words,
        "same": parts.run.is_of(policies.get(parts.run.policy)),
        "since": since(parts) if told.decided else None,
        "again": AGAIN,
    }
    return htmx.render(request, "cleanup/run.html", context, partials=["results", "parts"])


@read_only
def part(request: Request, registry: str, run: str, name: str) -> HttpResponse:
    """All that a run found in one repository."""
    row = cleaning.registry(request.actor, registry)
    parts = Parts(found(request, row, run), row, request.actor)
    mine = parts.rows(parts.every.filter(repository=name))
    if not mine:
        raise Http404(f"That run found nothing in a repository named {name}.")
    lines: Sequence[Any] = mine[0].lines
    context = {"run": parts.run, "row": mine[0], "page": paginate(request, lines)}
    return htmx.render(request, "cleanup/part.html", context, partials=["results"])


@require_POST
def approve(request: Request, registry: str, run: str) -> HttpResponse:
    """Let a run that asks go ahead."""
    row = cleaning.registry(request.actor, registry)
    one = found(request, row, run)
    if one.state == Run.State.ASKING:
        runs.approve(one, request.actor, timezone.now())
        messages.success(request, f"Approved: {one.policy} goes ahead.")
    else:
        messages.info(request, "It asks for nothing any more.")
    return back(one)


@require_POST
def decline(request: Request, registry: str, run: str) -> HttpResponse:
    """End a run that asks, or stop one before its next repository."""
    row = cleaning.registry(request.actor, registry)
    one = found(request, row, run)
    if one.state == Run.State.ASKING or one.is_open:
        ended = runs.decline(one, request.actor, timezone.now())
        messages.info(request, "It stops as soon as it can." if ended.is_open else "It was ended.")
    else:
        messages.info(request, "It has ended already.")
    return back(one)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: Request, registry: str, run: str) -> HttpResponse:
    """Ask whether all of a run is to be taken back, and do it."""
    row = cleaning.registry(request.actor, registry)
    one = found(request, row, run)
    parts = Parts(one, row, request.actor)
    rights.permit(request.actor, one)
    if request.method == "POST":
        one = runs.undo(one, request.actor, timezone.now())
        messages.info(request, "It is being taken back." if one.undo_at else "There is nothing to undo.")
        return back(one)
    page = paginate(request, parts.every.exclude(action=""))
    context = {"run": one, "parts": parts, "page": page, "rows": parts.rows(page)}
    return htmx.render(request, "cleanup/undo.html", context, partials=["results"])


def found(request: Request, registry: Registry, run: str) -> Run:
    """The run, when this actor may see it; else Http404."""
    one = runs.visible(request.actor, registry).filter(pk=run).first()
    if one is None:
        raise (Http404 if access.sees_all(request.actor, registry) else access.Hidden)("No such run.")
    return one


def back(run: Run) -> HttpResponse:
    return HttpResponseRedirect(reverse("run", args=[run.registry, run.pk]), status=303)


def file(parts: Parts, kind: str) -> HttpResponse:
    """What the run drops, as a file of that kind."""
    write, media_type = dropped.FILES[kind]
    answer = HttpResponse(write(parts), content_type=f"{media_type}; charset=utf-8")
    name = f"{parts.run.policy}-{parts.run.pk}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
