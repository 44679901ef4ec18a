"""What runs somewhere, as clusters tell, and what may therefore not be taken away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from regui.index.models import Registry


@dataclass(frozen=True)
class Uses:
    """The reasons ("running in prod-cluster since 2026-11-26 20:00 UTC") why tags and digests of one
    repository may not be taken away, by name."""

    tags: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def of_registry(registry: Registry, now: datetime) -> dict[str, Uses]:
    """What runs of a registry, by repository. One query."""
    raise NotImplementedError


def of_repository(registry: Registry, repository: str, now: datetime) -> Uses:
    """The same of one repository. One query."""
    raise NotImplementedError
