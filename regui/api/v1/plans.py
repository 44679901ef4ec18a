"""Plans: what a change would touch. Making one changes nothing."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404
from ninja import Router

from regui import oci
from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions import documents, journal, kinds, overriding, plans, run, sight, undo
from regui.actions.models import Action
from regui.api.problems import Problem
from regui.api.v1.asking import Request
from regui.api.v1.changes import Plan, Wish
from regui.index import search
from regui.index.models import Repository

router = Router(tags=["plans"])

# What makes no sense for a repository that nothing is known of.
OF_KNOWN = frozenset({plans.DELETE_TAGS, plans.DELETE_REPOSITORY, plans.DELETE_UNTAGGED})


@router.post("/plans", response=Plan)
def make_plan(request: Request, wish: Wish) -> dict[str, Any]:
    """What a change would touch, asked of the registry just now. Nothing is changed: send what comes back to
    /actions for that."""
    given = wish.model_dump()
    repository = target(request.actor, wish.kind, wish.registry, wish.repository, given)
    if wish.q is not None and wish.kind == plans.DELETE_TAGS:
        given["tags"] = names(repository, wish.q)
    return documents.of_plan(sight.plan(request.actor, kinds.plan(repository, wish.kind, given)))


def target(actor: Actor, kind: str, registry: str, name: str, given: Mapping[str, Any]) -> Repository:
    """The repository that a change of this kind is about. Raises as `access.repository`, and a problem when
    there is nothing to undo."""
    action = action_of(actor, str(given["action"])) if kind == plans.UNDO else None
    if action is not None:
        registry, name = action.registry, action.repository
    row = access.registry(actor, registry)
    repository = access.repository(actor, row, oci.check_repository(name), kinds.RIGHTS[kind])
    overriding.require(actor, row, given)
    if kind == plans.COPY:
        run.see_source(actor, kinds.asked(kind, given)[1])
    if repository.pk is None and kind in OF_KNOWN:
        raise Http404(f"Nothing is known of a repository named {name}.")
    if action is not None and action.state not in undo.UNDOABLE:
        why = f"It is {action.state}: there is nothing to take back."
        raise Problem(409, "not-undoable", why, "Only what is done, or partly done, can be.")
    return repository


def action_of(actor: Actor, pk: str) -> Action:
    """The action, when this actor may see it; else Http404."""
    action = journal.visible(actor).prefetch_related(None).filter(pk=pk).first()
    if action is None:
        raise Http404("No such action.")
    return action


def names(repository: Repository, query: str) -> list[str]:
    """The tags that a query finds; raises a problem when it finds none."""
    rows = search.tags(repository.tags.visible(), search.parse(query))
    found = list(rows.order_by().values_list("name", flat=True))
    if not found:
        hint = "The list of tags finds by the same words what the index has."
        raise Problem(422, "no-tags", f"No tag is found by {query}.", hint)
    return found
