"""Reading a registry: having it done, and how far it is."""

from datetime import datetime

from django.utils import timezone
from ninja import Router

from regui.accounts import access
from regui.accounts.access import Right
from regui.api.v1.asking import Request
from regui.api.v1.schemas import Round, Sync
from regui.index import models, rounds

router = Router(tags=["sync"])

PLACE = "/registries/{reg:registry}/sync"


@router.get(PLACE, response=Sync)
def get_sync(request: Request, registry: str) -> Sync:
    """How far a registry's reading is."""
    return state(access.registry(request.actor, registry), timezone.now())


@router.post(PLACE, response={202: Sync})
def start_sync(request: Request, registry: str) -> Sync:
    """Have all of a registry read as soon as a worker is free."""
    row, now = access.registry(request.actor, registry), timezone.now()
    access.govern(request.actor, row, Right.DELETE)
    rounds.ask(row, access.repositories(request.actor, row), now)
    row.refresh_from_db()
    return state(row, now)


def state(registry: models.Registry, now: datetime) -> Sync:
    """The round under way and the last that ended."""
    rows = models.Sync.objects.filter(registry=registry).select_related("registry").order_by("-started_at")
    running, last = rows.filter(finished_at=None).first(), rows.exclude(finished_at=None).first()
    return Sync(
        registry=registry.name,
        waiting=running is None and (registry.due_at is None or registry.due_at <= now),
        due_at=registry.due_at,
        as_of=registry.listed_at,
        running=under_way(running, now) if running else None,
        last=ended(last) if last else None,
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
