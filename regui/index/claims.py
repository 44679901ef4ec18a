"""Who reads what: rows are claimed by an UPDATE, and a claim expires. It is the same on SQLite and
PostgreSQL, and whoever dies holding one delays it by no more than that."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from regui.index.models import Registry, Repository

LEASE = timedelta(seconds=20)


def due(moment: datetime) -> Q:
    """Rows that were to be read by that moment."""
    return Q(due_at=None) | Q(due_at__lte=moment)


def free(now: datetime) -> Q:
    """Rows that nobody has claimed."""
    return Q(leased_until=None) | Q(leased_until__lt=now)


def waiting(registry: Registry, moment: datetime) -> QuerySet[Repository]:
    """The registry's repositories that were to be read by that moment, claimed or not."""
    return Repository.objects.filter(due(moment), registry=registry).listed()


def repositories(registry: Registry, moment: datetime, now: datetime, count: int) -> list[Repository]:
    """Claim up to so many of those that wait, those never read first. Each is one worker's alone until it is
    released or `LEASE` is over."""
    free_ones = waiting(registry, moment).filter(free(now))
    candidates = list(
        free_ones.order_by(F("due_at").asc(nulls_first=True), "name").values_list("pk", flat=True)[:count]
    )
    if not candidates:
        return []
    # A moment that no other worker will come up with tells whose claim it is.
    stamp = now + LEASE + timedelta(microseconds=secrets.randbelow(1_000_000))
    Repository.objects.filter(due(moment), free(now), pk__in=candidates).update(leased_until=stamp)
    mine = Repository.objects.filter(pk__in=candidates, leased_until=stamp)
    return list(mine.select_related("registry").order_by("name"))


def catalog(registry: Registry, moment: datetime, now: datetime) -> bool:
    """Claim the registry's catalog, if it was to be read by that moment and nobody else is at it."""
    row = Registry.objects.filter(due(moment), free(now), pk=registry.pk)
    return bool(row.update(leased_until=now + LEASE))


def renew(keys: Iterable[int], now: datetime) -> None:
    """Hold these repositories for another while."""
    Repository.objects.filter(pk__in=list(keys)).update(leased_until=now + LEASE)


def release(rows: Sequence[Repository], due_at: datetime | None = None) -> None:
    """Let go of these repositories, to be read again at that moment; when they remain unread, without one."""
    changes = {"leased_until": None} | ({"due_at": due_at} if due_at else {})
    Repository.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)
