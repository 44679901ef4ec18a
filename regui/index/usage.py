"""Sizes: what an index adds up to, what a repository holds, what only one manifest needs. All in bytes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, F, Max, Q

from regui import oci
from regui.index import facts
from regui.index.batches import batches
from regui.index.models import BlobUse, Child, Manifest, Repository, Revision

KIND = Manifest.Kind
DESCRIPTION_LENGTH = 300

# The manifests a repository's listed tags reach, through indexes of any depth; first parameter: the folded
# ones too? Sums are floating point, exact below 2**53: hostile sizes must not overflow a database's
# integers.
REACHED = """
    WITH RECURSIVE reached(id) AS (
        SELECT manifest_id FROM index_tag
        WHERE (%s OR NOT folded) AND repository_id = %s AND gone_at IS NULL AND manifest_id IS NOT NULL
        UNION
        SELECT index_child.manifest_id FROM index_child JOIN reached ON index_child.parent_id = reached.id
    )
"""
REACHED_BYTES = """
    SELECT SUM(CAST(size AS DOUBLE PRECISION)) FROM index_blob WHERE id IN (
        SELECT blob_id FROM index_blobuse WHERE manifest_id IN (SELECT id FROM reached)
    )
"""
REACHED_UNREAD = """
    SELECT digest, media_type FROM index_manifest
    WHERE id IN (SELECT id FROM reached) AND read_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM index_revision
        WHERE manifest_id = index_manifest.id AND repository_id = %s AND gone_at IS NOT NULL
    )
    ORDER BY digest
"""


def total(repository: Repository) -> None:
    """Bring a repository's sums up to date with its tags and what they reach. They stay unknown until its
    tags were listed once: those met otherwise are but some of them."""
    if repository.listed_at is None:
        return
    visible = repository.tags.visible()
    sums = visible.aggregate(
        tags=Count("pk"),
        unread=Count("pk", filter=Q(manifest=None, problem="")),
        unsized=Count("pk", filter=Q(manifest__isnull=False, manifest__size=None)),
        changed=Max("manifest__created_at"),
    )
    counted = visible.exclude(manifest=None).values_list("manifest__platforms").annotate(n=Count("pk"))
    newest = (
        Manifest.objects.filter(tags__in=visible)
        .order_by(F("created_at").desc(nulls_last=True), "pk")
        .values("kind", "labels")
        .first()
    )
    values: dict[str, Any] = {
        "tag_count": sums["tags"],
        "size": None if sums["unread"] or sums["unsized"] else reached_bytes(repository),
        "changed_at": sums["changed"] if not sums["unread"] else None,
        "platforms": most_common((platforms, n) for platforms, n in counted),
        "kind": newest["kind"] if newest else "",
        "description": described(newest["labels"]) if newest else "",
    }
    for name, value in values.items():
        setattr(repository, name, value)
    Repository.objects.filter(pk=repository.pk).update(**values)


def reached_bytes(repository: Repository) -> int | None:
    """The bytes of all that the visible tags reach, each blob counted once; None when that is absurd."""
    with connection.cursor() as cursor:
        cursor.execute(REACHED + REACHED_BYTES, [False, repository.pk])
        (size,) = cursor.fetchone()
    return facts.total([int(size or 0)])


def unread(repository: Repository) -> list[tuple[str, str]]:
    """Digest and media type of what the listed tags reach through indexes and nobody has read, save what the
    registry said it doesn't have."""
    with connection.cursor() as cursor:
        cursor.execute(REACHED + REACHED_UNREAD, [True, repository.pk, repository.pk])
        return [(digest, media_type) for digest, media_type in cursor.fetchall()]


def most_common(counted: Iterable[tuple[list[str], int]]) -> list[str]:
    """Platforms by how many tags have them, those of equal count by name."""
    totals: dict[str, int] = {}
    for platforms, n in counted:
        for platform in platforms:
            totals[platform] = totals.get(platform, 0) + n
    return sorted(totals, key=lambda platform: (-totals[platform], platform))


