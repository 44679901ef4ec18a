"""regui as a person starts it, on a synthetic registry: its processes, their memory, its pages."""

import http.client
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.serving import Running, processes, serving

TIMEOUT = 60


@contextmanager
def running(data: Path, *arguments: str, **settings: str) -> Iterator[Running]:
    """`regui` with those arguments, until the block ends."""
    program = (sys.executable, "-m", "regui")
    with serving(data, *arguments, program=program, cwd=None, **settings) as started:
        yield started


class Visitor:
    """One client that keeps its connection."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[float, str]:
        """The seconds until a page is there whole, and its text; raises when it isn't a page."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=dict(headers or {}))
        response = self.connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - began
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path}: {response.status} {body[:300]!r}")
        return seconds, body.decode()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status that answers."""
        self.connection.request("POST", path, body, dict(headers))
        response = self.connection.getresponse()
        response.read()
        return response.status


def memory(session: int) -> int:
    """Bytes of memory that a session's processes have: shared pages by their share, mapped files not at
    all."""
    total = 0
    for process in processes(session):
        lines = (Path("/proc") / process["pid"] / "smaps_rollup").read_text(encoding="ascii").splitlines()
        found = {name: rest.split()[0] for name, _, rest in (line.partition(":") for line in lines[1:])}
        total += (int(found["Pss_Anon"]) + int(found["Pss_Shmem"])) * 1024
    return total


def database(data: Path) -> int:
    """Bytes of regui's database, what is not yet merged into its file included."""
    return sum(path.stat().st_size for path in data.glob("regui.sqlite3*"))
