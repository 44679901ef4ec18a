"""What became of tags: every time one came, moved or left, kept by name for as long as the database lives.

Several may notice the same move: a crawl, the registry's event, the action that caused it. It is kept once,
and whoever knows more of it adds that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max, QuerySet

from regui.index import search
from regui.index.batches import batches
from regui.index.models import Repository, Tag, TagMove

# A digest as people copy it: some of its first digits, without the algorithm.


@dataclass(frozen=True)
class Move:
    """That a tag came (`before` empty), moved, or left (`after` empty); both are digests. `at` is when it
    happened or, from a crawl, when it was noticed; `since` when it had come to `before`, None when nobody
    knows."""

    repository: Repository
    tag: str
    before: str
    after: str
    at: datetime
    since: datetime | None
    how: TagMove.How
    actor: str = ""


def came(tag: Tag) -> bool:
    """Whether it is news that this tag exists: it came after its repository was first listed whole. Its
    repository must be loaded."""
    filled_at = tag.repository.filled_at
    return filled_at is not None and tag.first_seen_at > filled_at


def write(moves: Iterable[Move]) -> None:
    """Keep these moves. One that leads to where the tag's newest move led already is no new move: if it says
    who, or was an event's, the one from the crawl takes that over."""
    for some in batches(move for move in moves if move.before != move.after):
        newest = latest(some)
        explained, new = list[TagMove](), list[TagMove]()
        for move in some:
            key = (move.repository.pk, move.tag)
            known = newest.get(key)
            if known is None or known.after != move.after:
                newest[key] = row(move)
                new.append(newest[key])
            elif known.pk and known.how == TagMove.How.CRAWL and move.how != TagMove.How.CRAWL:
                known.how, known.actor, known.at = move.how, move.actor, min(known.at, move.at)
                explained.append(known)
        TagMove.objects.bulk_create(new)
        TagMove.objects.bulk_update(explained, ["how", "actor", "at"])


def row(move: Move) -> TagMove:
    return TagMove(
        registry=move.repository.registry.name,
        repository=move.repository.name,
        tag=move.tag,
        before=move.before,
        after=move.after,
        at=move.at,
        since=move.since,
        how=move.how,
        actor=move.actor,
    )


def latest(moves: Sequence[Move]) -> dict[tuple[int, str], TagMove]:
    """The move that was last kept of each of these tags, by the repository's key and the tag."""
    repositories = {move.repository.pk: move.repository for move in moves}
    found: dict[tuple[int, str], TagMove] = {}
    for pk, repository in repositories.items():
        tags = {move.tag for move in moves if move.repository.pk == pk}
        about = of_repository(repository).filter(tag__in=tags)
        last = about.order_by().values("tag").annotate(last=Max("pk")).values("last")
        found |= {(pk, known.tag): known for known in TagMove.objects.filter(pk__in=last)}
    return found


@dataclass(frozen=True)
class Wanted:
    """Which moves: those the query lets through, of tags by name and digests they moved from or to, not
    before `since`."""

    query: search.Query = field(default_factory=search.Query)
    since: datetime | None = None


ALL = Wanted()
NAMES = search.Names(tags=("tag",), repositories=("repository",), digests=("before", "after"))


def of_repository(repository: Repository, wanted: Wanted = ALL) -> QuerySet[TagMove]:
    """The moves of the repository's tags, newest first."""
    found = TagMove.objects.filter(registry=repository.registry.name, repository=repository.name)
    found = search.named(found, wanted.query, NAMES)
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    return found.order_by("-at", "-pk")


def of_tag(repository: Repository, tag: str) -> QuerySet[TagMove]:
    """The moves of the tag of exactly that name, newest first."""
    return of_repository(repository).filter(tag=tag)
