"""Tasks by way of Redis, with RQ."""

import os
import time
from typing import Any, cast

import django_rq
from rq import SimpleWorker
from rq.timeouts import TimerDeathPenalty

from regui.jobs import tasks

QUEUE = "default"
# Seconds between two looks at whether this process is to end.
LOOK = 0.5


class Worker(SimpleWorker):
    """RQ's worker within a thread: no process for each task, no signals, which are the main thread's."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        """Nothing: the main thread tells."""


def loop() -> None:
    """Take tasks from Redis until this process is to end."""
    while not tasks.stopping.is_set():
        worker = django_rq.get_worker(
            QUEUE,
            worker_class=cast("Any", Worker),
            job_class="django_tasks_rq.Job",
            name=f"regui-{os.getpid()}-{time.time()}",
        )
        worker.work(burst=True, logging_level="WARNING")
        tasks.stopping.wait(LOOK)
