"""How the size of each digest in a list differs from that of the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from regui.index.models import Repository, Tag

# How many tags back one of the same platforms is looked for: a repository may take turns between some.
NEAR = 25
# Percent: builds of the same code differ by a few bytes.
NOTABLE = 0.1


@dataclass(frozen=True)
class Delta:
    """So many bytes more, or fewer, than what that tag is on; `percent` of its size."""

    bytes: int
    tag: str
    percent: float

    @property
    def sign(self) -> str:
        return "+" if self.bytes > 0 else "\N{MINUS SIGN}" if self.bytes else "±"

    @property
    def size(self) -> int:
        return abs(self.bytes)

    @property
    def kind(self) -> str:
        """Whether it is worth a look: `more` or `less`, and empty for what rounding hides."""
        return "" if abs(self.percent) < NOTABLE else "more" if self.bytes > 0 else "less"


# Put together by the ORM for each page, this would take four times as long to build as to answer.
BEFORE = f"""
    SELECT tag.manifest_id, manifest.size, former.name, other.size
    FROM index_tag tag
    JOIN index_manifest manifest ON manifest.id = tag.manifest_id
    JOIN index_tag former ON former.id = (
        SELECT near.id
        FROM (
            SELECT id, manifest_id, created_key, name
            FROM index_tag
            WHERE repository_id = %s AND gone_at IS NULL AND NOT folded
                AND created_key >= 0 AND created_key < tag.created_key
            ORDER BY created_key DESC, manifest_id, name
            LIMIT {NEAR}
        ) near
        JOIN index_manifest alike ON alike.id = near.manifest_id
        WHERE alike.kind = manifest.kind AND alike.platforms = manifest.platforms
        ORDER BY near.created_key DESC, near.manifest_id, near.name
        LIMIT 1
    )
    JOIN index_manifest other ON other.id = former.manifest_id
    WHERE tag.id IN
"""  # noqa: S608 — a number of our own


def deltas(repository: Repository, tags: Sequence[Tag]) -> dict[int, Delta]:
    """By manifest: the difference to the digest before it in this repository, that is the latest of an
    earlier date, and of the same kind and platforms, that one of the `NEAR` tags before it is on. None where
    there is no such, or where a size isn't known."""
    leads = {tag.manifest_id: tag.pk for tag in tags if tag.created_key >= 0 and tag.size_key >= 0}
    if not leads:
        return {}
    with connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(leads))
        cursor.execute(f"{BEFORE} ({places})", [repository.pk, *leads.values()])
        rows = cursor.fetchall()
    return {
        manifest: Delta(size - before, name, 100 * (size - before) / max(before, 1))
        for manifest, size, name, before in rows
        if size is not None and before is not None
    }
