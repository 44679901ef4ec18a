"""Threads of the worker that each carry out one thing at a time."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import DatabaseError, connections

log = logging.getLogger(__name__)


@dataclass
class Hands:
    """So many at most, each busy until what it was given ends."""

    most: int
    threads: list[threading.Thread] = field(default_factory=list)

    def busy(self, kind: str = "") -> int:
        """How many are at something, whose name begins so."""
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        return sum(thread.name.startswith(kind) for thread in self.threads)

    @property
    def free(self) -> bool:
        return self.busy() < self.most

    def give(self, name: str, work: Callable[[], object]) -> None:
        """Have one of them do that: something claimed, whose lease ends if it fails."""
        thread = threading.Thread(target=done, args=[name, work], name=name, daemon=True)
        self.threads.append(thread)
        thread.start()

    def join(self, seconds: float) -> None:
        """Wait for what is under way to come to the end of its step."""
        until = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(until - time.monotonic(), 0))


def done(name: str, work: Callable[[], object]) -> None:
    """Do it; what is our own fault ends the thread with a traceback that bears its name."""
    try:
        work()
    except DatabaseError as error:
        log.warning("%s waits for its lease to end: %s", name, error)
    finally:
        connections.close_all()
