"""Applies what registries told by themselves: waiting events become rows, in order, each exactly once.

One worker at a time has a registry's inbox, by a lease that expires. What has to be read from the registry is
read first; then one short transaction writes all that a batch of events comes to and marks them as applied,
so that a crash leaves them either waiting or done.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from regui import oci
from regui.index import pulls, telling, usage, verdict
from regui.index.models import Child, Event, Inbox, Manifest, Registry, Repository, Unsummed
from regui.index.pulls import Recent

log = logging.getLogger(__name__)

# How many events are applied at once, how long their reading may take in seconds, and for how long a worker
# has the inbox: longer than that.
BATCH, READING, LEASE = 200, 10.0, timedelta(seconds=30)
# How long events wait for a registry that doesn't answer, before the next crawl has to see to it.
PATIENCE = timedelta(minutes=2)
# Seconds between two attempts at a registry that doesn't answer.
PAUSE = 1.0
# Requests this far back decide whether another belongs to the same pull; and the most to look at.
BACK, MOST = timedelta(minutes=3), 20_000

Actors = Callable[[Sequence[Event]], Mapping[int, str]]


def nobody(events: Sequence[Event]) -> Mapping[int, str]:
    """No event is one of our own actions."""
    return {}


class Applier:
    """Applies the events of one registry. `actors` knows, by the events' keys, who is behind those that our
    own actions caused."""

    def __init__(self, registry: Registry, actors: Actors = nobody) -> None:
        self.registry, self.actors = registry, actors
        self.until: datetime | None = None
        self.recent: Recent | None = None
        self.paused_until = 0.0

    def apply(self) -> int:
        """Apply a batch of what waits; how many events that were. 0 too when another worker has the inbox or
        the registry doesn't answer."""
        waiting = Event.objects.filter(registry=self.registry.name, applied_at=None)
        if time.monotonic() < self.paused_until or not self.hold(timezone.now()):
            return 0
        events = sorted(waiting.order_by("pk")[:BATCH], key=lambda event: (event.at, event.pk))
        try:
            return self.write(events, telling.read(self.registry, events, time.monotonic() + READING))
        except verdict.Overtaken:
            return 0  # someone else has just written what this is about: look again
        except oci.Error as error:
            log.info("%s: %d events wait: %s", self.registry, len(events), error)
            self.paused_until = time.monotonic() + PAUSE
            return self.hand_over(events)

    def hold(self, now: datetime) -> bool:
        """Whether this worker has the inbox to itself for long enough, or could take it."""
        if self.until is not None and self.until - now > LEASE / 2:
            return True
        Inbox.objects.bulk_create([Inbox(registry=self.registry)], ignore_conflicts=True)
        row = Inbox.objects.filter(pk=self.registry.pk)
        mine = self.until is not None and row.filter(leased_until=self.until).update(leased_until=now + LEASE)
        if not mine:
            self.until = self.recent = None
            free = Q(leased_until=None) | Q(leased_until__lt=now)
            if not row.filter(free).update(leased_until=now + LEASE):
                return False
        self.until = now + LEASE
        return True

    def release(self) -> None:
        """Leave the inbox to the next worker."""
        if self.until is not None:
            Inbox.objects.filter(pk=self.registry.pk, leased_until=self.until).update(leased_until=None)
            self.until = self.recent = None

    def write(self, events: Sequence[Event], found: verdict.Found) -> int:
        """Write what the events come to; how many were applied."""
        counted = self.pulled(events)
        try:
            with transaction.atomic():
                mark(events)
                found.write(self.actors(events))
                pulls.count(self.registry.name, counted)
                pulls.note(found.repositories, counted)
        except BaseException:
            self.recent = None  # it holds what wasn't written
            raise
        return len(events)

    def hand_over(self, events: Sequence[Event]) -> int:
        """Leave to the next crawl what has waited too long; how many events that were."""
        overdue = [event for event in events if timezone.now() - event.received_at > PATIENCE]
        counted = self.pulled(overdue)
        with transaction.atomic():
            mark(overdue)
            pulls.count(self.registry.name, counted)
            rows = Repository.objects.filter(registry=self.registry)
            rows.filter(name__in={event.repository for event in overdue}).update(due_at=None)
        return len(overdue)

    def pulled(self, events: Sequence[Event]) -> list[pulls.Pull]:
        """The pulls among these events, none counted before."""
        if self.recent is None:
            self.recent = Recent()
            self.taken(self.recent, self.before())
        return self.taken(self.recent, events)

    def before(self) -> list[Event]:
        """The pulls of the last minutes that were applied already, by whichever worker."""
        rows = Event.objects.filter(registry=self.registry.name, action="pull").exclude(applied_at=None)
        return list(rows.filter(received_at__gt=timezone.now() - BACK).order_by("-pk")[:MOST])[::-1]

    def taken(self, recent: Recent, events: Sequence[Event]) -> list[pulls.Pull]:
        """The pulls among these events, beyond what is recent."""
        asked = [event for event in events if event.action == "pull"]
        parents = indexes_of(self.registry, {event.digest for event in asked if not event.tag})
        found = (recent.take(event, parents) for event in asked)
        return [pull for pull in found if pull is not None]


def mark(events: Sequence[Event]) -> None:
    """Note that these events are applied. Raises `verdict.Overtaken` when one was already."""
    waiting = Event.objects.filter(pk__in=[event.pk for event in events], applied_at=None)
    if waiting.update(applied_at=timezone.now()) != len(events):
        raise verdict.Overtaken


def indexes_of(registry: Registry, digests: set[str]) -> dict[str, set[str]]:
    """The indexes that contain each of these digests, for those the index knows."""
    if not digests:
        return {}
    known = Manifest.objects.filter(registry=registry, digest__in=digests).values_list("digest", flat=True)
    found: dict[str, set[str]] = {digest: set() for digest in known}
    lines = Child.objects.filter(manifest__registry=registry, manifest__digest__in=found)
    for digest, parent in lines.values_list("manifest__digest", "parent__digest"):
        found[digest].add(parent)
    return found


def sum_up(registry: Registry, deadline: float) -> int:
    """Bring the sums of repositories up to date whose tags events have changed, oldest first, until the
    deadline (monotonic); how many."""
    rows = Unsummed.objects.filter(repository__registry=registry).order_by("at")
    done = 0
    for row in rows.select_related("repository")[:BATCH]:
        usage.total(row.repository)
        Unsummed.objects.filter(pk=row.pk, at=row.at).delete()
        done += 1
        if time.monotonic() > deadline:
            break
    return done
