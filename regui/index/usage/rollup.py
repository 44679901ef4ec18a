"""Indexes: what they add up to. All in bytes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from regui import oci
from regui.index import bulk, facts
from regui.index.batches import batches
from regui.index.models import BlobUse, Child, Manifest, Revision, Tag, ordering_keys

KIND = Manifest.Kind


@dataclass(frozen=True, slots=True)
class Row:
    """A manifest, and what there is of its sums."""

    kind: str
    read: bool
    size: int | None
    platforms: list[str]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an index."""

    manifest_id: int
    platform: str
    attestation: bool


@dataclass(frozen=True)
class Sum:
    """What a manifest and all below it come to; `blobs` maps keys to sizes, `whole` says nothing is
    unread."""

    blobs: Mapping[int, int | None]
    platforms: tuple[str, ...]
    created_at: datetime | None
    whole: bool

    @property
    def size(self) -> int | None:
        return facts.total(self.blobs.values()) if self.whole else None


def roll_up(ids: Iterable[int]) -> None:
    """Bring the sums of indexes up to date: of those among these manifests, and of all that contain one; and
    with them the order of the tags on any.

    A child the registry says isn't there counts for nothing; one that is merely unread leaves the size
    unknown.
    """
    ids = set(ids)
    rekey(ids)
    indexes = upwards(ids)
    if not indexes:
        return
    below, lines = downwards(indexes)
    rows, uses = loaded(below), used(below)
    gone = denied(pk for pk, row in rows.items() if not row.read)
    claims = claimed(indexes)
    sums: dict[int, Sum] = {}

    def add_up(pk: int) -> Sum:
        if pk not in sums:
            sums[pk] = Sum({}, (), None, whole=False)  # a document can't contain itself, but rows could
            row = rows[pk]
            if row.kind == KIND.INDEX:
                some = [(line, rows[line.manifest_id], add_up(line.manifest_id)) for line in lines[pk]]
                sums[pk] = joined(claims.get(pk), some)
            else:
                whole = bool(row.kind) or pk in gone
                sums[pk] = Sum(uses.get(pk, {}), tuple(row.platforms), row.created_at, whole)
        return sums[pk]

    changed: list[tuple[int | None, list[str], datetime | None, int]] = []
    for pk in sorted(indexes):
        found, row = add_up(pk), rows[pk]
        size, platforms, created_at = found.size, list(found.platforms), found.created_at
        if (row.size, row.platforms, row.created_at) != (size, platforms, created_at):
            changed.append((size, platforms, created_at, pk))
    bulk.update(Manifest, ["size", "platforms", "created_at"], changed)
    rekey(pk for *_, pk in changed)


def loaded(ids: Iterable[int]) -> dict[int, Row]:
    """These manifests by key."""
    found: dict[int, Row] = {}
    for some in batches(ids):
        values = Manifest.objects.filter(pk__in=some).values_list(
            "pk", "kind", "read_at", "size", "platforms", "created_at"
        )
        found |= {pk: Row(kind, read_at is not None, *rest) for pk, kind, read_at, *rest in values}
    return found


def used(ids: Iterable[int]) -> dict[int, dict[int, int | None]]:
    """The blobs that each of these manifests needs itself, with their sizes."""
    found: dict[int, dict[int, int | None]] = {}
    for some in batches(ids):
        uses = BlobUse.objects.filter(manifest__in=some).order_by()
        for pk, blob, size in uses.values_list("manifest_id", "blob_id", "blob__size"):
            found.setdefault(pk, {})[blob] = size
    return found


def denied(ids: Iterable[int]) -> set[int]:
    """Those of these manifests that the registry says aren't there, wherever it was asked."""
    found: set[int] = set()
    for some in batches(ids):
        revisions = Revision.objects.filter(manifest__in=some)
        found |= set(revisions.exclude(gone_at=None).values_list("manifest_id", flat=True))
        found -= set(revisions.held().values_list("manifest_id", flat=True))
    return found


def claimed(indexes: Iterable[int]) -> dict[int, datetime | None]:
    """The date that each of these indexes gives itself."""
    found: dict[int, datetime | None] = {}
    for some in batches(indexes):
        values = Manifest.objects.filter(pk__in=some).values_list("pk", "labels")
        found |= {pk: oci.created_date(labels.get(facts.CREATED, "")) for pk, labels in values}
    return found


def rekey(ids: Iterable[int]) -> None:
    """Bring up to date what lists order the tags on these manifests by."""
    for some in batches(ids):
        stale: dict[tuple[int, int], list[int]] = {}
        on = Tag.objects.filter(manifest__in=some).values_list(
            "pk", "created_key", "size_key", "manifest__size", "manifest__created_at"
        )
        for pk, created_key, size_key, size, created_at in on.iterator():
            keys = ordering_keys(size, created_at)
            if keys != (created_key, size_key):
                stale.setdefault(keys, []).append(pk)
        for (created_key, size_key), tags in stale.items():
            for part in batches(tags):
                Tag.objects.filter(pk__in=part).update(created_key=created_key, size_key=size_key)


def joined(claimed: datetime | None, children: Iterable[tuple[Line, Row, Sum]]) -> Sum:
    """What an index comes to: its own date, else its newest image's; the platforms of its images, in
    order."""
    blobs: dict[int, int | None] = {}
    platforms: dict[str, None] = {}
    dates: list[datetime] = []
    whole = True
    for line, row, found in children:
        blobs |= found.blobs
        whole = whole and found.whole
        if line.attestation or row.kind == KIND.ATTESTATION:
            continue
        own = [line.platform] if line.platform and row.kind != KIND.INDEX else found.platforms
        platforms |= dict.fromkeys(own)
        if found.created_at is not None:
            dates.append(found.created_at)
    return Sum(blobs, tuple(platforms), claimed or max(dates, default=None), whole)


def upwards(ids: Iterable[int]) -> set[int]:
    """The indexes among these manifests and all that contain one of them, at any depth."""
    found: set[int] = set()
    frontier = set(ids)
    while frontier:
        found |= frontier
        parents: set[int] = set()
        for some in batches(frontier):
            parents |= set(Child.objects.filter(manifest__in=some).values_list("parent_id", flat=True))
        frontier = parents - found
    indexes: set[int] = set()
    for some in batches(found):
        rows = Manifest.objects.filter(pk__in=some, kind=KIND.INDEX)
        indexes |= set(rows.values_list("pk", flat=True))
    return indexes


def downwards(ids: Iterable[int]) -> tuple[set[int], dict[int, list[Line]]]:
    """These manifests and all they contain, at any depth; and each one's lines."""
    found: set[int] = set()
    lines: dict[int, list[Line]] = {}
    frontier = set(ids)
    while frontier:
        found |= frontier
        lines |= {pk: [] for pk in frontier}
        for some in batches(frontier):
            rows = Child.objects.filter(parent__in=some).order_by("parent_id", "position")
            for parent, manifest, platform, annotations in rows.values_list(
                "parent_id", "manifest_id", "platform", "annotations"
            ):
                lines[parent].append(Line(manifest, platform, facts.is_attestation(annotations)))
        frontier = {line.manifest_id for pk in frontier for line in lines[pk]} - found
    return found, lines
