"""Image configs: what a container starts with, and how the image was built.

Specification: the image specification's config.md. Docker's older config has the same fields.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from regui.oci.documents import Platform, created_date
from regui.oci.lenient import each, mapping, parse_object, record, text, texts


@dataclass(frozen=True)
class History:
    """One step of the build; `empty_layer` says that it made no layer."""

    created: datetime | None
    created_by: str
    comment: str
    empty_layer: bool

    @classmethod
    def parse(cls, value: Any) -> Self:
        fields = record(value)
        return cls(
            created=created_date(text(fields.get("created"))),
            created_by=text(fields.get("created_by")),
            comment=text(fields.get("comment")),
            empty_layer=fields.get("empty_layer") is True,
        )


@dataclass(frozen=True)
class Config:
    """An image's config. `created` is None when `claimed_created`, the words themselves, say nothing sane;
    `healthcheck` is the command as JSON, empty when there is none."""

    platform: Platform
    created: datetime | None = None
    claimed_created: str = ""
    author: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    healthcheck: str = ""
    history: tuple[History, ...] = ()
    diff_ids: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The config in these bytes, unknown fields left out; Malformed when they aren't a JSON object."""
        fields = parse_object(body)
        runtime = record(fields.get("config"))
        health = record(runtime.get("Healthcheck")).get("Test")
        return cls(
            platform=Platform.parse(fields),
            created=created_date(text(fields.get("created"))),
            claimed_created=text(fields.get("created")),
            author=text(fields.get("author")),
            labels=mapping(runtime.get("Labels")),
            env=texts(runtime.get("Env")),
            entrypoint=command(runtime.get("Entrypoint")),
            cmd=command(runtime.get("Cmd")),
            working_dir=text(runtime.get("WorkingDir")),
            user=text(runtime.get("User")),
            ports=tuple(map(text, record(runtime.get("ExposedPorts")))),
            volumes=tuple(map(text, record(runtime.get("Volumes")))),
            stop_signal=text(runtime.get("StopSignal")),
            healthcheck=text(json.dumps(health, ensure_ascii=False)) if health else "",
            history=tuple(map(History.parse, each(fields.get("history")))),
            diff_ids=texts(record(fields.get("rootfs")).get("diff_ids")),
        )


def command(value: Any) -> tuple[str, ...]:
    """The words of a command; one given as a string, as old builders did, is a single word."""
    return (text(value),) if isinstance(value, str) else texts(value)
