"""The work that goes on behind the pages: rounds through registries, what they couldn't read, what they
doubt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from regui.accounts import access, hush
from regui.accounts.access import Right
from regui.index import names, rounds
from regui.index.models import Registry, Repository, Sync

# How many of each are shown, and how long a round that is due may wait for a worker before someone is told.
RECENT, NAMED, PATIENCE = 20, 50, timedelta(minutes=1)
# How many failures of a round are looked through for those that somebody may see.
LOOKED_AT = 1000


@dataclass(frozen=True)
class Running:
    """A round under way."""

    sync: Sync
    progress: rounds.Progress


@dataclass(frozen=True)
class Ended:
    """A round that came to its end, `seconds` after it began. `failures` are of what somebody may see; the
    other numbers are of all, and told where `whole` says so."""

    sync: Sync
    seconds: float
    failures: Sequence[Mapping[str, str]]
    whole: bool


@dataclass(frozen=True)
class Doubted:
    """A repository whose last listing isn't believed, and whether somebody may say that it is right."""

    repository: Repository
    may_believe: bool


@dataclass(frozen=True)
class State:
    """What a registry's work has come to. `waiting` says that a round is due and nobody has begun it, `alone`
    that nobody has for so long that no worker can be there. `sources` is how names come where the catalog
    isn't all there is to it. `whole` says whether its numbers may be told, `may_ask` whether who looks may
    have it read, `doubt` why its list isn't believed."""

    registry: Registry
    whole: bool
    may_ask: bool
    doubt: str
    running: Sequence[Running]
    waiting: bool
    alone: bool
    doubted: Sequence[Doubted]
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
    over = [ended(actor, sync) for sync in syncs.exclude(finished_at=None)[:RECENT]]
    return Work([state(actor, row, running, now) for row in registries], over)


def ended(actor: access.Actor, sync: Sync) -> Ended:
    """A round that has ended, as this actor may know of it."""
    finished_at = sync.finished_at or sync.started_at
    whole = access.sees_all(actor, sync.registry)
    failures = sync.failures
    if not whole:
        failures = seen(actor, sync)
    return Ended(sync, (finished_at - sync.started_at).total_seconds(), failures, whole)


def seen(actor: access.Actor, sync: Sync) -> list[Mapping[str, str]]:
    """Of what failed in a round what this actor may see."""
    failures = sync.failures[:LOOKED_AT]
    names = access.names_seen(actor, sync.registry, [one["repository"] for one in failures])
    return [one for one in failures if one["repository"] in names]


def state(actor: access.Actor, registry: Registry, running: Sequence[Running], now: datetime) -> State:
    """One registry's."""
    mine = [one for one in running if one.sync.registry_id == registry.pk]
    late = registry.due_at is None or registry.due_at <= now
    listed = access.repositories(actor, registry)
    failing = listed.exclude(problem="")
    doubted = listed.exclude(doubt="").order_by("name")[:NAMED]
    return State(
        registry=registry,
        whole=access.sees_all(actor, registry),
        may_ask=actor.may(Right.DELETE, registry.name),
        doubt=hush.doubt(actor, registry),
        running=mine,
        waiting=late and not mine,
        alone=late and (registry.due_at is None or now - registry.due_at > PATIENCE),
        doubted=[Doubted(row, actor.may(Right.DELETE, registry.name, row.name)) for row in doubted],
        failing=list(failing.order_by("name")[:NAMED]),
        failures=failing.count(),
        sources=names.sources(listed) if registry.unlisted or names.by_hand(registry) else None,
    )
