"""Repositories: what they hold, each by itself. All in bytes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import timezone

from regui.index import bulk, facts
from regui.index.models import Manifest, Repository, ordering_keys
from regui.index.usage import loose

DESCRIPTION_LENGTH = 300

# Plain SQL: these are asked for every repository that is read, and Django takes four times as long to say
# them as a database to answer.
VISIBLE = """
    FROM index_tag LEFT JOIN index_manifest ON index_manifest.id = index_tag.manifest_id
    WHERE index_tag.repository_id = %s AND index_tag.gone_at IS NULL AND NOT index_tag.folded
"""
COUNTS = f"""
    SELECT COUNT(*), COUNT(CASE WHEN manifest_id IS NULL AND problem = '' THEN 1 END),
        COUNT(CASE WHEN manifest_id IS NOT NULL AND size IS NULL THEN 1 END)
    {VISIBLE}
"""
PLATFORMS = f"SELECT platforms, COUNT(*) {VISIBLE} AND manifest_id IS NOT NULL GROUP BY platforms"
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
# From the manifests on, each step by an index: a database that has no statistics yet must not look through
# all blobs, or all their uses, for each repository. SQLite takes CROSS JOIN for the order to go in.
REACHED_BYTES = """
    SELECT SUM(CAST(index_blob.size AS DOUBLE PRECISION)) FROM (
        SELECT DISTINCT index_blobuse.blob_id
        FROM reached CROSS JOIN index_blobuse WHERE index_blobuse.manifest_id = reached.id
    ) AS used CROSS JOIN index_blob WHERE index_blob.id = used.blob_id
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
    ((tags, lacking, unsized),) = rows(COUNTS, [repository.pk])
    on = repository.tags.visible().values("manifest")
    newest = (
        Manifest.objects.filter(pk__in=on)
        .order_by(F("created_at").desc(nulls_last=True), "pk")
        .values("kind", "labels", "created_at")
        .first()
    ) or {"kind": "", "labels": {}, "created_at": None}
    values: dict[str, Any] = {
        "tag_count": tags,
        "size": None if lacking or unsized else reached_bytes(repository),
        "changed_at": newest["created_at"] if not lacking else None,
        "platforms": most_common((json.loads(some), n) for some, n in rows(PLATFORMS, [repository.pk])),
        "kind": newest["kind"],
        "description": described(newest["labels"]),
    }
    values["changed_key"], values["size_key"] = ordering_keys(values["size"], values["changed_at"])
    values["tags_key"], values["unsettled_at"] = values["tag_count"], timezone.now()
    for name, value in values.items():
        setattr(repository, name, value)
    bulk.update(Repository, list(values), [(*values.values(), repository.pk)])
    loose.mark(repository)


def rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def reached_bytes(repository: Repository) -> int | None:
    """The bytes of all that the visible tags reach, each blob counted once; None when that is absurd."""
    ((size,),) = rows(REACHED + REACHED_BYTES, [False, repository.pk])
    return facts.total([int(size or 0)])


def unread(repository: Repository) -> list[tuple[str, str]]:
    """Digest and media type of what the listed tags reach through indexes and nobody has read, save what the
    registry said it doesn't have."""
    found = rows(REACHED + REACHED_UNREAD, [True, repository.pk, repository.pk])
    return [(digest, media_type) for digest, media_type in found]


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
