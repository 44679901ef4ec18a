"""A catalog that is read beside everything else: some registries take a minute for it."""

import threading
from datetime import datetime
from queue import Empty, SimpleQueue

from django.conf import settings
from django.utils import timezone

from regui import oci
from regui.index import claims, connect, listing
from regui.index.fetch import catalogs
from regui.index.models import Registry, Sync

# New names that are worth rows before the rest has come.
PART = 1000


class Catalog:
    """A round's listing of the catalog, by whichever process claims it first."""

    def __init__(self, registry: Registry, client: oci.Client, sync: Sync) -> None:
        self.registry, self.client, self.sync = registry, client, sync
        self.finished, self.claimed = False, False
        self.problem = ""
        self.outage: oci.Error | None = None
        self.began = timezone.now()
        self._names: list[str] = []
        self._parts = 0
        self._queue: SimpleQueue[str | oci.Error | None] = SimpleQueue()

    def look(self) -> None:
        """Take in what has come since the last look, and begin when nobody else has."""
        if self.finished:
            return
        if not self.claimed:
            self._claim()
            return
        try:
            while True:
                found = self._queue.get_nowait()
                if isinstance(found, str):
                    self._names.append(found)
                else:
                    self._end(found)
                    return
        except Empty:
            pass
        if len(self._names) >= self._parts + PART:
            listing.repositories(self.registry, self._names[self._parts :], self.began, complete=False)
            self._parts = len(self._names)

    def renew(self, now: datetime) -> None:
        """Hold the claim for another while."""
        if self.claimed and not self.finished:
            Registry.objects.filter(pk=self.registry.pk).update(leased_until=now + claims.LEASE)

    def release(self) -> None:
        """Leave it to others, when it isn't done."""
        if self.claimed and not self.finished:
            Registry.objects.filter(pk=self.registry.pk).update(leased_until=None)

    def _claim(self) -> None:
        self.registry.refresh_from_db()
        if self.registry.due_at is not None and self.registry.due_at > self.sync.started_at:
            self.finished = True
        elif claims.catalog(self.registry, self.sync.started_at, timezone.now()):
            self.claimed, self.began = True, timezone.now()
            threading.Thread(target=self._list, name="catalog", daemon=True).start()

    def _list(self) -> None:
        """In its own thread: the network alone."""
        try:
            for name in self.client.catalog():
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
        # Neither a suspicious catalog nor none at all is a reason not to read what there is, but one to say
        # so.
        self.problem = reading.problem
