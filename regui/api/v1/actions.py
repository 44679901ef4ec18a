"""Actions: plans that are carried out, and the journal of all that were."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router

from regui import oci
from regui.accounts import access
from regui.actions import journal, kinds, plans, run, sight
from regui.actions.models import Action
from regui.api.problems import Problem
from regui.api.v1 import errors
from regui.api.v1.asking import Request
from regui.api.v1.changes import AnyKind, Done, Order, Plan, Result
from regui.api.v1.paging import USUAL, By, Cursor, Limit, page
from regui.api.v1.plans import action_of, target
from regui.api.v1.repositories import Words
from regui.api.v1.schemas import Page
from regui.index import search

router = Router(tags=["actions"])

NEWEST = [By("started_at", falling=True), By("id", falling=True)]
GONE = "What this is about is gone: someone has deleted it meanwhile."


@router.get("/actions", response=Page[Done])
def list_actions(
    request: Request,
    response: HttpResponse,
    q: Words = "",
    state: Action.State | None = None,
    kind: AnyKind | None = None,
    cursor: Cursor = "",
    limit: Limit = USUAL,
) -> Page[Done]:
    """The journal, newest first: what was done, by whom, and how it ended."""
    rows = journal.found(request.actor, search.parse(q, search.NAMED)).prefetch_related(None)
    rows = rows.filter(**{name: value for name, value in {"state": state, "kind": kind}.items() if value})
    paged = page(request, response, rows, NEWEST, cursor, limit)
    counts = journal.counts(paged.rows)
    items = [Done.of(row, counts) for row in sight.actions(request.actor, paged.rows)]
    return Page(items=items, next=paged.next)


@router.post("/actions", response={202: Done})
def start_action(request: Request, response: HttpResponse, order: Order) -> Done:
    """Have a plan carried out by a worker. It is made anew first, from what the registry has now; nothing is
    changed when that comes to anything else than what was sent."""
    given = order.given
    repository = target(request.actor, order.kind, order.registry, order.repository, given)
    if order.kind == plans.DELETE_REPOSITORY and order.confirm != repository.name:
        hint = f'Send "confirm": "{repository.name}" along with the plan.'
        raise Problem(422, "unconfirmed", "All of a repository goes only when its name is sent along.", hint)
    agreed = order.agreed(repository, *kinds.asked(order.kind, given))
    try:
        action = run.start(agreed, request.actor, held=False)
    except oci.NotFound:
        raise errors.stale([GONE], None) from None
    response["Location"] = reverse("v1:get_action", args=[action.pk])
    return Done.of(action, journal.counts([action]))


@router.get("/actions/{slug:pk}", response=Done, url_name="get_action")
def get_action(request: Request, pk: str) -> Done:
    """One action: how far it is, or how it ended."""
    action = sight.action(request.actor, action_of(request.actor, pk))
    return Done.of(action, journal.counts([action]))


@router.get("/actions/{slug:pk}/plan", response=Plan)
def get_action_plan(request: Request, pk: str) -> Mapping[str, Any]:
    """The plan that an action carries out, as it was agreed to."""
    return sight.document(request.actor, action_of(request.actor, pk))


@router.get("/actions/{slug:pk}/items", response=Page[Result])
def list_action_items(
    request: Request, response: HttpResponse, pk: str, cursor: Cursor = "", limit: Limit = USUAL
) -> Page[Result]:
    """What became of each step of an action, and of each tag that went along, in their order."""
    action = action_of(request.actor, pk)
    paged = page(request, response, action.items.all(), [By("position")], cursor, limit)
    items = [Result.of(row) for row in sight.items(request.actor, action, paged.rows)]
    return Page(items=items, next=paged.next)


@router.post("/actions/{slug:pk}/stop", response={202: Done})
def stop_action(request: Request, pk: str) -> Done:
    """Stop an action before its next step; at once when it hasn't begun. What was done stays done."""
    action = action_of(request.actor, pk)
    row = access.registry(request.actor, action.registry)
    access.require(request.actor, row, action.repository, kinds.RIGHTS[action.kind])
    if not action.is_open:
        raise Problem(409, "ended", f"It is {action.state} already.", "What was done may be undone.")
    stopped = sight.action(request.actor, journal.cancel(action, timezone.now()))
    return Done.of(stopped, journal.counts([stopped]))
