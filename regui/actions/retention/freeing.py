"""How many bytes a registry's next collection could free after a policy has run, at any size of registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regui.accounts.access import Actor
from regui.index.models import Registry
from regui.retention.policy import Policy


@dataclass(frozen=True)
class Freed:
    """The manifests that would go, those of them that have no tag now, and the bytes that nothing else needs
    then; `unread` repositories may need some of them still: with any, the bytes are an upper bound. `frees`
    is None when sizes aren't known."""

    manifests: int
    untagged: int
    frees: int | None
    unread: int


@dataclass(frozen=True)
class Point:
    """What would be dropped and freed (bytes) at one number of tags kept, or of days."""

    value: int
    drops: int
    frees: int


def freed(registry: Registry, policy: Policy, actor: Actor, now: datetime) -> Freed:
    """What the policy would free in the repositories in which this actor may delete; from the index alone."""
    raise NotImplementedError


def by_count(
    registry: Registry, patterns: Sequence[str], actor: Actor, now: datetime, days: int, counts: Sequence[int]
) -> list[Point]:
    """For each number of newest tags kept in every repository, what goes of what is older than `days`."""
    raise NotImplementedError


def by_age(
    registry: Registry, patterns: Sequence[str], actor: Actor, now: datetime, count: int, days: Sequence[int]
) -> list[Point]:
    """For each number of days, what goes of what is older, when so many are kept in every repository."""
    raise NotImplementedError
