"""The policies of a registry: their list, the form for one, and what it would do as it stands there."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from regui.accounts import access
from regui.actions.retention import book, freeing, rights
from regui.index.models import Registry
from regui.retention.reading import Invalid
from regui.web import cleaning, foreseen, htmx, listing, reasons
from regui.web.drafts import Draft
from regui.web.editing import Form
from regui.web.http import Request, read_only
from regui.web.reasons import Filter
from regui.web.starting import STARTS

# The fields, and what they would do: a button that changes the fields has them ask for that anew.
DRAFT, LOOK = "draft", "preview"
with_form = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """The policies that this actor may see, each with what comes next and what came of it last."""
    row = cleaning.registry(request.actor, registry)
    context = {
        "rows": listing.rows(request.actor, row, timezone.now()),
        "may_add": book.may_add(request.actor, row),
        "sees_policies": rights.sees_all(request.actor, row),
        "starts": STARTS,
    }
    return htmx.render(request, "cleanup/policies.html", context)


@never_cache
@with_form
def add(request: Request, registry: str) -> HttpResponse:
    """A form for a new policy, filled in with the form's own fields in the address, or what `from` names; 422
    when it says none."""
    row = writable(request, registry)
    if request.method == "POST":
        return saved(request, Form(row, Draft.posted(request.POST), timezone.now(), said=True))
    start = STARTS.get(request.GET.get("from", ""))
    draft = Draft.filled(request.GET) if "name" in request.GET else start.draft if start else Draft()
    return page(request, Form(row, draft, timezone.now()))


@never_cache
@with_form
def edit(request: Request, registry: str, policy: str) -> HttpResponse:
    """A form for a policy as it is; 422 when it says none any more, 409 when somebody saved another since."""
    row = writable(request, registry)
    found = book.named(request.actor, row, policy, change=True)
    if request.method == "POST":
        mark = request.POST.get("mark", "")
        form = Form(row, Draft.posted(request.POST), timezone.now(), found.name, said=True, mark=mark)
        return saved(request, form)
    return page(request, Form(row, Draft.of(found.policy), timezone.now(), found.name, mark=found.mark))


@never_cache
@require_POST
def preview(request: Request, registry: str) -> HttpResponseBase:
    """What is in the form, once a button has had its way with it, and what that would do. Nothing is kept."""
    form = sent(request, writable(request, registry))
    kind, asked = reasons.wants_file(request.POST), Filter.of(request.POST)
    if kind and form.policy:
        return reasons.file(request, form.registry, form.policy, asked, form.now, kind)
    status = 200 if htmx.swapped(request) or form.policy or not form.said else 422
    return page(request, form, looked=True, status=status)


@never_cache
@require_POST
def freed(request: Request, registry: str) -> HttpResponse:
    """The part of the preview that takes longer: the bytes, and what is new since the last run."""
    form = sent(request, writable(request, registry))
    context = {"form": form, "late": late(request, form) if form.policy else None}
    return htmx.render(request, "cleanup/late.html", context)


@never_cache
@read_only
def tags(request: Request, registry: str, policy: str) -> HttpResponseBase:
    """Every tag that a policy is about, with the reason why it is kept or dropped."""
    row = cleaning.registry(request.actor, registry)
    found, now, asked = book.named(request.actor, row, policy).policy, timezone.now(), Filter.of(request.GET)
    kind = reasons.wants_file(request.GET)
    if kind:
        return reasons.file(request, row, found, asked, now, kind)
    listed = reasons.listed(row, found, request.actor, now, asked)
    context = {"policy": found, "listed": listed, "filter": asked}
    return htmx.render(request, "cleanup/tags.html", context, partials=["results"])


def writable(request: Request, registry: str) -> Registry:
    """The registry, when this actor may have policies there; else Forbidden."""
    row = access.registry(request.actor, registry)
    if not book.may_add(request.actor, row):
        raise access.Forbidden(request.actor, access.Right.DELETE, row.name, row.name)
    return row


def sent(request: Request, row: Registry) -> Form:
    """The form as it was sent, after the button that was pressed. What is wrong is told beside its field once
    somebody asks what it does, not while rules are put together."""
    does, _, what = request.POST.get("do", "").partition(":")
    draft = Draft.posted(request.POST).changed(does, what, request.POST.get("kind", ""))
    original, mark = request.POST.get("original", ""), request.POST.get("mark", "")
    if original:
        original = book.named(request.actor, row, original, change=True).name
    return Form(row, draft, timezone.now(), original, said=not does, mark=mark)


def page(request: Request, form: Form, *, looked: bool = False, status: int = 200) -> HttpResponse:
    """The form's page; with what it would do when that was asked for, else the page asks by itself."""
    context: dict[str, object] = {
        "form": form,
        "asked": looked,
        "filter": Filter.of(request.POST),
        "swapped": htmx.swapped(request),
    }
    if looked and form.policy and htmx.swapped(request) != DRAFT:
        given = form.registry, form.policy, request.actor, form.now
        context["foreseen"] = foreseen.foresee(*given)
        context["listed"] = reasons.listed(*given, Filter.of(request.POST))
        context["late"] = late(request, form) if "late" in request.POST else None
    return htmx.render(request, "cleanup/edit.html", context, partials=(DRAFT, LOOK), status=status)


def late(request: Request, form: Form) -> dict[str, object]:
    """What takes longer: the bytes freed, and the difference to the policy's last run."""
    assert form.policy is not None
    given = form.registry, form.policy, request.actor, form.now
    row = book.named(request.actor, form.registry, form.original) if form.original else None
    return {"freed": freeing.freed(*given), "since": foreseen.since(row, *given) if row else None}


def saved(request: Request, form: Form) -> HttpResponse:
    """On to the policy's page, once it is kept; else the form with what is wrong, or what is there by now.
    `over` names the one that somebody has been told of and wants to replace."""
    if form.policy is None:
        return page(request, form, status=422)
    actor, row = request.actor, form.registry
    original = book.named(actor, row, form.original, change=True) if form.original else None
    try:
        opened = request.POST.get("over") or form.mark
        kept = book.save(actor, row, form.policy, form.now, original, opened=opened)
    except Invalid as error:
        return page(request, form.blaming(error), status=422)
    except book.Newer as error:
        return page(request, form.beside(error.row), status=409)
    messages.success(request, f"Saved {kept.name}.")
    return HttpResponseRedirect(reverse("policy", args=[row.name, kept.name]), status=303)
