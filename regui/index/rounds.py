"""Rounds: once through all of a registry, as rows, so that several processes can share one, and whoever comes
after a crash goes on with it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from regui.index import claims
from regui.index.models import Registry, Repository, RepositoryQuerySet, Sync

# Rounds that are remembered for each registry.
KEPT = 50
# A repository that couldn't be read is tried again sooner than the others, a registry that is away too.
RETRY = timedelta(minutes=1)
# What a round has read within this needn't be read again by who joins it and waits.
RECENT = timedelta(minutes=5)


def begin(registry: Registry, now: datetime, *, foreground: bool) -> Sync | None:
    """The round that is under way, or a new one: in the foreground always, else when the registry is due;
    None when it isn't. Someone waits for one in the foreground, so it reads everything; what one under way
    has read within the last minutes counts."""
    with transaction.atomic():
        row = Registry.objects.select_for_update().get(pk=registry.pk)
        running = Sync.objects.filter(registry=registry, finished_at=None).first()
        if running is not None:
            if foreground:
                again(running, now)
            return running
        if not foreground and row.due_at is not None and row.due_at > now:
            return None
        if foreground:
            Repository.objects.filter(registry=registry, due_at__gt=now).update(due_at=now)
        Registry.objects.filter(pk=registry.pk).update(due_at=now)
        old = list(Sync.objects.filter(registry=registry).values_list("pk", flat=True)[KEPT:])
        Sync.objects.filter(pk__in=old).delete()
        return Sync.objects.create(registry=registry, started_at=now)


def ask(registry: Registry, repositories: RepositoryQuerySet, now: datetime) -> None:
    """Let the next worker that looks read all of these repositories of the registry."""
    repositories.filter(due_at__gt=now).update(due_at=now)
    Registry.objects.filter(Q(due_at__gt=now) | Q(due_at=None), pk=registry.pk).update(due_at=now)


def again(round_: Sync, now: datetime) -> None:
    """Have a round read anew what it read a while ago: who was killed a moment ago goes on where they were,
    who comes back later finds what came since."""
    old = Q(tried_at=None) | Q(tried_at__lt=now - RECENT)
    for model, mine in ((Repository, Q(registry=round_.registry_id)), (Registry, Q(pk=round_.registry_id))):
        done = model.objects.filter(old, mine, due_at__gt=round_.started_at)
        done.update(due_at=round_.started_at)


@dataclass(frozen=True)
class Done:
    """What was done of a round; `manifests` are those newly fetched."""

    repositories: int = 0
    tags: int = 0
    manifests: int = 0
    requests: int = 0

    def since(self, before: "Done") -> "Done":
        return Done(
            self.repositories - before.repositories,
            self.tags - before.tags,
            self.manifests - before.manifests,
            self.requests - before.requests,
        )


def add(sync: Sync, done: Done, failures: Mapping[str, str]) -> None:
    """Add to a round what one process has done of it since it last did; `failures` by repository."""
    changes = {name: F(name) + number for name, number in asdict(done).items()}
    Sync.objects.filter(pk=sync.pk).update(**changes)
    if failures:
        with transaction.atomic():
            row = Sync.objects.select_for_update().get(pk=sync.pk)
            merged = {failure["repository"]: failure["problem"] for failure in row.failures} | dict(failures)
            row.failures = [{"repository": name, "problem": merged[name]} for name in sorted(merged)]
            row.save(update_fields=["failures"])


def finish(sync: Sync, now: datetime, problem: str, *, ended: bool) -> None:
    """End a round: the next is due some time after it began, or soon when it was cut short by a problem that
    may pass. `ended` says whether it came to its end."""
    Sync.objects.filter(pk=sync.pk, finished_at=None).update(finished_at=now, problem=problem)
    due_at = sync.started_at + settings.SYNC_EVERY if ended else now + min(RETRY, settings.SYNC_EVERY)
    Registry.objects.filter(pk=sync.registry_id).update(due_at=due_at)


@dataclass(frozen=True)
class Progress:
    """How far a round is. `rate` is requests a second; `left` seconds, None when nobody can tell."""

    done: int
    total: int
    tags: int
    manifests: int
    requests: int
    failures: int
    seconds: float
    rate: float
    left: float | None


def progress(sync: Sync, now: datetime) -> Progress:
    """How far the round is, from the rows alone: any process can tell."""
    waiting = 0 if sync.finished_at else claims.waiting(sync.registry, sync.started_at).count()
    seconds = max(((sync.finished_at or now) - sync.started_at).total_seconds(), 0.001)
    done = sync.repositories
    return Progress(
        done=done,
        total=done + waiting,
        tags=sync.tags,
        manifests=sync.manifests,
        requests=sync.requests,
        failures=len(sync.failures),
        seconds=seconds,
        rate=sync.requests / seconds,
        left=left(seconds, done, waiting),
    )


def left(seconds: float, done: int, waiting: int) -> float | None:
    """How many seconds more it takes when so many repositories were done in so many; None when nobody can
    tell."""
    if not waiting:
        return 0.0
    return seconds * waiting / done if done else None


def is_due(registry: Registry, now: datetime) -> bool:
    """Whether a round is to be begun, or gone on with."""
    if registry.due_at is None or registry.due_at <= now:
        return True
    return Sync.objects.filter(registry=registry, finished_at=None).exists()
