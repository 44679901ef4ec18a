"""Notifications as registries send them, recorded from real ones, and a registry that sends its own."""

import itertools
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from regui import oci
from tests.registry import RunningRegistry, binary

V1 = "application/vnd.docker.distribution.events.v1+json"
V2 = "application/vnd.docker.distribution.events.v2+json"
SECRET = "a-secret-of-the-tests"
_numbers = itertools.count(1)


def event(
    action: str,
    repository: str,
    *,
    tag: str = "",
    digest: str = "",
    at: datetime | None = None,
    actor: str = "",
    address: str = "192.0.2.7:42700",
    method: str = "",
    agent: str = "docker/28.0",
    media_type: str = oci.OCI_MANIFEST,
    uid: str = "",
) -> dict[str, Any]:
    """One event as distribution 2.8.2 writes it."""
    target: dict[str, Any] = {"repository": repository}
    if action != "delete":
        target |= {"mediaType": media_type, "size": 417, "length": 417}
        target["url"] = f"http://127.0.0.1:5628/v2/{repository}/manifests/{digest}"
    if digest:
        target["digest"] = digest
    if tag:
        target["tag"] = tag
    at = at or datetime.now(UTC)
    methods = {"push": "PUT", "pull": "GET", "delete": "DELETE", "mount": "POST"}
    return {
        "id": uid or f"0785804a-0000-4000-8000-{next(_numbers):012}",
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06}534Z",
        "action": action,
        "target": target,
        "request": {
            "id": "b5a9d0cb-1f0a-44a9-9a1f-000000000000",
            "addr": address,
            "host": "127.0.0.1:5628",
            "method": method or methods[action],
            "useragent": agent,
        },
        "actor": {"name": actor} if actor else {},
        "source": {"addr": "vm:5628", "instanceID": "bfe2c7a8-0000-4000-8000-000000000000"},
    }


def envelope(events: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps({"events": list(events)}).encode()


def notifying(folder: Path, url: str, **options: Any) -> RunningRegistry:
    """A registry that tells this address what happens to it, as the settings page says to set it up."""
    endpoint = {
        "name": "regui",
        "url": url,
        "headers": {"Authorization": [f"Bearer {SECRET}"]},
        "timeout": "1s",
        "threshold": 3,
        "backoff": "1s",
        "ignoredmediatypes": ["application/octet-stream"],
    }
    return RunningRegistry(folder, notifications={"endpoints": [endpoint]}, **options)


@contextmanager
def configured(
    folder: Path, text: str = "", command: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of a registry that has this text in its configuration, which is `folder`'s config.yml; run
    by that command, or as it is."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    config = folder / "config.yml"
    storage = f"storage: {{filesystem: {{rootdirectory: {folder / 'storage'}}}}}"
    config.write_text(f"version: 0.1\n{storage}\nhttp: {{addr: '{host}', secret: x}}\n{text}")
    run = command or [str(binary()), "serve", str(config)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(run, stdout=log, stderr=log, env=environment)
    try:
        wait(lambda: answers(f"http://{host}"))
        yield f"http://{host}"
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    try:
        with oci.Client(url, tries=1) as client:
            client.ping()
    except oci.Unreachable:
        return False
    return True


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
