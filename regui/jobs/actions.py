"""The worker's loop that carries actions out: those whose time has come, and those that somebody left."""

import logging
import threading
import time
from dataclasses import dataclass, field

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from regui.actions import plans, run
from regui.actions.models import Action
from regui.index import fetch

log = logging.getLogger(__name__)

# Seconds between two looks, and after the database failed; and how many actions are carried out at a time,
# each in another repository; not so many of them are copies, which may take hours.
LOOK, TROUBLE = 0.25, 1.0
HANDS, COPIES = 3, 2


@dataclass
class Hands:
    """Threads that each carry one action out."""

    stop: threading.Event
    threads: list[threading.Thread] = field(default_factory=list)

    def take(self) -> bool:
        """Begin with an action that is due; whether there was one, and a hand free for it."""
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        if len(self.threads) >= HANDS:
            return False
        copying = sum(thread.name.startswith(plans.COPY) for thread in self.threads)
        action = run.next_due(timezone.now(), without=[plans.COPY] if copying >= COPIES else [])
        if action is None:
            return False
        name = f"{action.kind} {action.pk}"
        thread = threading.Thread(target=self.work, args=[action], name=name, daemon=True)
        self.threads.append(thread)
        thread.start()
        return True

    def work(self, action: Action) -> None:
        try:
            run.carry_out(action, self.stop.is_set, budget=fetch.LONG_BUDGET)
        except DatabaseError as error:
            log.warning("%s waits for its lease to end: %s", action.pk, error)
        except Exception:
            # Its lease ends, and someone tries again; the thread's own end would say it to nobody.
            log.exception("%s could not be carried out", action.pk)
        finally:
            connections.close_all()

    def join(self, seconds: float) -> None:
        """Wait for what is under way to come to the end of its step."""
        until = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(until - time.monotonic(), 0))


def loop(stop: threading.Event) -> None:
    """Carry out what is due until told to stop. Any number of workers may run it: each action is one
    worker's at a time."""
    hands = Hands(stop)
    while not stop.is_set():
        try:
            if not hands.take():
                stop.wait(LOOK)
        except DatabaseError as error:
            log.warning("actions wait: %s", error)
            close_old_connections()
            stop.wait(TROUBLE)
    hands.join(LOOK)
