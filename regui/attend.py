"""Keeps a worker running beside the web: `python -m regui.attend`. It starts one, starts another when that
dies, and ends it along with itself. It knows nothing of Django, so that it costs next to nothing."""

import os
import signal
import subprocess
import sys
import time
from types import FrameType

COMMAND = (sys.executable, "-m", "regui", "worker", "--attended")
# Seconds: between two looks, that a worker may take to end, of the first pause before the next is started
# and the longest, and after which one that ran that long is thought well.
LOOK, GRACE, FIRST, LONGEST, WELL = 0.2, 3.5, 1.0, 60.0, 60.0


class Ended(Exception):
    """A signal has come."""


def main() -> None:
    """Attend until SIGTERM, SIGINT, or until the process that started this one has gone."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    parent, pause = os.getppid(), FIRST
    try:
        while True:
            began = time.monotonic()
            attend(parent)
            pause = FIRST if time.monotonic() - began > WELL else min(2 * pause, LONGEST)
            wait(pause, parent)
    except Ended:
        pass


def attend(parent: int) -> None:
    """Run one worker until it ends; Ended, and the worker's end, when this process is to end."""
    worker = subprocess.Popen(COMMAND)  # noqa: S603  # ourselves
    try:
        while worker.poll() is None:
            wait(LOOK, parent)
    finally:
        worker.terminate()
        try:
            worker.wait(GRACE)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def wait(seconds: float, parent: int) -> None:
    """Let so much time pass; Ended when the process that started this one has gone."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if os.getppid() != parent:
            raise Ended
        time.sleep(min(left, LOOK))


def end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Ended


if __name__ == "__main__":
    main()
