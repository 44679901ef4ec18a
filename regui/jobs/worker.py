"""The process behind the pages: ticks, tasks, and the loops that apply events, carry actions out and run
policies."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from django.conf import settings
from django.utils.crypto import get_random_string
from django.utils.module_loading import import_string
from django_tasks_db.management.commands.db_worker import Worker

from regui.jobs import actions, events, lost, retention, summaries, tasks, tick

log = logging.getLogger(__name__)

# Tasks at a time: one registry that takes hours must not keep the others waiting.
RUNNERS = 3
# Seconds between two looks at the queue; after which what hasn't ended is left to the claims' expiry; and
# between two looks at whether the process that started this one is still there.
INTERVAL, GRACE, LOOK = 0.5, 2.5, 0.2


def run(*, attended: bool = False) -> None:
    """Work until SIGTERM or SIGINT; `attended`: or until the process that started this one has gone."""
    stop, parent = tasks.stopping, os.getppid()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    loops: list[Callable[[], None]] = [
        lambda: events.loop(stop),
        lambda: tick.loop(stop),
        lambda: actions.loop(stop),
        lambda: lost.loop(stop),
        lambda: retention.loop(stop),
        lambda: summaries.loop(stop),
    ]
    runners = [runner() for _ in range(RUNNERS)] if settings.TASKS_ENGINE == "database" else []
    if settings.TASKS_ENGINE == "rq":
        # Only where it was asked for: the package is an extra.
        loops.append(import_string("regui.jobs.redis.loop"))
    threads = [
        threading.Thread(target=target, daemon=True) for target in (*loops, *(one.run for one in runners))
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(LOOK):
        if attended and os.getppid() != parent:
            stop.set()
        for thread in threads:
            if not thread.is_alive():
                log.error("a part of the worker has ended; so does the rest, to be started anew")
                stop.set()
                break
    for one in runners:
        one.running = False
    until = time.monotonic() + GRACE
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))


def runner() -> Worker:
    """What takes tasks from the database, one at a time."""
    return Worker(
        queue_names=["default"],
        interval=INTERVAL,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=get_random_string(32),
        excluded_queue_names=[],
    )
