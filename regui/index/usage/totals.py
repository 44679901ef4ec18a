"""Repositories: what they hold, each by itself. All in bytes."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from regui.index import facts
from regui.index.models import Manifest, Repository, ordering_keys

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
    values["changed_key"], values["size_key"] = ordering_keys(values["size"], values["changed_at"])
    values["tags_key"], values["unsettled_at"] = values["tag_count"], timezone.now()
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
