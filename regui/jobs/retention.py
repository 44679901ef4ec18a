"""The worker's loops that run policies, those whose time has come and runs that somebody left, and that tell
of what became of them."""

import logging
import threading
import time
from dataclasses import dataclass, field

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from regui.actions.models import Run
from regui.actions.retention import runs, turns

log = logging.getLogger(__name__)

# Seconds between two looks, and after the database failed; and how many runs are gone on with at a time, each
# of another policy.
LOOK, TROUBLE = 0.5, 1.0
HANDS = 2


@dataclass
class Hands:
    """Threads that each go on with one run."""

    stop: threading.Event
    threads: list[threading.Thread] = field(default_factory=list)

    def take(self) -> bool:
        """Go on with a run that is due; whether there was one, and a hand free for it."""
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        run = turns.next_due(timezone.now()) if len(self.threads) < HANDS else None
        if run is None:
            return False
        thread = threading.Thread(target=self.work, args=[run], name=f"run {run.pk}", daemon=True)
        self.threads.append(thread)
        thread.start()
        return True

    def work(self, run: Run) -> None:
        try:
            runs.carry_out(run, self.stop.is_set)
        except DatabaseError as error:
            log.warning("%s waits for its lease to end: %s", run.pk, error)
        except Exception:
            # Its lease ends, and someone tries again; the thread's own end would say it to nobody.
            log.exception("%s could not be gone on with", run.pk)
        finally:
            connections.close_all()

    def join(self, seconds: float) -> None:
        """Wait for what is under way to come to the end of its step."""
        until = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(until - time.monotonic(), 0))


def loop(stop: threading.Event) -> None:
    """Begin and go on with what is due until told to stop. Any number of workers may run it: each run is one
    worker's at a time."""
    hands = Hands(stop)
    while not stop.is_set():
        try:
            runs.scheduled(timezone.now())
            if not hands.take():
                stop.wait(LOOK)
        except DatabaseError as error:
            log.warning("runs of policies wait: %s", error)
            close_old_connections()
            stop.wait(TROUBLE)
    hands.join(LOOK)
