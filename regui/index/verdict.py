"""What a batch of events comes to, once all that is in doubt was asked: written at once, or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from regui import oci
from regui.index import history, record, timeline
from regui.index.batches import batches
from regui.index.history import Move
from regui.index.models import (
    UNREAD,
    Event,
    Manifest,
    Registry,
    Repository,
    Tag,
    TagMove,
    Unsummed,
    is_release,
    name_key,
    ordering_keys,
)
from regui.index.timeline import SLACK, Key, Told, happened


class Overtaken(Exception):
    """Someone else has written meanwhile what this was to be written on."""


@dataclass(frozen=True)
class Answer:
    """What a tag is on: a manifest's digest and key, neither when it is gone; or a `problem` with what it is
    on. `seen_at` is when that was so."""

    digest: str
    manifest: int | None
    seen_at: datetime
    problem: str = ""


@dataclass
class Found:
    """All that a batch comes to. `tags` are the rows it is based on, `answers` what they are on now, `sure`
    those where no one had to be asked, `told` what events say of each."""

    registry: Registry
    repositories: dict[str, Repository] = field(default_factory=dict)
    tags: dict[Key, Tag] = field(default_factory=dict)
    told: dict[Key, list[Told]] = field(default_factory=dict)
    sure: set[Key] = field(default_factory=set)
    answers: dict[Key, Answer] = field(default_factory=dict)
    held: list[tuple[Repository, int]] = field(default_factory=list)
    missing: list[tuple[Repository, str]] = field(default_factory=list)
    due: set[int] = field(default_factory=set)

    def write(self, actors: Mapping[int, str]) -> None:
        """Write it, in the caller's transaction; `actors` are those of our own actions, by event. Raises
        `Overtaken` when a tag was written since it was read."""
        now = timezone.now()
        self.check()
        record.held(self.held, now)
        for repository, digest in self.missing:
            record.missing(repository, [digest], now)
        changed = self.write_tags()
        self.write_moves(actors)
        rows = [Unsummed(repository_id=pk, at=now) for pk in changed]
        Unsummed.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["repository"], update_fields=["at"]
        )
        Repository.objects.filter(pk__in=self.due).update(due_at=None)

    def check(self) -> None:
        """Nothing, when the tags are as they were read."""
        now = tags(self.answers.keys(), lock=True)
        for key in self.answers:
            before, after = self.tags.get(key), now.get(key)
            if state(before) != state(after):
                raise Overtaken

    def write_tags(self) -> set[int]:
        """Write what tags are on; the keys of repositories where one changed."""
        keys = {answer.manifest for answer in self.answers.values() if answer.manifest}
        rows = Manifest.objects.filter(pk__in=keys).values_list("pk", "size", "created_at")
        orders = {pk: ordering_keys(size, created_at) for pk, size, created_at in rows}
        changed: set[int] = set()
        written: list[Tag] = []
        for key, answer in self.answers.items():
            row = self.tags.get(key)
            gone = not answer.digest and not answer.problem
            if gone and (row is None or row.gone_at is not None):
                continue
            repository, name = key
            tag = Tag(
                repository_id=repository,
                name=name,
                folded=oci.companion(name) is not None,
                name_key=name_key(name),
                release=is_release(name),
                first_seen_at=row.first_seen_at if row else happened(self.told[key][0].event),
            )
            tag.gone_at = answer.seen_at if gone else None
            tag.seen_at = max(row.seen_at, answer.seen_at) if row and row.seen_at else answer.seen_at
            tag.manifest_id = row.manifest_id if row and (gone or answer.problem) else answer.manifest
            tag.problem = answer.problem
            if row and (gone or answer.problem):
                tag.created_key, tag.size_key = row.created_key, row.size_key
            else:
                tag.created_key, tag.size_key = orders.get(answer.manifest or 0, (UNREAD, UNREAD))
            written.append(tag)
            if state(tag)[:2] != state(row)[:2]:
                changed.add(repository)
        fields = ["manifest", "seen_at", "gone_at", "missed", "problem", "created_key", "size_key"]
        for some in batches(written):
            Tag.objects.bulk_create(
                some, update_conflicts=True, unique_fields=["repository", "name"], update_fields=fields
            )
        return changed

    def write_moves(self, actors: Mapping[int, str]) -> None:
        """Keep the moves, and say of those that a crawl noticed first who was behind them."""
        repositories = {row.pk: row for row in self.repositories.values()}
        moves: list[Move] = []
        noticed: list[tuple[Repository, str, Told]] = []
        for key, answer in self.answers.items():
            told, row = self.told[key], self.tags.get(key)
            on = None if is_unread(row) else digest_on(row)
            steps = timeline.way(on, told, answer.digest, sure=key in self.sure)
            if not on and not is_news(row, told):
                steps = steps[1:]
            repository, tag = repositories[key[0]], key[1]
            moves += [
                Move(
                    repository=repository,
                    tag=tag,
                    before=step.before,
                    after=step.after,
                    at=happened(step.event) if step.event else answer.seen_at,
                    since=None,
                    how=how(step.event, actors),
                    actor=actor(step.event, actors),
                )
                for step in steps
            ]
            if not steps and told[-1].digest == answer.digest:
                noticed.append((repository, tag, told[-1]))
        history.write(moves)
        explain(self.registry, noticed, actors)


def explain(
    registry: Registry, noticed: Sequence[tuple[Repository, str, Told]], actors: Mapping[int, str]
) -> None:
    """Say of moves that a crawl noticed before their event was applied who was behind them."""
    if not noticed:
        return
    since = min(happened(told.event) for _, _, told in noticed) - SLACK
    recent = TagMove.objects.filter(
        registry=registry.name, repository__in={row.name for row, _, _ in noticed}, at__gte=since
    )
    newest = {(move.repository, move.tag): move for move in recent.order_by("at", "pk")}
    explained: list[TagMove] = []
    for repository, tag, told in noticed:
        move = newest.get((repository.name, tag))
        if move is not None and move.how == TagMove.How.CRAWL and move.after == told.digest:
            move.how, move.actor = how(told.event, actors), actor(told.event, actors)
            move.at = min(move.at, happened(told.event))
            explained.append(move)
    TagMove.objects.bulk_update(explained, ["how", "actor", "at"], batch_size=100)


def how(event: Event | None, actors: Mapping[int, str]) -> TagMove.How:
    if event is None:
        return TagMove.How.CRAWL
    return TagMove.How.ACTION if event.pk in actors else TagMove.How.EVENT


def actor(event: Event | None, actors: Mapping[int, str]) -> str:
    return actors.get(event.pk, event.actor) if event else ""


def is_news(tag: Tag | None, told: Sequence[Told]) -> bool:
    """Whether a tag that was on nothing came with what was told, rather than being listed, unread, before."""
    first = happened(told[0].event)
    return tag is None or tag.gone_at is not None or tag.first_seen_at >= first - SLACK


def state(tag: Tag | None) -> tuple[int | None, bool, datetime | None]:
    """What of a tag's row decides how events are read."""
    if tag is None:
        return None, True, None
    return tag.manifest_id, tag.gone_at is not None, tag.seen_at


def is_unread(tag: Tag | None) -> bool:
    """Whether a listing named the tag, and nobody knows yet what it was on."""
    return tag is not None and tag.gone_at is None and tag.manifest_id is None


def digest_on(tag: Tag | None) -> str:
    """The digest a tag is on by the index; empty when it is gone or was never read."""
    return tag.manifest.digest if tag and tag.manifest and tag.gone_at is None else ""


def tags(keys: Iterable[Key], *, lock: bool = False) -> dict[Key, Tag]:
    """The rows of these tags, those there are, with their manifests' digests."""
    names: dict[int, list[str]] = {}
    for repository, name in keys:
        names.setdefault(repository, []).append(name)
    rows = Tag.objects.select_related("manifest").only(
        *("repository_id", "name", "manifest_id", "first_seen_at", "seen_at", "gone_at", "problem"),
        *("created_key", "size_key", "manifest__digest"),
    )
    if lock:
        rows = rows.select_for_update(of=("self",))
    found: dict[Key, Tag] = {}
    for some in batches(names.items(), 50):
        wanted = Q()
        for repository, some_names in some:
            wanted |= Q(repository=repository, name__in=some_names)
        found |= {(row.repository_id, row.name): row for row in rows.filter(wanted)}
    return found
