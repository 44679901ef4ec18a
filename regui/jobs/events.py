"""The worker's loop that applies registries' notifications: a push is to be on its page within a second, so
events don't wait in a queue of tasks."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from regui.actions import plans
from regui.actions.models import Action, Item
from regui.index import bearing, events, gaps, thinning
from regui.index.events import Applier
from regui.index.models import Event, Registry, Unsummed

log = logging.getLogger(__name__)

# Seconds between two looks when nothing waits, after the database failed, and between two rounds of upkeep.
LOOK, TROUBLE, UPKEEP = 0.08, 1.0, 10.0
# After a batch the loop rests, so many times as long as that took and at most these seconds, or those once so
# many events come at a time: what comes in needs the database, too, and many at once cost far less than each
# by itself. Not while more wait than one batch takes.
REST, LONGEST = 2.0, 0.09
CROWD, CROWDED = 20, 0.3
# Sums take at most so long at a time, and at most this share of the loop's; between two looks for what is to
# be summed up lie so many seconds at least.
SUMS, SHARE, SELDOM = 0.2, 0.25, 0.25
# Seconds between two rounds of forgetting.
THINNING = 3600.0
PUTS = frozenset({plans.PUT, plans.COPY})
# How far apart an action and its event may be, by clocks that differ.
APART = timedelta(minutes=1)


def loop(stop: threading.Event) -> None:
    """Apply events until told to stop. Any number of workers may run it: each registry's events are one
    worker's at a time."""
    rounds = Rounds()
    try:
        while not stop.is_set():
            began = time.monotonic()
            try:
                applied = rounds.go()
            except DatabaseError as error:
                log.warning("events wait: %s", error)
                close_old_connections()
                stop.wait(TROUBLE)
            else:
                took = time.monotonic() - began
                longest = CROWDED if CROWD <= applied < events.BATCH else LONGEST
                stop.wait(min(took * REST, longest) if applied else LOOK)
    finally:
        rounds.release()


@dataclass
class Rounds:
    """What the loop does by turns, and when each thing is due, by the monotonic clock."""

    appliers: dict[str, Applier] = field(default_factory=dict)
    upkeep_at: float = 0.0
    sums_at: float = 0.0
    thinning_at: float = 0.0

    def go(self) -> int:
        """One round; how many events were applied."""
        now = time.monotonic()
        if now >= self.upkeep_at:
            self.upkeep_at = now + UPKEEP
            self.look_after()
        waiting = Event.objects.filter(applied_at=None, registry__in=list(self.appliers))
        names = set(waiting.order_by("pk").values_list("registry", flat=True)[: events.BATCH])
        applied = sum([self.appliers[name].apply() for name in sorted(names)])
        self.sum_up()
        return applied

    def look_after(self) -> None:
        """Know the registries, note gaps, and forget now and then."""
        close_old_connections()
        rows = {row.name: row for row in Registry.objects.filter(active=True)}
        self.appliers = {name: self.appliers.get(name) or Applier(row, actors) for name, row in rows.items()}
        for row in rows.values():
            gaps.beat(row, timezone.now())
            gaps.look(row, timezone.now())
        if time.monotonic() >= self.thinning_at:
            self.thinning_at = time.monotonic() + THINNING
            for _ in thinning.thin(timezone.now(), settings.EVENTS_KEEP):
                pass
            bearing.prune(timezone.now())

    def sum_up(self) -> None:
        """Bring sums up to date, for a share of the time."""
        began = time.monotonic()
        if began < self.sums_at:
            return
        # Mostly there is nothing, of however many registries.
        for applier in self.appliers.values() if Unsummed.objects.exists() else ():
            events.sum_up(applier.registry, began + SUMS)
        took = time.monotonic() - began
        self.sums_at = began + max(took / SHARE, SELDOM)

    def release(self) -> None:
        """Leave the inboxes to others."""
        try:
            for applier in self.appliers.values():
                applier.release()
        except DatabaseError as error:
            log.info("inboxes are left to expire: %s", error)


def actors(told: Sequence[Event]) -> Mapping[int, str]:
    """Who is behind those of these events that regui's own actions caused, by the events' keys: the registry
    knows only as whom regui signs in."""
    changes = [event for event in told if event.action != "pull"]
    if not changes:
        return {}
    since = min(event.at for event in changes) - APART
    rows = Item.objects.filter(
        action__registry=changes[0].registry,
        repository__in={event.repository for event in changes},
        action__finished_at__gte=since,
    ) | Item.objects.filter(
        action__registry=changes[0].registry,
        repository__in={event.repository for event in changes},
        action__state=Action.State.RUNNING,
    )
    digests, tags = {event.digest for event in changes}, {event.tag for event in changes}
    found: dict[int, str] = {}
    for item in rows.select_related("action").order_by("action__started_at"):
        if item.digest not in digests and item.tag not in tags:
            continue
        for event in changes:
            if is_about(event, item):
                found[event.pk] = item.action.actor
    return found


def is_about(event: Event, item: Item) -> bool:
    """Whether the event tells of what this item of an action took away, or put."""
    ended = item.action.finished_at or timezone.now()
    if event.repository != item.repository or not item.action.started_at - APART <= event.at <= ended + APART:
        return False
    if event.action == "push":
        return item.do in PUTS and (event.tag, event.digest) == (item.tag, item.digest)
    if item.do in PUTS:
        return False
    return event.tag == item.tag if event.tag else event.digest == item.digest
