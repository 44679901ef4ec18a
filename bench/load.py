"""A busy day's events, all at once: pushes of new tags, moves of tags, deletes, pulls.

The registry's disk always says the same as the events do, so that whoever asks it hears that.
"""

import json
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import documents, synthetic
from bench.synthetic import Shape

SHAPE = Shape(100, 5_000)
CLIENT = "10.0.0.1:4711"


@dataclass
class Load:
    """Events one after another, and what must come of them."""

    storage: Path
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    pulls: int = 0
    moves: int = 0
    sent: int = 0

    def __post_init__(self) -> None:
        self.digests: dict[str, list[documents.Made]] = {}
        self.moving: list[tuple[str, str]] = []
        for name, tags, seed in synthetic.plan(SHAPE):
            count = SHAPE.digests(tags)
            if count < 2:
                continue
            self.digests[name] = [documents.made(seed + at, name) for at in range(count)]
            for at in range(tags):
                key = (name, synthetic.tag(at, tags))
                self.moving.append(key)
                self.tags[key] = self.digests[name][at * count // tags].digest
        self.names = list(self.digests)
        self.passing: list[tuple[str, str]] = []

    def events(self) -> Iterator[dict[str, Any]]:
        """Events without end, each true at the moment it is taken."""
        while True:
            number = self.sent
            self.sent += 1
            turn = number % 10
            if turn < 4:
                name = self.names[number % len(self.names)]
                key = (name, f"burst-{number}-{uuid.uuid4().hex[:6]}")
                self.passing.append(key)
                yield self.push(key, number)
            elif turn < 7:
                yield self.push(self.moving[number * 7 % len(self.moving)], number)
            elif turn == 7 and len(self.passing) > 400:
                yield self.delete(self.passing.pop(0))
            else:
                yield self.pull(number)

    def push(self, key: tuple[str, str], number: int) -> dict[str, Any]:
        """A tag comes, or moves to another digest."""
        choice = self.digests[key[0]]
        made = choice[number % len(choice)]
        if self.tags.get(key) == made.digest:
            made = choice[(number + 1) % len(choice)]
        self.moves += 1
        self.tags[key] = made.digest
        folder = self.folder(key)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "link").write_text(made.digest, encoding="ascii")
        return event("push", "PUT", key[0], made, key[1])

    def delete(self, key: tuple[str, str]) -> dict[str, Any]:
        """A tag goes."""
        self.moves += 1
        self.tags[key] = ""
        shutil.rmtree(self.folder(key).parent)
        target = {"repository": key[0], "tag": key[1]}
        return envelope("delete", "DELETE", target, CLIENT)

    def pull(self, number: int) -> dict[str, Any]:
        """Somebody new pulls an image."""
        self.pulls += 1
        name = self.names[number % len(self.names)]
        made = self.digests[name][0]
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:{40_000 + number % 20_000}"
        return event("pull", "GET", name, made, "", address)

    def folder(self, key: tuple[str, str]) -> Path:
        root = self.storage / "docker/registry/v2/repositories" / key[0]
        return root / "_manifests/tags" / key[1] / "current"


def event(
    action: str, method: str, name: str, made: documents.Made, tag: str, address: str = CLIENT
) -> dict[str, Any]:
    """An event about a manifest as distribution 2.8 sends it."""
    document = json.loads(made.body)
    references = document.get("manifests") or [document["config"], *document["layers"]]
    target = {
        "mediaType": made.media_type,
        "size": len(made.body),
        "digest": made.digest,
        "length": len(made.body),
        "repository": name,
        "url": f"http://registry.example.org/v2/{name}/manifests/{made.digest}",
        "references": references,
    } | ({"tag": tag} if tag else {})
    return envelope(action, method, target, address)


def envelope(action: str, method: str, target: dict[str, Any], address: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "123Z"),
        "action": action,
        "target": target,
        "request": {
            "id": str(uuid.uuid4()),
            "addr": address,
            "host": "registry.example.org",
            "method": method,
            "useragent": "docker/27.3.1 go/go1.22.7",
        },
        "actor": {},
        "source": {"addr": "registry:5000", "instanceID": "7d1e3f7e"},
    }
