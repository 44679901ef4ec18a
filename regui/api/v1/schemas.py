"""What the API says of things: each knows how to tell of its row. Sizes are bytes; moments are ISO 8601, in
UTC. What isn't known is null, never zero; words that nobody said are empty."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from ninja import Schema

from regui.accounts import access
from regui.accounts.access import Actor
from regui.index import fetch, sums
from regui.index import models as rows

T = TypeVar("T")


class Page(Schema, Generic[T]):
    """Some of a list's items; `next` is the cursor that leads on, null at the end."""

    items: list[T]
    next: str | None = None


class ReadPage(Page[T], Generic[T]):
    """A page of what the registry listed: whole as of `as_of`, null when it never was. `problem` says why it
    couldn't be read just now, and `hint` what to do about that; then the items are as remembered."""

    as_of: datetime | None = None
    problem: str = ""
    hint: str = ""


class Registry(Schema):
    """A registry, with its sums as of `summed_at`. `doubt` says why its last list isn't believed, `unlisted`
    why it lists nothing. When `partial`, who asks sees only some of it: `repositories`, `tags` and `size` are
    sums of that, where what several repositories share counts in each, and what is only known of all is
    null."""

    name: str
    host: str
    repositories: int | None = None
    tags: int | None = None
    images: int | None = None
    size: int | None = None
    summed_at: datetime | None = None
    as_of: datetime | None
    tried_at: datetime | None
    events_at: datetime | None
    problem: str
    doubt: str
    unlisted: str
    partial: bool = False

    @classmethod
    def of_some(cls, row: rows.Registry, found: sums.Sums, doubt: str) -> Self:
        """The registry for who sees only what comes to these sums."""
        whole = cls.of(row, None)
        changes = {"repositories": found.repositories, "tags": found.tags, "size": found.size}
        return whole.model_copy(update=changes | {"events_at": None, "doubt": doubt, "partial": True})

    @classmethod
    def of(cls, row: rows.Registry, sums: rows.Storage | None) -> Self:
        return cls(
            name=row.name,
            host=row.host,
            repositories=sums.repositories if sums else None,
            tags=sums.tags if sums else None,
            images=sums.images if sums else None,
            size=sums.size if sums else None,
            summed_at=sums.as_of if sums else None,
            as_of=row.listed_at,
            tried_at=row.tried_at,
            events_at=row.events_at,
            problem=row.problem,
            doubt=row.doubt,
            unlisted=row.unlisted,
        )


class Repository(Schema):
    """A repository, its tags listed as of `as_of`. `unique_size` are the bytes that no tag of another
    repository needs, null for who doesn't see all others; `kind`, `platforms` and `changed_at` are those of
    its newest images."""

    registry: str
    name: str
    tags: int | None
    size: int | None
    unique_size: int | None
    changed_at: datetime | None
    kind: str
    platforms: list[str]
    description: str
    source: str
    first_seen_at: datetime
    as_of: datetime | None
    tried_at: datetime | None
    gone_at: datetime | None
    problem: str
    doubt: str

    @classmethod
    def of(cls, row: rows.Repository, actor: Actor) -> Self:
        """The repository for who sees it; its registry must be loaded."""
        whole = access.sees_all(actor, row.registry)
        return cls(
            registry=row.registry.name,
            name=row.name,
            tags=row.tag_count,
            size=row.size,
            unique_size=row.unique_size if whole else None,
            changed_at=row.changed_at,
            kind=row.kind,
            platforms=row.platforms,
            description=row.description,
            source=row.source,
            first_seen_at=row.first_seen_at,
            as_of=row.listed_at,
            tried_at=row.tried_at,
            gone_at=row.gone_at,
            problem=row.problem,
            doubt=row.doubt,
        )


