"""The least time in which a registry answers a list of requests: eight threads of bare http.client.

The list comes from the registry's access log of a run of regui, in the log's order. The headers that matter
and no log holds are added: what manifests are accepted, and the digest a conditional request names.
"""

import http.client
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from regui import oci
from tests.registry import Access

THREADS = 8
TIMEOUT = 30


@dataclass(frozen=True)
class Ask:
    """A request, its headers, and the status it got."""

    method: str
    path: str
    headers: Mapping[str, str]
    status: int


def asks(log: Iterable[Access], storage: Path) -> list[Ask]:
    """The requests of a log against the registry that is kept in `storage`."""
    return [Ask(one.method, one.path, headers(one, storage), one.status) for one in log]


def headers(one: Access, storage: Path) -> dict[str, str]:
    """What regui sent along with it, as far as the registry's work depends on it."""
    path, _, reference = one.path.partition("/manifests/")
    if not reference:
        return {}
    sent = {"Accept": oci.ACCEPT}
    if one.status == http.HTTPStatus.NOT_MODIFIED:
        sent["If-None-Match"] = f'"{current(storage, path.removeprefix("/v2/"), reference)}"'
    return sent


def current(storage: Path, repository: str, reference: str) -> str:
    """The digest that a tag is on, straight from the disk; a digest is itself."""
    if ":" in reference:
        return reference
    tags = storage / "docker/registry/v2/repositories" / repository / "_manifests/tags"
    return (tags / reference / "current/link").read_text(encoding="utf-8")


def replay(url: str, wanted: Iterable[Ask]) -> float:
    """The seconds until all are answered; raises when any is answered otherwise than regui was."""
    rest = iter(list(wanted))
    wrong: list[str] = []
    lock = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
        while True:
            with lock:
                ask = next(rest, None)
            if ask is None:
                break
            connection.request(ask.method, ask.path, headers=dict(ask.headers))
            response = connection.getresponse()
            response.read()
            if response.status != ask.status:
                wrong.append(f"{ask.method} {ask.path}: {response.status} instead of {ask.status}")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    if wrong:
        raise RuntimeError(f"{len(wrong)} answers differ, the first: {wrong[0]}")
    return seconds
