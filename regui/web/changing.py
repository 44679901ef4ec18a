"""The pages that ask before something changes: they show a plan, and run it when it is agreed to.

What was agreed to comes back as the fingerprint of what was shown, along with what that stands for, signed,
so that whatever differs by then can be named.
"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from regui import oci
from regui.accounts import access
from regui.actions import journal, kinds, plans, run, sight
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.index.models import Repository
from regui.web import downloads, errors, htmx, words
from regui.web.http import Request
from regui.web.shown import Question, Shown

P = ParamSpec("P")
View = Callable[Concatenate[Request, P], HttpResponse]

SALT = "regui.plan"
# Steps and tags of the largest plan that a form carries whole.
MOST_SIGNED = 4000
GONE = "What this is about is gone: someone has deleted it meanwhile."
DOUBT = "regui looks again by itself; what it finds will stand under Activity."
# What is carried out while its page waits; all else is a worker's.
SINGLE = frozenset({plans.UNTAG, plans.DELETE_DIGEST, plans.RETAG, plans.RESTORE})
# Of these, what takes something away, and so can be stopped for a moment.
GRACEFUL = frozenset({plans.UNTAG, plans.DELETE_DIGEST})


def changing(view: View[P]) -> View[P]:
    """A view that shows a plan and runs it: never cached, and never anything else."""
    return never_cache(require_http_methods(["GET", "HEAD", "POST"])(view))


def agree(
    request: Request,
    kind: str,
    repository: Repository,
    digest: str = "",
    asked: plans.Facts | None = None,
) -> plans.Agreed | None:
    """What the form says that was agreed to; None where none was sent, nor was one with only ticked rows, or
    for a file of its plan."""
    if request.method != "POST" or "ticked" in request.POST or downloads.wanted(request):
        return None
    return plans.Agreed(
        kind,
        repository.registry.name,
        repository.name,
        request.POST.get("fingerprint", ""),
        digest,
        asked or {},
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


def answer(
    request: Request,
    repository: Repository,
    look: Callable[[], Plan],
    agreed: plans.Agreed | None,
    digest: str = "",
) -> HttpResponse:
    """The plan's page or file, or where its running leads: 404 when what it is about is gone, 409 with what
    changed, 422 for a missing tick, or what went wrong."""
    if agreed is None:
        try:
            plan = look()
        except oci.NotFound as error:
            return gone(request, repository, digest, error)
        kind = downloads.wanted(request)
        if kind:
            return downloads.file(sight.plan(request.actor, plan), kind)
        return confirm(request, plan)
    try:
        action = begun(agreed, request)
    except oci.NotFound:
        return stale(request, agreed, [GONE])
    except run.Breaks as error:
        return confirm(request, error.plan, status=422, must_tick=True)
    except run.Stale as error:
        return stale(request, agreed, error.changed)
    except (run.Unchecked, run.Protected) as error:
        return confirm(request, error.plan, status=409)
    return told(request, repository, action)


def begun(agreed: plans.Agreed, request: Request) -> Action:
    """The action that was agreed to: carried out at once, or left to a worker, for many things or while the
    grace lasts. Raises like `run.start`."""
    if agreed.kind not in SINGLE:
        return run.start(agreed, request.actor, held=False)
    if agreed.kind in GRACEFUL and settings.DELETE_GRACE:
        return run.start(agreed, request.actor, held=False, grace=settings.DELETE_GRACE)
    return run.run(agreed, request.actor)


def confirm(request: Request, plan: Plan, *, status: int = 200, **more: object) -> HttpResponse:
    """The page that asks. The form carries the fingerprint of what it shows, and signed what that stands
    for."""
    plan, registry = sight.plan(request.actor, plan), access.registry(request.actor, plan.registry)
    context = {
        "plan": plan,
        "shown": Shown(plan, request.path),
        "words": words.of(plan),
        "name": plan.repository,
        "registry": registry,
        "sees_all": access.sees_all(request.actor, registry),
        "agreed": signed(plan),
        **more,
    }
    return htmx.render(request, "actions/plan.html", context, status=status)


def signed(plan: Plan) -> str:
    """What the plan says, for the form to bring back; empty when that is more than a form should carry: what
    differs then can't be named, but it is still noticed."""
    if len(plan.steps) + len(plan.tags) + len(plan.protected) > MOST_SIGNED:
        return ""
    return signing.dumps(plan.facts, salt=SALT, compress=True)


def stale(request: Request, agreed: plans.Agreed, changed: list[str]) -> HttpResponse:
    """409: nothing was changed, and why."""
    context = {
        "plan": agreed,
        "shown": Question(agreed, request.path),
        "nothing": words.nothing(agreed.kind),
        "name": agreed.repository,
        "registry": access.registry(request.actor, agreed.registry),
        "changed": changed,
    }
    return htmx.render(request, "actions/stale.html", context, status=409)


def gone(request: Request, repository: Repository, digest: str, error: oci.NotFound) -> HttpResponse:
    """404: there is nothing left to change, and who did it when the journal knows."""
    about = journal.about(repository, digest) if digest else Action.objects.none()
    context = {
        "name": repository.name,
        "registry": repository.registry,
        "digest": digest,
        "action": about.first(),
        "error": error,
    }
    return htmx.render(request, "actions/gone.html", context, status=404)


def told(request: Request, repository: Repository, action: Action) -> HttpResponse:
    """Where an action leads: to the repository when it was carried out or soon will be, to its own page when
    a worker has it, else to a page that says why not."""
    state = Action.State
    there = reverse("repository", args=[action.registry, action.repository])
    if action.state == state.FAILED and action.error_code == oci.Unsupported.code:
        return errors.deletes_off(request, action.reason, action.hint)
    if action.state == state.FAILED:
        return errors.respond(request, errors.of_registry(action.error_code, action.reason, action.hint))
    if action.state == state.RUNNING:
        title = "Nobody knows yet whether it was done"
        return errors.respond(request, errors.Problem(504, title, action.reason, DOUBT, icon="hourglass"))
    if action.state == state.WAITING and action.not_before is None:
        there = reverse("action", args=[action.pk])
    elif action.state == state.WAITING:
        seconds = int(settings.DELETE_GRACE.total_seconds())
        messages.info(request, words.soon(action, seconds), extra_tags=f"stop:{action.pk}")
    elif action.state == state.PARTIAL:
        messages.warning(request, action.reason)
    else:
        may_undo = request.actor.may(kinds.RIGHTS[plans.UNDO], action.registry, action.repository)
        undo = f"undo:{action.pk}" if action.kind != plans.UNDO and may_undo else ""
        messages.success(request, words.sentence(action), extra_tags=undo)
    return HttpResponseRedirect(there, status=303)
