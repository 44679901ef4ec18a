"""Reading a registry: having it done, and how far it is."""

from datetime import datetime

from django.utils import timezone
from ninja import Router

from regui.accounts import access
from regui.accounts.access import Actor, Right
from regui.api.v1.asking import Request
from regui.api.v1.schemas import Round, Sync
from regui.index import models, rounds

router = Router(tags=["sync"])

NUMBERS = ("repositories", "tags", "manifests", "requests", "total", "rate", "left")
ENDED_EARLY = "It ended before its time."
PLACE = "/registries/{reg:registry}/sync"


@router.get(PLACE, response=Sync)
def get_sync(request: Request, registry: str) -> Sync:
    """How far a registry's reading is."""
    return state(request.actor, access.registry(request.actor, registry), timezone.now())


@router.post(PLACE, response={202: Sync})
def start_sync(request: Request, registry: str) -> Sync:
    """Have all of a registry read as soon as a worker is free."""
    row, now = access.registry(request.actor, registry), timezone.now()
    access.govern(request.actor, row, Right.DELETE)
    rounds.ask(row, access.repositories(request.actor, row), now)
    row.refresh_from_db()
    return state(request.actor, row, now)


def state(actor: Actor, registry: models.Registry, now: datetime) -> Sync:
    """The round under way and the last that ended, as this actor may know of them."""
    whole = access.sees_all(actor, registry)

    def told(found: Round) -> Round:
        return found if whole else of_some(actor, registry, found)

    rows = models.Sync.objects.filter(registry=registry).select_related("registry").order_by("-started_at")
    running, last = rows.filter(finished_at=None).first(), rows.exclude(finished_at=None).first()
    return Sync(
        registry=registry.name,
        waiting=running is None and (registry.due_at is None or registry.due_at <= now),
        due_at=registry.due_at,
        as_of=registry.listed_at,
        running=told(under_way(running, now)) if running else None,
        last=told(ended(last)) if last else None,
    )


def under_way(row: models.Sync, now: datetime) -> Round:
    """A round, with how far it is."""
    progress = rounds.progress(row, now)
    return ended(row).model_copy(
        update={"total": progress.total, "rate": progress.rate, "left": progress.left}
    )


def ended(row: models.Sync) -> Round:
    return Round(
        started_at=row.started_at,
        finished_at=row.finished_at,
        repositories=row.repositories,
        tags=row.tags,
        manifests=row.manifests,
        requests=row.requests,
        failures=row.failures,
        problem=row.problem,
    )


def of_some(actor: Actor, registry: models.Registry, found: Round) -> Round:
    """A round for who sees only some of the registry: no number, for each is of all; of the problems those of
    what they see."""
    names = access.names_seen(actor, registry, [one["repository"] for one in found.failures])
    failures = [one for one in found.failures if one["repository"] in names]
    numbers = dict.fromkeys(NUMBERS)
    problem = ENDED_EARLY if found.problem else ""
    return found.model_copy(update={**numbers, "failures": failures, "problem": problem, "partial": True})
