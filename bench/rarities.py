"""Gives an index a little of what the synthetic registry lacks: signatures, artifacts, untagged digests, a
platform that hardly anyone builds for, a label that few images carry, tags that were pulled.

    python -m bench.rarities              (with regui's environment)

Searches for what is rare must be fast, too, and find all of it.
"""

import os
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import django
from django.utils import timezone

if TYPE_CHECKING:
    from regui.index.models import Tag

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regui.settings")

# So many of each, and one tag of so many that was pulled.
EACH, PULLED, BATCH = 200, 50, 500
PLATFORM, LABEL, ARTIFACT = "linux/s390x", "rare", "application/vnd.example.rare"
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"


def write() -> None:
    """The rare rows; nothing when they are there already."""
    from regui.index import usage  # noqa: PLC0415 — Django has to be set up first
    from regui.index.models import Manifest, Repository, Tag  # noqa: PLC0415

    if Manifest.objects.filter(artifact_type=ARTIFACT).exists():
        return
    now = timezone.now()
    repositories = spread(
        Repository.objects.filter(tag_count__gt=0).order_by("pk").values_list("pk", flat=True)
    )
    tops = list(
        Tag.objects.filter(repository__in=repositories, name="latest").select_related(
            "manifest", "repository"
        )
    )
    for tag in tops:
        manifest = tag.manifest
        assert manifest is not None
        add(tag, "signed", SIGNATURE, f"{manifest.digest.replace(':', '-')}.sig", folded=True)
        add(tag, "artifact", ARTIFACT, "rare-artifact")
        add(tag, "untagged", "", "")
        manifest.platforms, manifest.labels = [PLATFORM], manifest.labels | {LABEL: "yes"}
    Manifest.objects.bulk_update(
        [tag.manifest for tag in tops if tag.manifest], ["platforms", "labels"], batch_size=BATCH
    )
    for repository in Repository.objects.filter(pk__in=repositories):
        usage.total(repository)
    keys = Tag.objects.visible().order_by("pk").values_list("pk", flat=True)
    pulled = list(islice(keys.iterator(), 0, None, PULLED))
    for at in range(0, len(pulled), BATCH):
        rows = Tag.objects.filter(pk__in=pulled[at : at + BATCH])
        rows.update(pulled_at=now - timedelta(hours=at // BATCH))


def spread(keys: Iterable[int]) -> list[int]:
    """So many of these keys, from all over."""
    found = list(keys)
    return found[:: max(len(found) // EACH, 1)]


def add(tag: "Tag", what: str, artifact_type: str, name: str, *, folded: bool = False) -> None:
    """A manifest beside that tag, and a tag on it when it has a name."""
    from bench import documents  # noqa: PLC0415
    from regui.index.models import Manifest, Revision, Tag, ordering_keys  # noqa: PLC0415

    now = tag.first_seen_at
    kind = Manifest.Kind.ARTIFACT if artifact_type else Manifest.Kind.IMAGE
    row = Manifest.objects.create(
        registry_id=tag.repository.registry_id,
        digest=documents.digest(f"{what} {tag.pk}".encode()),
        read_at=now,
        kind=kind,
        artifact_type=artifact_type,
        size=1000,
    )
    Revision.objects.create(repository=tag.repository, manifest=row, first_seen_at=now, seen_at=now)
    if name:
        created_key, size_key = ordering_keys(row.size, None)
        Tag.objects.create(
            repository=tag.repository,
            name=name,
            manifest=row,
            folded=folded,
            first_seen_at=now,
            seen_at=now,
            created_key=created_key,
            size_key=size_key,
        )


if __name__ == "__main__":
    django.setup()
    write()
