"""What the index knows of tags, as the rules of `regui.retention` ask for it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Case, F, OuterRef, Q, Subquery, When
from django.utils import timezone

from regui.accounts import matching
from regui.actions.retention import past
from regui.actions.retention.locks import Locks
from regui.actions.retention.past import From, Nothing, Plain, Seconds
from regui.index import gaps, models
from regui.index.listing import DANGLING
from regui.index.models import Event, PullCount, Registry, Repository
from regui.retention.tags import NOTHING, Moment, Tag

# So many tags are read with one query, and of so many repositories: what is held in memory at a time, save
# where one repository alone has more.
TAGS, REPOSITORIES = 10_000, 500
# Seconds since 1970 until 2013: no image is older, whatever it says. Builders that want the same bytes each
# time write dates of their own, be it 1970 or 1980.
EARLIEST = int(datetime(2013, 1, 1, tzinfo=UTC).timestamp())
# Where nobody pulled in so long, the registry may have been told not to tell of that any more; many tell of
# pushes alone.
QUIET = timedelta(days=7)

# What stands in a `Tag` behind the columns that are read: with dates and without.
DATED: tuple[Any, ...] = (NOTHING, "", "")
BARE: tuple[Any, ...] = (None, None, None, *DATED)

NEVER = "its tags were never listed completely"


@dataclass(frozen=True)
class Stand:
    """A repository by key and name, with all its listed tags but those that speak about others. `wary` says
    why what is known of it isn't good enough to take anything away; then there are no tags here."""

    key: int
    name: str
    tags: list[Tag] = field(default_factory=list)
    wary: str = ""


def moment(registry: Registry, now: datetime) -> Moment:
    """That moment, as rules on tags of this registry see it. Whatever hints that pulls may have gone
    unnoticed counts as if none had ever been told of: that none came in lately, that nobody looks after
    events, that some wait. Before the first pull came in nobody knows whether any would have been told."""
    pulls = PullCount.objects.filter(registry=OuterRef("name"))
    columns = (
        "events_since",
        Subquery(pulls.order_by("day").values("last_at")[:1]),
        Subquery(pulls.order_by("-day").values("day")[:1]),
        "inbox__beat_at",
    )
    since, first, last, beat = Registry.objects.values_list(*columns).get(pk=registry.pk)
    told = (
        since is not None
        and last is not None
        and (now - QUIET).date() <= last
        and beat is not None
        and now - beat <= gaps.AWAY
        and not waiting(registry, now - gaps.LATE)
    )
    return Moment(int(now.timestamp()), int(max(since, first).timestamp()) if told and since else None)


def waiting(registry: Registry, before: datetime) -> bool:
    """Whether events that came in before that moment haven't been applied."""
    return Event.objects.filter(registry=registry.name, applied_at=None, received_at__lt=before).exists()


def wary(repository: Repository) -> str:
    """Why what is known of the repository isn't good enough to take anything away; empty when it is. The
    registry's row must be loaded."""
    return distrust(repository.registry.doubt, repository.doubt, repository.listed_at, repository.problem)


def distrust(registry: str, doubt: str, listed_at: datetime | None, problem: str) -> str:
    if registry or doubt:
        return registry or doubt
    return NEVER if listed_at is None else problem


def stands(
    registry: Registry,
    needs: Collection[str],
    patterns: Collection[str],
    among: Q | bool = True,
    chosen: Callable[[str], bool] = lambda name: True,
) -> Iterator[Stand]:
    """The listed repositories that one of the patterns covers, by name, with what these fields of `Tag` are,
    and the locks (`protected`, `used`) in any case; `among` is a condition on `Repository` such as
    `access.seen_in`, and `chosen` says of a name whether it is wanted at all. A few queries for every ten
    thousand tags, none of them open while a stand is out, and never more in memory than those or one
    repository's tags."""
    covered = matching.any_of(matching.condition(one, "name") for one in patterns)
    rows = matching.those(registry.repositories.listed(), matching.both(among, covered)).order_by("name")
    doubt = Registry.objects.values_list("doubt", flat=True).get(pk=registry.pk)
    columns = rows.values_list("pk", "name", "tag_count", "doubt", "listed_at", "problem")
    found = [
        (pk, name, count, distrust(doubt, its, listed, problem))
        for pk, name, count, its, listed, problem in columns
        if chosen(name)
    ]
    locks = Locks.of_registry(registry, timezone.now()) if found else Locks()
    for some in portions(found):
        places = {pk: name for pk, name, _, why in some if not why}
        tags = read(registry, needs, places, locks)
        for pk, name, _, why in some:
            yield Stand(pk, name, tags.pop(pk, []), why)


def of_repository(repository: Repository, needs: Collection[str]) -> list[Tag]:
    """The same of one repository; nothing of one of which too little is known (`wary`)."""
    if wary(repository):
        return []
    locks = Locks.of_repository(repository, timezone.now())
    return read(repository.registry, needs, {repository.pk: repository.name}, locks).get(repository.pk, [])


Known = tuple[int, str, int | None, str]


def portions(rows: Sequence[Known]) -> Iterator[list[Known]]:
    """The repositories, a handful at a time: so many of them, and so many tags, as far as that is known."""
    some: list[Known] = []
    tags = 0
    for row in rows:
        count = row[2] or 0
        if some and (len(some) == REPOSITORIES or tags + count > TAGS):
            yield some
            some, tags = [], 0
        some.append(row)
        tags += count
    if some:
        yield some


def read(
    registry: Registry, needs: Collection[str], places: Mapping[int, str], locks: Locks
) -> dict[int, list[Tag]]:
    """The tags of these repositories, given as names by keys."""
    dated = not {"first_seen", "pushed", "pulled"}.isdisjoint(needs)
    rest = DATED if dated else BARE
    rows = models.Tag.objects.visible().filter(repository__in=list(places)).order_by("repository_id")
    make = Tag._make
    found = {
        key: [make(row[1:] + rest) for row in some]
        for key, some in groupby(rows.values_list(*columns(dated)), key=itemgetter(0))
    }
    for learn in learnt(registry, needs, places, found):
        for key, tags in found.items():
            learn(key, tags)
    for key, tags in found.items():
        locks.lay(places[key], tags)
    return found


def columns(dated: bool) -> list[Any]:
    """What is read of each tag's row, in the order of `Tag`'s fields behind the repository's key."""
    # What leads nowhere keeps what it was on, and its date: nothing may go because of that.
    on = Plain(Case(When(problem=DANGLING, then=None), default=F("manifest_id")))
    usual = ["repository_id", "name", on, From("created_key", least=EARLIEST)]
    return [*usual, Seconds("first_seen_at"), Nothing(), Seconds("pulled_at")] if dated else usual


def learnt(
    registry: Registry, needs: Collection[str], places: Mapping[int, str], tags: Mapping[int, Sequence[Tag]]
) -> Iterator[Callable[[int, list[Tag]], None]]:
    """What remembered things add to these tags: functions that do so for one repository each."""
    if "first_seen" in needs or "pushed" in needs:
        yield past.Moves.of(registry, places, pushed="pushed" in needs).lay
    if "pulled" in needs:
        yield past.Pulls.of(registry, places, tags).lay
    if "labels" in needs:
        yield past.Labels.of(places).lay
