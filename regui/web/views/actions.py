"""What changes a registry, and the journal of it."""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from regui import oci
from regui.accounts import access
from regui.actions import delete, journal, plans, run
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.index import search
from regui.index.models import Repository
from regui.web import deeds, errors, forms, htmx
from regui.web.http import Request, read_only
from regui.web.paging import paginate

SALT = "regui.plan"
NAMED = 5
GONE = "The digest itself is gone: someone has deleted it meanwhile."
DOUBT = "regui looks again by itself; what it finds will stand under Activity."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete_manifest(request: Request, registry: str, name: str, digest: oci.Digest) -> HttpResponse:
    """The page that says all a delete would touch, and the delete itself."""
    row = access.registry(request.actor, registry)
    repository = access.repository(request.actor, row, name, access.Right.DELETE)
    answer = submitted if request.method == "POST" else asked
    return answer(request, repository, digest)


def asked(request: Request, repository: Repository, digest: oci.Digest) -> HttpResponse:
    """The plan, as the registry is now; 404 when the digest is gone."""
    try:
        plan = delete.look(repository, digest)
    except oci.NotFound:
        return gone(request, repository, digest)
    return confirm(request, plan)


def submitted(request: Request, repository: Repository, digest: oci.Digest) -> HttpResponse:
    """On to the repository once it is deleted; 409 with what changed, 422 for a missing tick, or what went
    wrong."""
    try:
        action = run.run(agreed(request, plans.DELETE_DIGEST, repository, digest), request.actor)
    except oci.NotFound:
        return stale(request, delete.plan(repository, digest, None, timezone.now()), [GONE])
    except run.Breaks as error:
        return confirm(request, error.plan, status=422)
    except run.Stale as error:
        return stale(request, error.plan, error.changed)
    except run.Unchecked as error:
        return confirm(request, error.plan, status=409)
    return told(request, repository, action)


def confirm(request: Request, plan: Plan, *, status: int = 200) -> HttpResponse:
    """The confirm page. The form carries the fingerprint of what it shows, and signed what that stands for,
    so that whatever changes meanwhile can be named."""
    context = {
        "plan": plan,
        "name": plan.repository,
        "agreed": signing.dumps(plan.facts, salt=SALT, compress=True),
        "must_tick": status == 422,
    }
    return htmx.render(request, "actions/delete.html", context, status=status)


def agreed(
    request: Request, kind: str, repository: Repository, digest: str = "", **asked: Any
) -> plans.Agreed:
    """What the form says that was agreed to."""
    return plans.Agreed(
        kind,
        repository.registry.name,
        repository.name,
        request.POST.get("fingerprint", ""),
        digest,
        asked,
        facts(request),
        understood="understood" in request.POST,
    )


def facts(request: Request) -> plans.Facts | None:
    """What the page showed; None when it isn't our page's, or not of this fingerprint."""
    try:
        shown: plans.Facts = signing.loads(request.POST.get("agreed", ""), salt=SALT)
    except signing.BadSignature:
        return None
    return shown if plans.fingerprint(shown) == request.POST.get("fingerprint") else None


def stale(request: Request, plan: Plan, changed: list[str]) -> HttpResponse:
    """409: nothing was deleted, and why."""
    context = {"plan": plan, "name": plan.repository, "changed": changed}
    return htmx.render(request, "actions/stale.html", context, status=409)


def gone(request: Request, repository: Repository, digest: oci.Digest) -> HttpResponse:
    """404: there is nothing left to delete, and who did it when the journal knows."""
    about = journal.about(repository, digest)
    context = {"name": repository.name, "digest": digest, "action": about.first()}
    return htmx.render(request, "actions/gone.html", context, status=404)


def told(request: Request, repository: Repository, action: Action) -> HttpResponse:
    """Where an action leads: to the repository when it was carried out, else to a page that says why not."""
    if action.state == Action.State.FAILED and action.error_code == oci.Unsupported.code:
        return errors.deletes_off(request, action.reason, action.hint)
    if action.state == Action.State.FAILED:
        return errors.respond(request, errors.of_registry(action.error_code, action.reason, action.hint))
    if action.state == Action.State.RUNNING:
        title = "Nobody knows yet whether it was deleted"
        return errors.respond(request, errors.Problem(504, title, action.reason, DOUBT, icon="hourglass"))
    if action.state == Action.State.PARTIAL:
        messages.warning(request, action.reason)
    else:
        messages.success(request, sentence(action))
    there = reverse("repository", args=[repository.registry.name, repository.name])
    return HttpResponseRedirect(there, status=303)


def sentence(action: Action) -> str:
    """What was done, short enough for a toast."""
    tags = action.tags
    said = f"Deleted {plans.shortened(action.digest)} from {action.repository}"
    if not tags:
        return f"{said}."
    more = f" and {len(tags) - NAMED} more" if len(tags) > NAMED else ""
    return f"{said}, and with it the tag{'s' if len(tags) > 1 else ''} {', '.join(tags[:NAMED])}{more}."


@read_only
def activity(request: Request) -> HttpResponse:
    """The journal: what was done, by whom, when, and how it ended; newest first."""
    if not request.actor.may(access.Right.SEE):
        raise access.Forbidden(request.actor, access.Right.SEE, "the activity here")
    wanted = forms.wanted(request.GET, keys=search.NAMED)
    every = journal.visible(request.actor)
    page = paginate(request, every.matching(wanted.query).defer("plan"))
    context = {
        "page": page,
        "deeds": deeds.told(page),
        "wanted": wanted,
        "total": every.count() if wanted.q else page.paginator.count,
    }
    return htmx.render(request, "actions/activity.html", context, partials=("results",))
