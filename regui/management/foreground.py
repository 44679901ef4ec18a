"""Carrying an action out, or a run of a policy, while somebody waits, who may stop it.

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

from regui.accounts.access import Actor
from regui.actions import journal, run
from regui.actions.models import Action, Item, Part, Run
from regui.actions.retention import runs, turns
from regui.index import fetch

# Seconds for which a registry that fell silent is asked again before the rest is left to a worker.
PATIENCE = 90.0
LOOK = 0.25
# Seconds between two looks at a run that a worker has, or that waits for its next try.
RUN_LOOK = 0.5
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


def carry_out_run(of: Run, actor: Actor, stop: threading.Event, patience: float = PATIENCE) -> Run:
    """The run of a policy as it ended or asks, gone on with by us or by a worker that was faster; or still
    open, when nothing went on for so many seconds. Once `stop` is set, it ends before its next repository."""

    def step() -> bool:
        # A run is stopped by saying so, not by leaving it: whoever is at it then ends it.
        if stop.is_set() and not declined(of):
            runs.decline(of, actor, timezone.now())
        return False

    came: tuple[object, ...] = ()
    since = time.monotonic()
    while of.is_open:
        step()
        mine = turns.claim(of, timezone.now())
        of = runs.carry_out(mine, step) if mine else Run.objects.get(pk=of.pk)
        if (now := progress(of)) != came:
            came, since = now, time.monotonic()
        if not of.is_open or time.monotonic() - since >= patience:
            break
        time.sleep(RUN_LOOK)  # not until `stop`, which is set for good once it is
    return of


def declined(of: Run) -> bool:
    """Whether it is to stop, or did."""
    return Run.objects.filter(pk=of.pk, stop=True).exists()


def progress(of: Run) -> tuple[object, ...]:
    """What differs once anything went on in the run, or in those of the same policy that it waits for."""
    same = Run.objects.filter(registry=of.registry, policy=of.policy, state__in=Run.OPEN)
    parts = Part.objects.filter(run__in=same)
    begun = parts.exclude(action="").values("action")
    done = Item.objects.filter(action__in=begun).exclude(result="").count()
    states = sorted(same.values_list("pk", "state"))
    # A decision has no steps to count; who makes one keeps its run to themselves for as long as they live.
    held = same.filter(state=Run.State.DECIDING).order_by("pk").values_list("leased_until", flat=True)
    return states, list(held), parts.filter(done=True).count(), done
