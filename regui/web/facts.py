"""What an image's config says, as a page's list of facts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from regui import oci


@dataclass(frozen=True)
class Fact:
    """A name and its values; `code` when they are words for a machine."""

    name: str
    values: tuple[str, ...]
    code: bool = True


def of_config(config: oci.Config) -> list[Fact]:
    """The facts that are there, in the order people look for them."""
    found = [
        Fact("Entrypoint", joined(config.entrypoint)),
        Fact("Command", joined(config.cmd)),
        Fact("Working directory", given(config.working_dir)),
        Fact("User", given(config.user)),
        Fact("Ports", config.ports),
        Fact("Volumes", config.volumes),
        Fact("Stop signal", given(config.stop_signal)),
        Fact("Health check", given(config.healthcheck)),
        Fact("Platform", () if config.platform.unknown else (str(config.platform),)),
        Fact("OS version", given(config.platform.os_version)),
        Fact("Author", given(config.author), code=False),
    ]
    return [fact for fact in found if fact.values]


def of_chart(fields: Mapping[str, object]) -> list[Fact]:
    """The facts of a Helm chart: its Chart.yaml, which is its config, in its own order."""
    return [Fact(name, tuple(words(value)), code=False) for name, value in fields.items() if value]


def words(value: object) -> Iterator[str]:
    """A value of JSON as lines of text."""
    if isinstance(value, list):
        for one in value:
            yield from words(one)
    elif isinstance(value, dict):
        yield ", ".join(f"{key}: {one}" for key, one in value.items())
    else:
        yield str(value)


def joined(command: tuple[str, ...]) -> tuple[str, ...]:
    """A command in the exec form, as Dockerfiles have it; nothing for none."""
    return (json.dumps(list(command), ensure_ascii=False),) if command else ()


def given(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def variables(env: tuple[str, ...]) -> list[tuple[str, str]]:
    """Environment entries as names and values."""
    return [(name, value) for name, _, value in (entry.partition("=") for entry in env)]
