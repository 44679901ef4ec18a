"""The work that goes on behind the pages: rounds through registries, what they couldn't read, what they
doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from regui.accounts import access
from regui.index import names, rounds
from regui.index.models import Registry, Repository, Sync

# How many of each are shown, and how long a round that is due may wait for a worker before someone is told.
RECENT, NAMED, PATIENCE = 20, 50, timedelta(minutes=1)


@dataclass(frozen=True)
class Running:
    """A round under way."""

    sync: Sync
    progress: rounds.Progress


@dataclass(frozen=True)
class Ended:
    """A round that came to its end, `seconds` after it began."""

    sync: Sync
    seconds: float


@dataclass(frozen=True)
class State:
    """What a registry's work has come to. `waiting` says that a round is due and nobody has begun it, `alone`
    that nobody has for so long that no worker can be there. `sources` is how names come where the catalog
    isn't all there is to it."""

    registry: Registry
    running: Sequence[Running]
    waiting: bool
    alone: bool
    doubted: Sequence[Repository]
    failing: Sequence[Repository]
    failures: int
    sources: names.Sources | None


@dataclass(frozen=True)
class Work:
    """All of it; `moving` says that the page will look different in a moment."""

    states: Sequence[State]
    ended: Sequence[Ended]

    @property
    def moving(self) -> bool:
        return any(state.running or (state.waiting and not state.alone) for state in self.states)


def of(actor: access.Actor, now: datetime) -> Work:
    """The work on the registries that this actor may see."""
    registries = list(access.registries(actor))
    syncs = Sync.objects.filter(registry__in=registries).select_related("registry").order_by("-started_at")
    running = [Running(sync, rounds.progress(sync, now)) for sync in syncs.filter(finished_at=None)]
    ended = [
        Ended(sync, (sync.finished_at - sync.started_at).total_seconds())
        for sync in syncs.exclude(finished_at=None)[:RECENT]
        if sync.finished_at is not None
    ]
    return Work([state(actor, row, running, now) for row in registries], ended)


def state(actor: access.Actor, registry: Registry, running: Sequence[Running], now: datetime) -> State:
    """One registry's."""
    mine = [one for one in running if one.sync.registry_id == registry.pk]
    late = registry.due_at is None or registry.due_at <= now
    listed = access.repositories(actor, registry)
    failing = listed.exclude(problem="")
    return State(
        registry=registry,
        running=mine,
        waiting=late and not mine,
        alone=late and (registry.due_at is None or now - registry.due_at > PATIENCE),
        doubted=list(listed.exclude(doubt="").order_by("name")[:NAMED]),
        failing=list(failing.order_by("name")[:NAMED]),
        failures=failing.count(),
        sources=names.sources(listed) if registry.unlisted or names.by_hand(registry) else None,
    )
