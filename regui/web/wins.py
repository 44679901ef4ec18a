"""What the insight page shows: groups worth cleaning up, in words, each with a way to a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions.retention import insight
from regui.actions.retention.insight import Insight
from regui.actions.retention.insight import Win as Group
from regui.index.models import Registry, Repository
from regui.index.usage import settling
from regui.patterns import ANYWHERE

NAMED = 5


@dataclass(frozen=True)
class Words:
    """What a group is called, what is in it and why it may go, and the fields of a policy that drops it."""

    title: str
    says: str
    icon: str
    policy: Sequence[tuple[str, str]] = ()


WORDS = {
    insight.PULLS: Words(
        "Not pulled for 90 days",
        "There for 90 days at least, and no notification of a pull came in for so long.",
        "download",
        [("name", "unpulled"), ("rule", "1"), ("1-kind", "drop not-pulled"), ("1-for", "90d")],
    ),
    insight.AGE: Words(
        "Older than a year",
        "The image says that it was created more than 365 days ago.",
        "clock",
        [("name", "older-than-a-year"), ("rule", "1"), ("1-kind", "drop older"), ("1-than", "365d")],
    ),
    insight.PRE: Words(
        "Pre-releases whose release exists",
        "Such as 1.2.0-rc1 beside 1.2.0.",
        "flask-conical",
        [("name", "pre-releases"), ("rule", "1"), ("1-kind", "drop pre-releases")],
    ),
    insight.BUILDS: Words(
        "Builds of branches, pull requests and commits",
        "Named like pr-12, feature-x or a commit, and older than 30 days.",
        "braces",
        [
            ("name", "old-builds"),
            ("rule", "1"),
            ("1-kind", "drop older"),
            ("1-than", "30d"),
            ("1-regex", insight.BUILT),
        ],
    ),
    insight.PATCHES: Words(
        "Older patch versions",
        "Such as 1.2.3 when 1.2.4 is there, in the same variant. Somebody may still have pinned them.",
        "layers",
        [("name", "older-patches"), ("rule", "1"), ("1-kind", "drop superseded")],
    ),
    insight.UNTAGGED: Words(
        "Untagged manifests",
        "No tag has led to them for 7 days.",
        "package-open",
        [("name", "untagged"), ("untagged", "7d")],
    ),
}


@dataclass(frozen=True)
class Win:
    """A group with its words; `plan` leads to a policy that drops it, tried but not saved, and `most` to what
    there is of it where most of it lies."""

    group: Group
    words: Words
    plan: str
    most: str


@dataclass(frozen=True)
class Page:
    """The page; `found` is None while nothing was added up yet."""

    registry: Registry
    actor: Actor
    found: Insight | None

    @cached_property
    def wins(self) -> list[Win]:
        return [self._win(one) for one in self.found.wins] if self.found else []

    @property
    def most(self) -> int:
        """The bytes of the dearest group."""
        return max((one.group.frees for one in self.wins), default=0)

    @property
    def told_since(self) -> datetime | None:
        told = self.found.told_since if self.found else None
        return datetime.fromtimestamp(told, UTC) if told is not None else None

    @cached_property
    def empty(self) -> list[Repository]:
        """Some repositories without a tag."""
        rows = access.repositories(self.actor, self.registry).empty().order_by("name")
        return list(rows.only("name")[:NAMED])

    @cached_property
    def empty_count(self) -> int:
        return access.repositories(self.actor, self.registry).empty().count()

    def _win(self, group: Group) -> Win:
        words = WORDS[group.kind]
        fixed = [("repositories", ANYWHERE), ("otherwise", "keep")]
        plan = prefilled(self.registry, [*fixed, *words.policy]) if words.policy else ""
        where = "untagged-delete" if group.kind == insight.UNTAGGED else "repository"
        most = reverse(where, args=[self.registry.name, group.most]) if group.most else ""
        return Win(group, words, plan, most)


def prefilled(registry: Registry, fields: Sequence[tuple[str, str]]) -> str:
    """The address of a new policy's form with these fields filled in; empty where there are no policies."""
    try:
        return f"{reverse('policy-add', args=[registry.name])}?{urlencode(fields)}"
    except NoReverseMatch:
        return ""


def page(request: HttpRequest, actor: Actor, registry: Registry, *, wait: bool) -> Page:
    """What is known of late. If nothing is, it is only added up for who waits for it, or where that takes a
    moment; `again` adds it up anew."""
    found = insight.of(
        registry,
        actor,
        timezone.now(),
        lambda: wait or "sum" in request.GET or settling.is_small(registry),
        again="again" in request.GET,
    )
    return Page(registry, actor, found)
