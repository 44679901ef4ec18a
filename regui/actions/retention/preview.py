"""What a policy would do: counts over everything it covers, and the reason for each tag of what is shown."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from regui.accounts.access import Actor
from regui.index.models import Registry
from regui.retention.deciding import Verdict
from regui.retention.policy import Policy
from regui.retention.tags import Moment


@dataclass(frozen=True)
class Count:
    """How many tags a policy drops of those in one repository."""

    repository: str
    tags: int
    drops: int


@dataclass(frozen=True)
class Preview:
    """What a policy would do as of `moment`. `counts` says how many tags each verdict is on, `most` the
    repositories that lose most tags, `emptied` how many would lose every tag, `hidden` how many repositories
    it covers in which this actor may not delete: there it does nothing, and nothing is counted."""

    policy: Policy
    moment: Moment
    repositories: int
    tags: int
    keeps: int
    drops: int
    emptied: int
    hidden: int
    counts: Counter[Verdict]
    most: list[Count]


@dataclass(frozen=True)
class Wanted:
    """Which lines are wanted: kept or dropped ones (None for both), those of one verdict's rule (0 for those
    that no rule speaks of), with this text in repository:tag, in this repository."""

    keep: bool | None = None
    rule: int | None = None
    text: str = ""
    repository: str = ""


@dataclass(frozen=True)
class Line:
    """One tag, what becomes of it, and why. `size` in bytes and `created` are None while unknown."""

    repository: str
    tag: str
    digest: str
    size: int | None
    created: datetime | None
    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Page:
    """Some lines out of `total`."""

    lines: list[Line]
    total: int


def preview(registry: Registry, policy: Policy, actor: Actor, now: datetime) -> Preview:
    """What the policy would do in the repositories in which this actor may delete, from the index alone."""
    raise NotImplementedError


def page(
    registry: Registry, policy: Policy, actor: Actor, now: datetime, wanted: Wanted, offset: int, most: int
) -> Page:
    """Some of the wanted lines, by repository and then by tag as versions stand, newest first. Reasons are
    made for these lines alone."""
    raise NotImplementedError


def lines(registry: Registry, policy: Policy, actor: Actor, now: datetime, wanted: Wanted) -> Iterator[Line]:
    """All wanted lines, in the same order, as they come: for a download."""
    raise NotImplementedError
