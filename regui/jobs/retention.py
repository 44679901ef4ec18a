"""The worker's loop that runs policies: those whose time has come, and runs that somebody left."""

import logging
import threading

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from regui.actions.retention import runs, turns
from regui.jobs.hands import Hands

log = logging.getLogger(__name__)

# Seconds between two looks, and after the database failed; and how many runs are gone on with at a time, each
# of another policy.
LOOK, TROUBLE = 0.5, 1.0
HANDS = 2


def take(hands: Hands, stop: threading.Event) -> bool:
    """Go on with a run that is due; whether there was one, and a hand free for it."""
    found = turns.next_due(timezone.now()) if hands.free else None
    if found is None:
        return False
    hands.give(f"run {found.pk}", lambda: runs.carry_out(found, stop.is_set))
    return True


def loop(stop: threading.Event) -> None:
    """Begin and go on with what is due until told to stop. Any number of workers may run it: each run is one
    worker's at a time."""
    hands = Hands(HANDS)
    while not stop.is_set():
        try:
            runs.scheduled(timezone.now())
            if not take(hands, stop):
                stop.wait(LOOK)
        except DatabaseError as error:
            log.warning("runs of policies wait: %s", error)
            close_old_connections()
            stop.wait(TROUBLE)
    hands.join(LOOK)
