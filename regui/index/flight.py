"""One reading at a time: whoever wants what another thread is just fetching waits for it instead."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Flight:
    """A lock and how many threads hold or want it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


_flights: dict[tuple[str, ...], Flight] = {}
_guard = threading.Lock()


@contextmanager
def alone(*key: str, deadline: float) -> Iterator[bool]:
    """True once no other thread of this process is inside with the same key; False when that took until the
    deadline (monotonic). Who comes second must look again at what the first has already brought."""
    with _guard:
        flight = _flights.setdefault(key, Flight())
        flight.users += 1
    entered = flight.lock.acquire(timeout=max(deadline - time.monotonic(), 0))
    try:
        yield entered
    finally:
        if entered:
            flight.lock.release()
        with _guard:
            flight.users -= 1
            if not flight.users:
                del _flights[key]
