"""What is worth cleaning up in a registry: groups of tags that somebody may want gone, the dearest first, all
added up in one pass."""

import heapq
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from regui.accounts.access import Actor
from regui.actions.retention import facts, keeping, kept, places
from regui.actions.retention.facts import Stand
from regui.actions.retention.places import Places
from regui.index.models import Registry
from regui.index.usage.terms import NEVER, Terms
from regui.patterns import ANYWHERE
from regui.retention import rules
from regui.retention.deciding import decide, keepers
from regui.retention.policy import DROP, Policy
from regui.retention.rules import Rule
from regui.retention.tags import Moment

PULLS, AGE, PRE, BUILDS, PATCHES, UNTAGGED = "pulls", "age", "pre-releases", "builds", "patches", "untagged"
KINDS = (PULLS, AGE, PRE, BUILDS, PATCHES, UNTAGGED)
ALL = 1 << len(KINDS)
BITS = {kind: 1 << place for place, kind in enumerate(KINDS)}
# What people's pipelines call what they build of branches, pull requests and commits.
BUILT = (
    "(?i)(?:pr|mr|pull|merge|branch|feature|feat|fix|bugfix|hotfix|dev|ci|build|sha|snapshot|nightly)[-_.].*"
    "|[0-9]*[a-f][0-9a-f]{6,39}"
)
RULES: Mapping[str, Mapping[str, Any]] = {
    PULLS: {"drop": "not-pulled", "for": "90d"},
    AGE: {"drop": "older", "than": "365d"},
    PRE: {"drop": "pre-releases"},
    PATCHES: {"drop": "superseded"},
    BUILDS: {"drop": "older", "than": "30d", "regex": BUILT},
}
LOOSE = 7 * 86_400
# Of how many tags on one digest it is said, and how many such things are named.
ALIKE, NAMED = 5, 5


@dataclass
class Win:
    """A group: how many tags and manifests (untagged ones) are in it, in how many repositories, what dropping
    it would free in bytes, and where most of it lies."""

    kind: str
    tags: int = 0
    repositories: int = 0
    frees: int = 0
    most: str = ""
    _largest: int = 0

    def count(self, repository: str, number: int) -> None:
        self.tags += number
        self.repositories += 1
        if number > self._largest:
            self._largest, self.most = number, repository


@dataclass
class Insight:
    """The groups that hold anything, dearest first, as of `now`, over `tags` in `repositories`. `together` is
    what dropping all of them would free. `told_since` is since when pulls are known without a gap. `alike`
    are (tags, repository, one of these tags) of digests that have many, `stale` (tags, repository) where
    every tag is in a group; both the most of them, with how many there are in all."""

    now: datetime
    told_since: int | None
    repositories: int = 0
    tags: int = 0
    together: int = 0
    unsized: int = 0
    wins: list[Win] = field(default_factory=list)
    alike: list[tuple[int, str, str]] = field(default_factory=list)
    alike_count: int = 0
    stale: list[tuple[int, str]] = field(default_factory=list)
    stale_count: int = 0


def insight(registry: Registry, actor: Actor, now: datetime) -> Insight:
    """What is worth cleaning up of the repositories in which this actor may delete."""
    return Looking(registry, actor, now).found


class Looking:
    """One pass, and what it found."""

    def __init__(self, registry: Registry, actor: Actor, now: datetime) -> None:
        self.moment, self.force = facts.moment(registry, now), keeping.policies(registry.name)
        told = self.moment.told_since is not None
        self.rules: dict[str, Rule] = {
            kind: rules.read(one, ()) for kind, one in RULES.items() if told or kind != PULLS
        }
        self.wins = {kind: Win(kind) for kind in KINDS}
        self.names: dict[int, str] = {}
        self.found = Insight(now, self.moment.told_since)
        terms = Terms(registry, operator.and_)
        every = Places(registry, terms, now, LOOSE, BITS[UNTAGGED] | ALL)
        # Who has no word of pulls can't tell what wasn't pulled: then there is less to read.
        dates = {"created", "first_seen", "pulled"} if self.moment.told_since else {"created"}
        asked = frozenset(dates).union(*(one.needs for one in self.force))
        for place, _, loose in every.tell(places.stands(registry, asked, [ANYWHERE], actor), self._say):
            if number := sum(1 for key, one in loose.items() if one and key in place.held):
                self.wins[UNTAGGED].count(self.names[place.key], number)
        self._sum(terms)

    def _say(self, stand: Stand) -> list[int]:
        found, bare = self.found, Policy("", "", (), (), DROP)
        self.names[stand.key] = stand.name
        found.repositories += 1
        found.tags += len(stand.tags)
        said = self._groups(stand, self.moment)
        kept_ones = decide(bare, stand.tags, self.moment, keepers(bare, self.force, stand.name)).verdicts
        for place, verdict in enumerate(kept_ones):
            if verdict.keep:
                said[place] = NEVER
        for kind, bit in BITS.items():
            if number := sum(1 for one in said if one & bit):
                self.wins[kind].count(stand.name, number)
        self._note(stand, said)
        return said

    def _groups(self, stand: Stand, moment: Moment) -> list[int]:
        said = [NEVER] * len(stand.tags)
        matched = {kind: rule.find(stand.tags, moment).matched for kind, rule in self.rules.items()}
        for kind, some in matched.items():
            for place in some:
                said[place] |= BITS[kind] | ALL
        return said

    def _note(self, stand: Stand, said: Sequence[int]) -> None:
        """Digests with many tags, and repositories in which all is in a group."""
        found = self.found
        counts = Counter(tag.manifest for tag in stand.tags if tag.manifest is not None)
        many = {key: number for key, number in counts.items() if number >= ALIKE}
        if many:
            found.alike_count += len(many)
            names = {tag.manifest: tag.name for tag in reversed(stand.tags) if tag.manifest in many}
            some = [(number, stand.name, names[key]) for key, number in many.items()]
            found.alike = heapq.nlargest(NAMED, [*found.alike, *some])
        if stand.tags and all(one & (BITS[PULLS] | BITS[AGE]) for one in said):
            found.stale_count += 1
            found.stale = heapq.nlargest(NAMED, [*found.stale, (len(stand.tags), stand.name)])

    def _sum(self, terms: Terms) -> None:
        found, frees = self.found, Counter[int]()
        if any(terms.going()):
            terms.close()
            found.unsized = sum(1 for _ in terms.unread())
            for size, one in terms.blobs():
                frees[one] += size or 0
                found.unsized += size is None
        for kind, win in self.wins.items():
            win.frees = sum(size for one, size in frees.items() if one & BITS[kind])
        found.together = sum(size for one, size in frees.items() if one & ALL)
        found.wins = sorted(
            (win for win in self.wins.values() if win.tags), key=lambda win: (-win.frees, -win.tags)
        )


def key(registry: Registry, actor: Actor) -> tuple[object, ...]:
    return "insight", *kept.scope(registry, actor)


def of(
    registry: Registry, actor: Actor, now: datetime, wanted: Callable[[], bool], *, again: bool = False
) -> Insight | None:
    """The same as it was found of late; see `kept.lately`."""
    return kept.lately(key(registry, actor), lambda: insight(registry, actor, now), wanted, again=again)
