"""A small OpenID Connect provider, as tests see it: they start it, and tell it whom it knows and how to
misbehave. What it does is in `tests.provider_process`."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

CLIENT, SECRET = "regui", "s3cret / & +"
PEOPLE = {
    "alice": {
        "sub": "a-1",
        "preferred_username": "alice",
        "email": "alice@example.com",
        "email_verified": True,
        "groups": ["idp-admins", "staff"],
    },
    "bob": {
        "sub": "b-2",
        "preferred_username": "bob",
        "email": "bob@elsewhere.example",
        "email_verified": True,
        "groups": ["staff"],
    },
    "charlie": {"sub": "c-3", "preferred_username": "charlie", "groups": []},
}


@dataclass
class Provider:
    """The process, as tests see it."""

    url: str
    people: dict[str, dict[str, Any]] = field(default_factory=lambda: json.loads(json.dumps(PEOPLE)))

    def misbehave(self, **bad: Any) -> None:
        """From now on, and in no other way; see `provider_process.State`."""
        self._set(bad)

    def behave(self) -> None:
        """Keep to the rules again, and know the people it knew at first."""
        self.people = json.loads(json.dumps(PEOPLE))
        self._set({})

    def tell(self, person: str, **claims: Any) -> None:
        """Say something else of somebody, or of somebody new."""
        self.people.setdefault(person, {}).update(claims)
        self._set({})

    @property
    def seen(self) -> list[str]:
        """What it was asked so far: methods and paths."""
        found: list[str] = self._ask("/-/seen", None)["seen"]
        return found

    def _set(self, bad: dict[str, Any]) -> None:
        self._ask("/-/set", json.dumps({"bad": bad, "people": self.people}).encode())

    def _ask(self, path: str, body: bytes | None) -> dict[str, Any]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(f"{self.url}{path}", body), timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextmanager
def running() -> Iterator[Provider]:
    """The provider, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.provider_process"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Provider(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
