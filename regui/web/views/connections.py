"""How registries are reached: those that people add here, and a look at those of the environment."""

from collections.abc import Mapping

from django.contrib import messages
from django.db import IntegrityError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from regui.accounts import access, audit
from regui.index import book
from regui.index.models import Entry, Registry
from regui.registries import RegistrySettings
from regui.web import connecting, errors, htmx, tested
from regui.web.connecting import Draft, Form
from regui.web.http import Request

What = audit.What
SECRETS = ("password", "key")
page_with_form = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@sensitive_post_parameters(*SECRETS)
@page_with_form
def add(request: Request) -> HttpResponse:
    """The form for one more registry; 422 when it says none."""
    access.site_admin(request.actor)
    if request.method != "POST":
        return page(request, Draft(Form()))
    draft = Draft(Form.of(request.POST))
    faults = draft.faults() or kept(request, draft)
    if faults:
        return page(request, draft, faults=faults)
    tell(request, What.REGISTRY_ADDED, draft.record.name, draft.record.url)
    messages.success(request, f"{draft.record.name} was added. It is being read in the background.")
    return HttpResponseRedirect(reverse("registry", args=[draft.record.name]), status=303)


@never_cache
@sensitive_post_parameters(*SECRETS)
@page_with_form
def edit(request: Request, registry: str) -> HttpResponse:
    """How a registry is reached, to be changed; only to be read when the environment says it."""
    row = administered(request, registry)
    if record := book.given(row.name):
        if request.method == "POST":
            return errors.respond(request, given(record))
        return htmx.render(request, "settings/given.html", {"record": record, "row": row})
    entry = entered(row.name)
    if request.method != "POST":
        return page(request, Draft(Form.showing(entry), entry), row=row)
    draft = Draft(Form.of(request.POST), entry)
    if faults := draft.faults():
        return page(request, draft, row=row, faults=faults)
    changes = draft.changes
    kept(request, draft)
    tell(request, What.REGISTRY_CHANGED, row.name, changes)
    messages.success(request, f"The connection of {row.name} was saved.")
    return HttpResponseRedirect(reverse("connection", args=[row.name]), status=303)


@never_cache
@sensitive_post_parameters(*SECRETS)
@require_POST
def test_new(request: Request) -> HttpResponse:
    """Ask a registry as the form says, without keeping anything."""
    access.site_admin(request.actor)
    draft = Draft(Form.of(request.POST))
    return page(request, draft, outcome=tested.of(draft, None))


@never_cache
@sensitive_post_parameters(*SECRETS)
@require_POST
def test(request: Request, registry: str) -> HttpResponse:
    """The same of one that is there, with its password where none was typed."""
    row = administered(request, registry)
    draft = Draft(Form.of(request.POST), entered(row.name))
    return page(request, draft, row=row, outcome=tested.of(draft, row))


@require_POST
def hide(request: Request, registry: str) -> HttpResponse:
    """Take a registry off the pages; nothing is forgotten."""
    row = administered(request, registry)
    entered(row.name)
    book.hide(row.name, request.actor.name, timezone.now())
    tell(request, What.REGISTRY_HIDDEN, row.name)
    messages.success(request, f"{row.name} is hidden. What regui remembers of it stays.")
    return HttpResponseRedirect(reverse("settings"), status=303)


@require_POST
def show(request: Request, registry: str) -> HttpResponse:
    """Bring a hidden registry back."""
    access.site_admin(request.actor)
    entry = entered(registry)
    book.show(entry.name, request.actor.name, timezone.now())
    tell(request, What.REGISTRY_CHANGED, entry.name, "shown again")
    messages.success(request, f"{entry.name} is back.")
    return HttpResponseRedirect(reverse("settings"), status=303)


def administered(request: Request, registry: str) -> Registry:
    row = access.known(request.actor, registry)  # its settings are there for who can't look into it, too
    access.administer(request.actor, row)
    return row


def entered(name: str) -> Entry:
    """The entry of that name; Http404 when people entered none, or the environment comes before it."""
    entry = Entry.objects.filter(name=name).first()
    if entry is None or book.given(name):
        raise Http404(f"Nobody added a registry {name} here.")
    return entry


def given(record: RegistrySettings) -> errors.Problem:
    """What there is to say when the environment says how a registry is reached."""
    return errors.Problem(
        409,
        "The connection comes from the environment",
        f"{record.prefix}_URL, and what is set beside it, say how {record.name} is reached.",
        "Change it there.",
        icon="lock",
    )


def kept(request: Request, draft: Draft) -> dict[str, str]:
    """Keep what the form comes to; the fault, when somebody was faster to add one of that name."""
    try:
        book.write(draft.record, request.actor.name, timezone.now(), new=draft.entry is None)
    except IntegrityError:
        return {"name": f"There is a registry {draft.record.name} already."}
    return {}


def tell(request: Request, what: audit.What, name: str, detail: str = "") -> None:
    """Write into the journal of access what was done to a registry. No secret is among the words."""
    audit.note(what, request.actor.name, request.actor.address, name, detail)


def page(
    request: Request,
    draft: Draft,
    *,
    row: Registry | None = None,
    faults: Mapping[str, str] | None = None,
    outcome: tested.Tested | None = None,
) -> HttpResponse:
    """The form with what was typed, but for the secrets."""
    found = faults or (outcome.faults if outcome else {})
    context = {
        "draft": connecting.without_secrets(draft),
        "row": row,
        "faults": found or draft.lost,
        "focus": next(iter(found), ""),
        "tested": outcome,
    }
    status = 422 if found else 200
    return htmx.render(request, "settings/connection.html", context, partials=["tested"], status=status)
