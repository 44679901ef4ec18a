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
    """One client that keeps its connection while the server does."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)

    def get(self, path: str) -> tuple[float, str]:
        """The seconds until a page is there whole, and its text; raises when it isn't a page."""
        began = time.perf_counter()
        status, body = self.ask("GET", path, None, {})
        seconds = time.perf_counter() - began
        if status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path}: {status} {body[:300]!r}")
        return seconds, body.decode()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status that answers."""
        return self.ask("POST", path, body, headers)[0]

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Status and body of the answer; a connection that had idled too long is made anew."""
        try:
            self.connection.request(method, path, body, dict(headers))
            response = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.connection.close()
            self.connection.request(method, path, body, dict(headers))
            response = self.connection.getresponse()
        return response.status, response.read()


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
