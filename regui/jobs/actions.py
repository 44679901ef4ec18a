"""The worker's loop that carries actions out: those whose time has come, and those that somebody left."""

import logging
import threading

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from regui.actions import plans, run
from regui.index import fetch
from regui.jobs.hands import Hands

log = logging.getLogger(__name__)

# Seconds between two looks, and after the database failed; and how many actions are carried out at a time,
# each in another repository; not so many of them are copies, which may take hours.
LOOK, TROUBLE = 0.25, 1.0
HANDS, COPIES = 3, 2


def take(hands: Hands, stop: threading.Event) -> bool:
    """Begin with an action that is due; whether there was one, and a hand free for it."""
    if not hands.free:
        return False
    without = [plans.COPY] if hands.busy(plans.COPY) >= COPIES else []
    action = run.next_due(timezone.now(), without=without)
    if action is None:
        return False
    hands.give(
        f"{action.kind} {action.pk}",
        lambda: run.carry_out(action, stop.is_set, budget=fetch.LONG_BUDGET),
    )
    return True


def loop(stop: threading.Event) -> None:
    """Carry out what is due until told to stop. Any number of workers may run it: each action is one
    worker's at a time."""
    hands = Hands(HANDS)
    while not stop.is_set():
        try:
            if not take(hands, stop):
                stop.wait(LOOK)
        except DatabaseError as error:
            log.warning("actions wait: %s", error)
            close_old_connections()
            stop.wait(TROUBLE)
    hands.join(LOOK)
