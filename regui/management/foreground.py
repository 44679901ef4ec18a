"""Carrying an action out while somebody waits, who may stop it.

It is claimed as it is written down, so no worker does the same meanwhile; whatever ends this process leaves
the rest to a worker, or to the next start of regui.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from django.utils import timezone

from regui.actions import journal, run
from regui.actions.models import Action
from regui.index import fetch

# Seconds for which a registry that fell silent is asked again before the rest is left to a worker.
PATIENCE = 90.0
LOOK = 0.25
STOPPING = b"\nStopping after this step; once more leaves it in the midst of it.\n"


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """What the first Ctrl C, or being told to end, sets. The next is a KeyboardInterrupt."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        with suppress(OSError):
            os.write(2, STOPPING)  # print may be in the middle of another line

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def carry_out(
    action: Action,
    stop: threading.Event,
    tell: Callable[[], None],
    watch: Callable[[Action], None] = run.tell_nobody,
) -> Action:
    """The action, which is ours, as it ended; or still running, when the registry stayed silent. `tell` is
    called before each step, `watch` when bytes have moved. Once `stop` is set, what wasn't begun is left."""

    def step() -> bool:
        if stop.is_set():
            journal.cancel(action, timezone.now())
        tell()
        return False

    try:
        action = run.carry_out(action, step, watch, budget=fetch.LONG_BUDGET)
        until = time.monotonic() + PATIENCE
        while action.is_open and not stop.is_set() and time.monotonic() < until:
            stop.wait(LOOK)
            mine = journal.claim(action, timezone.now())
            action = mine or journal.whole(action)
            action = run.carry_out(action, step, watch, budget=fetch.LONG_BUDGET) if mine else action
        return journal.cancel(action, timezone.now()) if action.is_open and stop.is_set() else action
    except KeyboardInterrupt:
        journal.cancel(action, timezone.now())
        return journal.release(action)
