"""What a registry would drop and free for any number of tags kept and any age: added up once for all.

A tag goes when it is beyond the newest N of its repository and older than D days. So what several tags need
goes when that holds for the best placed and for the youngest of them: two numbers for each manifest and each
blob, which make a table that answers for every N and D.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from regui.accounts.access import Actor
from regui.actions.retention import facts, keeping, kept, places
from regui.actions.retention.facts import Stand
from regui.actions.retention.places import Places
from regui.index.models import Registry
from regui.index.usage.terms import NEVER, Terms
from regui.retention.deciding import decide, keepers
from regui.retention.policy import DROP, Policy
from regui.retention.tags import Moment

COUNTS, DAYS = 100, 365
DAY = 86_400
WIDTH = DAYS + 2


def pack(rank: int, days: int) -> int:
    return min(rank, COUNTS + 1) * 1000 + min(days, DAYS + 1)


def best(one: int, other: int) -> int:
    """The better place and the younger age of two."""
    return min(one // 1000, other // 1000) * 1000 + min(one % 1000, other % 1000)


@dataclass(frozen=True)
class Point:
    """What would be dropped (tags) and freed (bytes) at one number of tags kept, or of days."""

    value: int
    drops: int
    frees: int


@dataclass(frozen=True)
class Curves:
    """What goes for each number of tags kept and each age in days, as of `now`. `tags` is how many there are
    in `repositories`; sizes that aren't known count for nothing, so with any `unsized` it is at least that
    much."""

    now: datetime
    repositories: int
    tags: int
    unsized: int
    drops: "array[int]"
    frees: "array[int]"

    def at(self, keep: int, older: int) -> Point:
        """What goes beyond the newest `keep` that is older than so many days."""
        place = (keep + 1) * WIDTH + older + 1
        return Point(keep, self.drops[place], self.frees[place])

    def by_count(self, older: int) -> list[Point]:
        """For each number kept, what goes of what is so old."""
        return [self.at(keep, older) for keep in range(COUNTS + 1)]

    def by_age(self, keep: int) -> list[Point]:
        """For each age, what goes when so many are kept."""
        found = [(days, self.at(keep, days)) for days in range(DAYS + 1)]
        return [Point(days, one.drops, one.frees) for days, one in found]


def curves(registry: Registry, patterns: Sequence[str], actor: Actor, now: datetime) -> Curves:
    """The table for the repositories that the patterns cover and in which this actor may delete."""
    moment, force = facts.moment(registry, now), keeping.policies(registry.name)
    terms = Terms(registry, best)
    asked = frozenset({"created"}).union(*(one.needs for one in force))
    dropped: list[int] = [0] * ((COUNTS + 2) * WIDTH)
    count = tags = 0

    def say(stand: Stand) -> list[int]:
        nonlocal count, tags
        count, tags = count + 1, tags + len(stand.tags)
        said = packed(stand, moment, force)
        for one in said:
            dropped[one // 1000 * WIDTH + one % 1000] += 1
        return said

    for _ in Places(registry, terms, now).tell(places.stands(registry, asked, patterns, actor), say):
        pass
    freed: list[int] = [0] * len(dropped)
    unsized = 0
    if any(terms.going()):
        terms.close()
        unsized = sum(1 for _ in terms.unread())
        for size, one in terms.blobs():
            freed[one // 1000 * WIDTH + one % 1000] += size or 0
            unsized += size is None
    return Curves(now, count, tags, unsized, summed(dropped), summed(freed))


def packed(stand: Stand, moment: Moment, force: Sequence[Policy]) -> list[int]:
    """Rank and age of each tag, both from 1 on; `NEVER` of those that stay in any case."""
    bare = Policy("", "", (), (), DROP)
    decision = decide(bare, stand.tags, moment, keepers(bare, force, stand.name))
    said = [NEVER] * len(stand.tags)
    dated = [(-tag.created, tag.name, place) for place, tag in enumerate(stand.tags) if tag.created]
    for rank, (created, _, place) in enumerate(sorted(dated), 1):
        days = (moment.now + created) // DAY + 1
        if not decision.verdicts[place].keep and days > 0:
            said[place] = pack(rank, days)
    return said


def summed(table: Iterable[int]) -> "array[int]":
    """The table in which each place holds the sum of all that stand at or behind it both ways."""
    found = array("q", (min(one, 2**62) for one in table))
    for place in range(len(found) - 1, -1, -1):
        if (place + 1) % WIDTH:
            found[place] += found[place + 1]
    for place in range(len(found) - WIDTH - 1, -1, -1):
        found[place] += found[place + WIDTH]
    return found


def key(registry: Registry, patterns: Sequence[str], actor: Actor) -> tuple[object, ...]:
    return "curves", *kept.scope(registry, actor), tuple(patterns)


def of(
    registry: Registry,
    patterns: Sequence[str],
    actor: Actor,
    now: datetime,
    wanted: Callable[[], bool],
    *,
    again: bool = False,
) -> Curves | None:
    """The same as it was added up of late, so that one can drag; see `kept.lately`."""
    place = key(registry, patterns, actor)
    return kept.lately(place, lambda: curves(registry, patterns, actor, now), wanted, again=again)