def described(labels: Mapping[str, str]) -> str:
    """An image's own description, on one line and cut to what a list shows."""
    return " ".join(labels.get(facts.DESCRIPTION, "").split())[:DESCRIPTION_LENGTH]


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
    """Bring the sums of indexes up to date: of those among these manifests, and of all that contain one.

    A child the registry says isn't there counts for nothing; one that is merely unread leaves the size
    unknown.
    """
    indexes = upwards(ids)
    if not indexes:
        return
    below, lines = downwards(indexes)
    rows: dict[int, Manifest] = {}
    gone: set[int] = set()
    uses: dict[int, dict[int, int | None]] = {}
    for some in batches(below):
        rows |= Manifest.objects.in_bulk(some)
        unread = [pk for pk in some if rows[pk].read_at is None]
        revisions = Revision.objects.filter(manifest__in=unread)
        gone |= set(revisions.exclude(gone_at=None).values_list("manifest_id", flat=True))
        gone -= set(revisions.held().values_list("manifest_id", flat=True))
        used = BlobUse.objects.filter(manifest__in=some)
        for pk, blob, size in used.values_list("manifest_id", "blob_id", "blob__size"):
            uses.setdefault(pk, {})[blob] = size
    sums: dict[int, Sum] = {}

    def add_up(pk: int) -> Sum:
        if pk not in sums:
            sums[pk] = Sum({}, (), None, whole=False)  # a document can't contain itself, but rows could
            row = rows[pk]
            if row.kind == KIND.INDEX:
                sums[pk] = joined(
                    row, [(line, rows[line.manifest_id], add_up(line.manifest_id)) for line in lines[pk]]
                )
            else:
                whole = bool(row.kind) or pk in gone
                sums[pk] = Sum(uses.get(pk, {}), tuple(row.platforms), row.created_at, whole)
        return sums[pk]

    changed = []
    for pk in indexes:
        found, row = add_up(pk), rows[pk]
        values = (found.size, list(found.platforms), found.created_at)
        if (row.size, row.platforms, row.created_at) != values:
            row.size, row.platforms, row.created_at = values
            changed.append(row)
    Manifest.objects.bulk_update(changed, ["size", "platforms", "created_at"], batch_size=100)


def joined(index: Manifest, children: Iterable[tuple[Child, Manifest, Sum]]) -> Sum:
    """What an index comes to: its own date, else its newest image's; the platforms of its images, in
    order."""
    blobs: dict[int, int | None] = {}
    platforms: dict[str, None] = {}
    dates: list[datetime] = []
    whole = True
    for line, row, found in children:
        blobs |= found.blobs
        whole = whole and found.whole
        if facts.is_attestation(line.annotations) or row.kind == KIND.ATTESTATION:
            continue
        own = [line.platform] if line.platform and row.kind != KIND.INDEX else found.platforms
        platforms |= dict.fromkeys(own)
        if found.created_at is not None:
            dates.append(found.created_at)
    claimed = oci.created_date(index.labels.get(facts.CREATED, ""))
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


def downwards(ids: Iterable[int]) -> tuple[set[int], dict[int, list[Child]]]:
    """These manifests and all they contain, at any depth; and each one's lines."""
    found: set[int] = set()
    lines: dict[int, list[Child]] = {}
    frontier = set(ids)
    while frontier:
        found |= frontier
        lines |= {pk: [] for pk in frontier}
        for some in batches(frontier):
            for line in Child.objects.filter(parent__in=some).order_by("parent_id", "position"):
                lines[line.parent_id].append(line)
        frontier = {line.manifest_id for pk in frontier for line in lines[pk]} - found
    return found, lines


def exclusive(ids: Iterable[int]) -> int:
    """The bytes that only these manifests need: no other one that any repository of the registry holds uses
    those blobs. What the index hasn't read may share them still."""
    ids = set(ids)
    others = Revision.objects.held().exclude(manifest__in=ids).values("manifest_id")
    shared = BlobUse.objects.filter(manifest__in=others).values("blob_id")
    own = BlobUse.objects.filter(manifest__in=ids).exclude(blob__in=shared)
    return sum(size or 0 for _, size in set(own.values_list("blob_id", "blob__size")))


def size_of(ids: Iterable[int]) -> int | None:
    """The bytes of all blobs these manifests need, each counted once; None when one's size is unknown."""
    used = BlobUse.objects.filter(manifest__in=set(ids))
    return facts.total(dict(used.values_list("blob_id", "blob__size")).values())
