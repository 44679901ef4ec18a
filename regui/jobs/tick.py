"""The scheduler: looks at the tables, now and then, for what is due, and nudges whoever works."""

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from regui.accounts import audit, sessions
from regui.actions import forget
from regui.actions.retention import runs
from regui.index import rounds, snapshots, usage
from regui.index.models import Registry
from regui.jobs import tasks

log = logging.getLogger(__name__)

# Seconds: between two ticks, until something that is still due is taken for lost and nudged again, and
# between two rounds of upkeep.
EVERY, LOST, UPKEEP = 1.0, 30.0, 60.0
RESULTS_KEPT = timedelta(hours=6)


def loop(stop: threading.Event) -> None:
    """Tick until told to stop."""
    ticker = Ticker()
    while not stop.wait(EVERY):
        try:
            ticker.tick()
        except DatabaseError as error:
            log.warning("what is due waits: %s", error)
            close_old_connections()


@dataclass
class Ticker:
    """When each registry was nudged, and when upkeep is due, by the monotonic clock; the last day of each
    that a snapshot was taken of, and the last day on which bytes were let go of."""

    nudged: dict[str, float] = field(default_factory=dict)
    upkeep_at: float = 0.0
    pictured: dict[str, date] = field(default_factory=dict)
    forgot: date | None = None

    def tick(self) -> list[str]:
        """Look once; the names of the registries that were nudged."""
        close_old_connections()
        now, names = time.monotonic(), list[str]()
        for registry in Registry.objects.filter(active=True):
            recently = now - self.nudged.get(registry.name, float("-inf")) < LOST
            if recently or tasks.is_crawling(registry.name) or not rounds.is_due(registry, timezone.now()):
                continue
            self.nudged[registry.name] = now
            tasks.crawl.enqueue(registry.name)
            names.append(registry.name)
        if now >= self.upkeep_at:
            self.upkeep_at = now + UPKEEP
            self.look_after()
        return names

    def look_after(self) -> None:
        """Sums over registries, the day's snapshots, and what the queue has done with."""
        for registry in Registry.objects.filter(active=True):
            self.picture(registry, settled=usage.settle(registry))
        self.forget()
        if settings.TASKS_ENGINE == "database":
            old = timezone.now() - RESULTS_KEPT
            DBTaskResult.objects.filter(enqueued_at__lt=old).delete()

    def forget(self) -> None:
        """Once a day let go of bytes that can't bring anything back any more, or are too old, of what the
        journal of access has kept for long enough, of old runs, and of sessions that are over."""
        now = timezone.now()
        if self.forgot != now.date():
            self.forgot = now.date()
            for _ in forget.bytes_kept(now, timedelta(days=settings.TRASH_DAYS)):
                pass
            sessions.forget(now)
            for _ in audit.forget(now - settings.AUDIT_KEEP) if settings.AUDIT_KEEP else ():
                pass
            for _ in runs.forget(now - settings.RUNS_KEEP) if settings.RUNS_KEEP else ():
                pass

    def picture(self, registry: Registry, *, settled: bool) -> None:
        """Keep what the registry comes to today: first when the day begins, again when its sums change."""
        today = timezone.now().date()
        begins = self.pictured.get(registry.name) != today
        if not settled and not begins:
            return
        snapshots.take(registry, today)
        if begins:
            snapshots.thin(registry, today)
            self.pictured[registry.name] = today
