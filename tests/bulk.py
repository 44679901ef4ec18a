"""Rows by the thousand, for what must not depend on how many there are."""

from datetime import timedelta

from regui import oci
from regui.index import usage
from regui.index.models import (
    Blob,
    BlobUse,
    Manifest,
    Registry,
    Repository,
    Revision,
    Tag,
    name_key,
    ordering_keys,
)
from tests import factories
from tests.factories import NOW

# Every eighth tag shares its digest with the one before, and images share their first layers.
LAYERS, SHARED, TOGETHER = 4, 2, 8


def tags(of: Repository, count: int) -> None:
    """So many tags of a repository, with what they are on, the newest called "1.0", and its sums."""
    base = Manifest.objects.count()
    rows = [
        Manifest(
            registry=of.registry,
            digest=factories.digest(f"bulk {base + number}"),
            read_at=NOW,
            kind=Manifest.Kind.IMAGE,
            media_type=oci.OCI_MANIFEST,
            platform="linux/amd64",
            platforms=["linux/amd64"],
            created_at=NOW - timedelta(hours=number),
            size=1000 + number % 500,
        )
        for number in range(count - count // TOGETHER)
    ]
    Manifest.objects.bulk_create(rows, batch_size=500)
    Revision.objects.bulk_create(
        [Revision(repository=of, manifest=row, first_seen_at=NOW, seen_at=NOW) for row in rows],
        batch_size=500,
    )
    blobs = [
        Blob(
            registry=of.registry,
            digest=factories.digest(f"bulk layer {base} {number}"),
            size=100 + number % 100,
        )
        for number in range(SHARED + len(rows) * (LAYERS - SHARED))
    ]
    Blob.objects.bulk_create(blobs, batch_size=500)
    own = iter(blobs[SHARED:])
    BlobUse.objects.bulk_create(
        [
            BlobUse(manifest=row, blob=blobs[n] if n < SHARED else next(own), position=n)
            for row in rows
            for n in range(LAYERS)
        ],
        batch_size=500,
    )
    on = [rows[max(number - 1, 0) % len(rows)] for number in range(count)]
    Tag.objects.bulk_create(
        [
            Tag(
                repository=of,
                name=f"1.{number}",
                name_key=name_key(f"1.{number}"),
                release=True,
                manifest=row,
                first_seen_at=NOW,
                seen_at=NOW,
                created_key=ordering_keys(row.size, row.created_at)[0],
                size_key=ordering_keys(row.size, row.created_at)[1],
            )
            for number, row in enumerate(on)
        ],
        batch_size=500,
    )
    usage.total(of)


def repositories(of: Registry, count: int, *, first: int = 0) -> None:
    """So many repositories in namespaces of fifty, as if each had been read, numbered from `first` on."""
    Repository.objects.bulk_create(
        [
            Repository(
                registry=of,
                name=f"team{number // 50}/app{number}",
                first_seen_at=NOW,
                listed_at=NOW,
                tag_count=number % 60,
                size=number * 1000,
                unique_size=number * 500,
                changed_at=NOW - timedelta(hours=number),
                platforms=["linux/amd64"],
                kind=Manifest.Kind.IMAGE,
                description="An application that does something useful",
                changed_key=ordering_keys(None, NOW - timedelta(hours=number))[0],
                size_key=number * 1000,
                tags_key=number % 60,
            )
            for number in range(first, first + count)
        ],
        batch_size=500,
    )
