"""Somebody at the command line: the console script, a registry, and a database of their own."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regui import oci
from tests.serving import regui


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The one object on its standard output, which held nothing else."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def results(self) -> list[tuple[str, str, str]]:
        """What its object says was done, with which tag, and how that ended."""
        return [(one["do"], one["tag"], one["result"]) for one in self.object["steps"]]


@dataclass(frozen=True)
class Desk:
    """Runs commands on one registry, known as main."""

    data: Path
    url: str
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **settings: str) -> Done:
        """A command without a terminal; it must never end with a traceback."""
        known = {"REGUI_REGISTRY_URL": self.url} | self.settings | settings
        done = regui(self.data, *arguments, **known)
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def yes(self, *arguments: str) -> Done:
        """A command that was agreed to, for a program."""
        return self.run(*arguments, "--yes", "--json")

    def tags(self, name: str) -> dict[str, str]:
        """What the registry itself says its tags are on."""
        with oci.Client(self.url) as client:
            try:
                return {tag: client.head_manifest(name, tag).digest for tag in client.tags(name)}
            except oci.NotFound:
                return {}
