"""A catalog that is read beside everything else: some registries take a minute for it."""

import threading
import time
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from django.conf import settings
from django.utils import timezone

from regui import oci
from regui.index import claims, connect, listing, names
from regui.index.fetch import catalogs
from regui.index.models import Registry, Sync

# New names that are worth rows before the rest has come: so many, or any after so many seconds.
PART, PATIENCE = 1000, 2.0
# How long after it began a catalog is looked at all the time.
YOUTH = timedelta(seconds=2)


class Catalog:
    """A round's listing of the catalog, by whichever process claims it first."""

    def __init__(self, registry: Registry, client: oci.Client, sync: Sync) -> None:
        self.registry, self.client, self.sync = registry, client, sync
        self.finished, self.claimed = False, False
        self.problem = ""
        self.outage: oci.Error | None = None
        self.began = timezone.now()
        self._names: list[str] = []
        self._parts, self._parted_at = 0, time.monotonic()
        self._queue: SimpleQueue[str | oci.Error | None] = SimpleQueue()

    @property
    def is_young(self) -> bool:
        """Whether it may still be one of the quick ones."""
        return timezone.now() - self.began < YOUTH

    def look(self) -> bool:
        """Take in what has come since the last look, and begin when nobody else has; whether there are other
        rows now."""
        if self.finished:
            return False
        if not self.claimed:
            return self._claim()
        try:
            while True:
                found = self._queue.get_nowait()
                if isinstance(found, str):
                    self._names.append(found)
                else:
                    self._end(found)
                    return True
        except Empty:
            pass
        if not self._names[self._parts :] or not self._is_part():
            return False
        listing.repositories(self.registry, self._names[self._parts :], self.began, complete=False)
        self._parts, self._parted_at = len(self._names), time.monotonic()
        return True

    def _is_part(self) -> bool:
        """Whether what has come is worth rows: many names, or the first in a while."""
        return len(self._names) >= self._parts + PART or time.monotonic() - self._parted_at > PATIENCE

    def renew(self, now: datetime) -> None:
        """Hold the claim for another while."""
        if self.claimed and not self.finished:
            Registry.objects.filter(pk=self.registry.pk).update(leased_until=now + claims.LEASE)

    def release(self) -> None:
        """Leave it to others, when it isn't done."""
        if self.claimed and not self.finished:
            Registry.objects.filter(pk=self.registry.pk).update(leased_until=None)

    def _claim(self) -> bool:
        self.registry.refresh_from_db()
        if self.registry.due_at is not None and self.registry.due_at > self.sync.started_at:
            self.finished = True
        elif claims.catalog(self.registry, self.sync.started_at, timezone.now()):
            self.claimed, self.began = True, timezone.now()
            names.follow(self.registry, self.began)
            threading.Thread(target=self._list, name="catalog", daemon=True).start()
        return self.claimed

    def _list(self) -> None:
        """In its own thread: the network alone."""
        try:
            for name in catalogs.names_of(self.registry, self.client):
                self._queue.put(name)
        except oci.Error as error:
            self._queue.put(error)
        else:
            self._queue.put(None)

    def _end(self, error: oci.Error | None) -> None:
        reading = catalogs.follow(self.registry, self._names, self.began, error)
        due_at = self.sync.started_at + max(settings.SYNC_EVERY, claims.LEASE)
        Registry.objects.filter(pk=self.registry.pk).update(leased_until=None, due_at=due_at)
        self.finished = True
        if error is not None and connect.is_outage(error):
            self.outage = error
        # A suspicious catalog is no reason not to read what there is, but one to say so. So is none at all
        # where no name has come another way.
        self.problem = reading.problem
        if self.registry.unlisted and not self.registry.repositories.listed().exists():
            self.problem = f"{self.registry.unlisted} {catalogs.NAMELESS}"