class Tag(Schema):
    """A tag, and what it was on when the registry last confirmed that, at `seen_at`; null when it never was
    read. `problem` says why it can't be."""

    name: str
    digest: str | None
    kind: str
    media_type: str
    size: int | None
    created_at: datetime | None
    platforms: list[str]
    first_seen_at: datetime
    seen_at: datetime | None
    pulled_at: datetime | None
    problem: str

    @classmethod
    def of(cls, row: rows.Tag) -> Self:
        """The tag's manifest must be loaded."""
        on = row.manifest
        return cls(
            name=row.name,
            digest=on.digest if on else None,
            kind=on.kind if on else "",
            media_type=on.media_type if on else "",
            size=on.size if on else None,
            created_at=on.created_at if on else None,
            platforms=on.platforms if on else [],
            first_seen_at=row.first_seen_at,
            seen_at=row.seen_at,
            pulled_at=row.pulled_at,
            problem=row.problem,
        )


class Held(Schema):
    """A manifest that a repository holds, as far as regui has seen it: no registry lists these. `tags` are
    some of those on it."""

    digest: str
    kind: str
    media_type: str
    artifact_type: str
    subject: str
    size: int | None
    created_at: datetime | None
    platforms: list[str]
    first_seen_at: datetime
    seen_at: datetime | None
    tags: list[str]

    @classmethod
    def of(cls, row: rows.Revision, tags: list[str]) -> Self:
        """The revision's manifest must be loaded."""
        on = row.manifest
        return cls(
            digest=on.digest,
            kind=on.kind,
            media_type=on.media_type,
            artifact_type=on.artifact_type,
            subject=on.subject,
            size=on.size,
            created_at=on.created_at,
            platforms=on.platforms,
            first_seen_at=row.first_seen_at,
            seen_at=row.seen_at,
            tags=tags,
        )


class Line(Schema):
    """One of the manifests that an index lists."""

    digest: str
    platform: str
    kind: str
    media_type: str
    size: int | None
    attestation: bool


class Layer(Schema):
    """A layer, or an artifact's file; base first."""

    digest: str
    size: int | None
    media_type: str


class Referrer(Schema):
    """What speaks about a manifest: a signature, an sbom, an attestation or another artifact."""

    digest: str
    role: str
    artifact_type: str
    tag: str
    size: int | None

    @classmethod
    def of(cls, found: fetch.Referrer) -> Self:
        return cls(
            digest=found.digest,
            role=found.role,
            artifact_type=found.artifact_type,
            tag=found.tag,
            size=found.size,
        )


class Manifest(Schema):
    """A manifest in a repository, as of when the registry last confirmed it, at `seen_at`. `complete` says
    that all below it was read; `document` is the manifest itself, `config` what is kept of its config."""

    registry: str
    repository: str
    digest: str
    tag: str | None = None
    tags: list[str]
    kind: str
    media_type: str
    artifact_type: str
    subject: str
    size: int | None
    created_at: datetime | None
    platforms: list[str]
    labels: dict[str, Any]
    children: list[Line]
    layers: list[Layer]
    referrers: list[Referrer]
    config: dict[str, Any]
    document: Any
    seen_at: datetime | None
    complete: bool
    problem: str
    hint: str


class Move(Schema):
    """That a tag came (`before` is empty), moved, or left (`after` is empty), at `at`: when it happened, or
    when a crawl noticed (`how`)."""

    tag: str
    before: str
    after: str
    at: datetime
    since: datetime | None
    how: str
    actor: str

    @classmethod
    def of(cls, row: rows.TagMove) -> Self:
        return cls(
            tag=row.tag,
            before=row.before,
            after=row.after,
            at=row.at,
            since=row.since,
            how=row.how,
            actor=row.actor,
        )


class Round(Schema):
    """One reading of a registry. `total`, `rate` (requests a second) and `left` (seconds) are null once it
    has ended, or while nobody can tell. When `partial`, who asks sees only some of the registry: numbers are
    null, and `failures` those of what they see."""

    started_at: datetime
    finished_at: datetime | None
    repositories: int | None
    tags: int | None
    manifests: int | None
    requests: int | None
    failures: list[Mapping[str, str]]
    problem: str
    total: int | None = None
    rate: float | None = None
    left: float | None = None
    partial: bool = False


class Sync(Schema):
    """How a registry's reading stands: the round under way, if there is one, and the last that ended.
    `waiting` says that one is due and no worker has begun it."""

    registry: str
    waiting: bool
    due_at: datetime | None
    as_of: datetime | None
    running: Round | None
    last: Round | None
