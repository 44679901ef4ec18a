"""When someone's page last asked a registry something, known to every process of this machine: crawls hold
back meanwhile."""

import mmap
import struct
import threading
import time
from pathlib import Path

from django.conf import settings

MOMENT = struct.Struct("d")
FILE = "pages"

_guard = threading.Lock()
_maps: dict[Path, mmap.mmap] = {}


def note() -> None:
    """A page is asking now."""
    MOMENT.pack_into(_map(), 0, time.monotonic())


def since() -> float:
    """Seconds since a page last asked."""
    (moment,) = MOMENT.unpack_from(_map(), 0)
    now = time.monotonic()
    # The machine's clock began anew when it was started, and the file is older.
    return float(now - moment) if 0 < moment <= now else float("inf")


def _map() -> mmap.mmap:
    """The file, a few bytes long, as memory that processes share."""
    path = settings.DATA / FILE
    found = _maps.get(path)
    if found is None:
        with _guard:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a+b") as file:
                if file.seek(0, 2) < MOMENT.size:
                    file.truncate(MOMENT.size)
                found = _maps[path] = mmap.mmap(file.fileno(), MOMENT.size)
    return found
