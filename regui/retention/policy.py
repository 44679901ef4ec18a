"""A policy, as a person writes it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim, CronSimError

from regui import patterns
from regui.retention import reading, rules
from regui.retention.reading import Invalid, Path, Reader
from regui.retention.rules import Rule

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
# Pages of their own stand where these policies' pages would.
TAKEN = ("add", "preview")
MOST_RULES = 50
KEEP, DROP = "keep", "drop"
# The fields of a schedule, with what may stand there.
FIELDS = {
    "minute": "0 to 59, * for every one, */5 for every fifth",
    "hour": "0 to 23, * for every one, */5 for every fifth",
    "day": "1 to 31, * for every one, L for the last of the month",
    "month": "1 to 12 or JAN to DEC, * for every one",
    "weekday": "0 to 6 from Sunday on or SUN to SAT, * for every one",
}
# A run stops and asks a person when it would drop more than this share of the tags it looked at, in percent.
LIMIT = 30


@dataclass(frozen=True)
class Policy:
    """Rules for the tags of some repositories of one registry. `otherwise` is what becomes of a tag that no
    rule speaks of. `untagged` is after how many seconds manifests without a tag go, 0 for never; `schedule`
    five fields as cron has them, in UTC, empty to run only when somebody says so; `limit` in percent."""

    name: str
    registry: str
    repositories: tuple[str, ...]
    rules: tuple[Rule, ...]
    otherwise: str
    untagged: int = 0
    schedule: str = ""
    limit: int = LIMIT
    note: str = ""

    @classmethod
    def read(cls, value: object, path: Path = ()) -> "Policy":
        """The policy that plain values are; raises `Invalid`, which says where."""
        given = Reader.of(value, path, "a policy")
        found = cls(
            name=given.take("name", name),
            registry=given.take("registry", reading.text),
            repositories=given.take("repositories", reading.places),
            rules=given.take("rules", lambda value: read_rules(value, (*path, "rules")), ()),
            otherwise=given.take("otherwise", reading.one_of(KEEP, DROP)),
            untagged=given.take("untagged", reading.length, 0),
            schedule=given.take("schedule", schedule, ""),
            limit=given.take("limit", limit, LIMIT),
            note=given.take("note", reading.text, ""),
        )
        given.end()
        if not found.rules and found.otherwise == KEEP and not found.untagged:
            raise Invalid((*path, "rules"), "Without a rule this would never drop anything.")
        return found

    def plain(self) -> dict[str, Any]:
        """The policy as `read` takes it, without what is as it would be anyway."""
        found: dict[str, Any] = {"name": self.name, "registry": self.registry}
        found |= {"note": self.note} if self.note else {}
        found["repositories"] = list(self.repositories)
        found["rules"] = [rule.plain() for rule in self.rules]
        found["otherwise"] = self.otherwise
        found |= {"untagged": reading.written(self.untagged)} if self.untagged else {}
        found |= {"schedule": self.schedule} if self.schedule else {}
        return found | ({"limit": f"{self.limit}%"} if self.limit != LIMIT else {})

    @property
    def fingerprint(self) -> str:
        """64 hex characters: equal for policies that do the same. When it runs, and notes, don't matter."""
        does = {key: one for key, one in self.plain().items() if key not in {"schedule", "note"}}
        return hashlib.sha256(json.dumps(does, sort_keys=True).encode()).hexdigest()

    @property
    def needs(self) -> frozenset[str]:
        """The fields of `Tag` that its rules read besides the name and the manifest."""
        return frozenset().union(*(rule.asks for rule in self.rules))

    def covers(self, repository: str) -> bool:
        """Whether it is about the repository of that name."""
        return any(patterns.covers_repository(pattern, repository) for pattern in self.repositories)


def read_rules(value: object, path: Path) -> tuple[Rule, ...]:
    if not isinstance(value, list | tuple) or len(value) > MOST_RULES:
        raise Invalid(path, f"rules must be a list, of at most {MOST_RULES}.")
    return reading.every(value, path, rules.read)


def name(value: object) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError("must be lower-case letters, digits and dashes, at most 48")
    if value in TAKEN:
        raise ValueError(f"must be another than {' or '.join(TAKEN)}, which are pages")
    return value


def schedule(value: object) -> str:
    """Five fields as cron has them."""
    text = " ".join(str(value).split())
    fields = text.split(" ")
    if len(fields) != len(FIELDS):
        had = reading.shown(text) if text.startswith("@") else len(fields)
        raise ValueError(f"must be five fields, not {had}: {', '.join(FIELDS)}; such as 0 3 * * *")
    if comes(text):
        return text
    for place, (name, may) in enumerate(FIELDS.items()):
        alone = ["*"] * place + [fields[place]] + ["*"] * (len(FIELDS) - place - 1)
        if not comes(" ".join(alone)):
            raise ValueError(f"must have another {name} than {reading.shown(fields[place])}: {may}")
    raise ValueError("names a moment that never comes")


def comes(text: str) -> bool:
    """Whether there is a moment that five fields mean."""
    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, ValueError, StopIteration):
        return False
    return True


def limit(value: object) -> int:
    return reading.number(1, 100)(str(value).strip().removesuffix("%").strip())


def read_all(values: Mapping[str, Any]) -> list[Policy]:
    """The policies of a whole document, `{"policies": […]}`; raises `Invalid`, also for two of one name in
    one registry."""
    given = Reader.of(values, (), "a document with policies")
    found: dict[tuple[str, str], Policy] = {}

    def read(value: object, path: Path) -> Policy:
        policy = Policy.read(value, path)
        if found.setdefault((policy.registry, policy.name), policy) is not policy:
            raise Invalid((*path, "name"), f"{policy.registry} has a policy {policy.name} already.")
        return policy

    def listed(value: object) -> tuple[Policy, ...]:
        if not isinstance(value, list):
            raise ValueError("must be a list")
        return reading.every(value, ("policies",), read)

    policies = given.take("policies", listed)
    given.end()
    return list(policies)
