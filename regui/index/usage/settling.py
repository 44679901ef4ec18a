"""Sums over several repositories, brought up to date in one pass over a registry.

What a repository shares with others depends on all of them, so a change anywhere may change any such sum. A
pass streams every (blob, repository) pair past, sorted by blob, which takes a second or two for a million of
them and no memory to speak of; it is done when something has changed, and not more often than its own cost
allows. Nothing is locked but for the rows written at the end, a batch at a time.
"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, FloatField, Q, Sum
from django.db.models.functions import Cast
from django.utils import timezone

from regui.index.batches import batches
from regui.index.models import (
    BlobUse,
    Layer,
    Manifest,
    Namespace,
    Registry,
    Repository,
    RepositoryQuerySet,
    Revision,
    Storage,
    Tag,
)
from regui.index.usage.rollup import downwards
from regui.index.usage.tally import Bits, Tally

# A pass may take one part in so many of the time.
SHARE = 20
# Registries of no more manifests are summed up by the page that shows the sums.
SMALL = 2000
FETCH = 2000
MOST = 2**63 - 1

LISTED = """
    FROM index_tag JOIN index_repository ON index_repository.id = index_tag.repository_id
    WHERE index_repository.registry_id = %s AND index_repository.gone_at IS NULL
    AND index_tag.gone_at IS NULL AND index_tag.manifest_id IS NOT NULL
"""
PAIRS = f"""
    WITH RECURSIVE reached(repository_id, manifest_id, folded) AS (
        SELECT index_tag.repository_id, index_tag.manifest_id, CASE WHEN index_tag.folded THEN 1 ELSE 0 END
        {LISTED}
        UNION
        SELECT reached.repository_id, index_child.manifest_id, reached.folded
        FROM reached JOIN index_child ON index_child.parent_id = reached.manifest_id
    )
    SELECT DISTINCT index_blobuse.blob_id, reached.repository_id, reached.folded, index_blob.size
    FROM reached
    JOIN index_blobuse ON index_blobuse.manifest_id = reached.manifest_id
    JOIN index_blob ON index_blob.id = index_blobuse.blob_id
    ORDER BY index_blobuse.blob_id
"""  # noqa: S608 — made of constants
TAGGED = f"""
    WITH RECURSIVE tagged(id) AS (
        SELECT index_tag.manifest_id {LISTED}
        UNION
        SELECT index_child.manifest_id FROM tagged JOIN index_child ON index_child.parent_id = tagged.id
    )
    SELECT id FROM tagged
"""  # noqa: S608 — made of constants


def settle(registry: Registry) -> bool:
    """Bring the sums over several repositories up to date, unless they are, or were so recently that it
    would cost too much; whether it was done."""
    last = Storage.objects.filter(registry=registry).first()
    if not is_due(registry, last):
        return False
    settle_now(registry)
    return True


def storage(registry: Registry) -> Storage | None:
    """The sums as they were last settled, for a page: those of a small registry are brought up to date
    first. None when they never were."""
    last = Storage.objects.filter(registry=registry).first()
    return settle_now(registry) if has_changed(registry, last) and is_small(registry) else last


def is_due(registry: Registry, last: Storage | None) -> bool:
    """Whether anything has changed since the sums were last settled, and enough time has passed."""
    if last is not None and timezone.now() < last.as_of + timedelta(seconds=last.seconds * SHARE):
        return False
    return has_changed(registry, last)


def has_changed(registry: Registry, last: Storage | None) -> bool:
    """Whether the sums are no longer those of what the index knows, or never were."""
    return last is None or Repository.objects.filter(registry=registry, unsettled_at__isnull=False).exists()


def is_small(registry: Registry) -> bool:
    """Whether a page can wait for a pass."""
    return len(Manifest.objects.filter(registry=registry).values_list("pk")[: SMALL + 1]) <= SMALL


def settle_now(registry: Registry) -> Storage:
    """Bring the sums up to date, whatever it costs."""
    began, clock = timezone.now(), time.monotonic()
    rows = Repository.objects.filter(registry=registry).listed()
    tally = Tally(dict(rows.values_list("pk", "name").iterator()))
    for blob, repository, folded, size in stream(PAIRS, registry.pk):
        tally.add(blob, repository, bool(folded), size or 0)
    tally.finish()
    attached, loose, untagged = untagged_bytes(registry, tally.blobs)
    write_repositories(registry, tally)
    write_namespaces(registry, tally)
    write_layers(registry, tally)
    counts = rows.aggregate(
        repositories=Count("pk"),
        empty=Count("pk", filter=Q(tag_count=0)),
        unread=Count("pk", filter=Q(tag_count=None)),
        unsized=Count("pk", filter=Q(size=None)),
        tags=Sum("tag_count", default=0),
    )
    visible = Tag.objects.visible().filter(repository__registry=registry, repository__gone_at=None)
    # As floating point, exact below 2**53: a sum of hostile sizes must not overflow a database's integers.
    key = Cast("size_key", FloatField())
    values = {
        "as_of": began,
        "size": sane(tally.size + attached + loose),
        "tagged": sane(tally.size),
        "loose": sane(loose),
        "apart": sane(int(visible.filter(size_key__gt=0).aggregate(n=Sum(key))["n"] or 0)),
        "untagged": untagged,
        "images": visible.aggregate(n=Count("manifest", distinct=True))["n"],
        "kinds": sorted(rows.exclude(kind="").order_by().values_list("kind", flat=True).distinct()),
        "seconds": time.monotonic() - clock,
    }
    row, _ = Storage.objects.update_or_create(registry=registry, defaults=counts | values)
    for some in batches(list(settled(registry, began).values_list("pk", flat=True))):
        settled(registry, began).filter(pk__in=some).update(unsettled_at=None)
    return row


def settled(registry: Registry, began: datetime) -> RepositoryQuerySet:
    """The repositories whose last change is in sums that were begun then."""
    return Repository.objects.filter(registry=registry, unsettled_at__lte=began)


def stream(sql: str, *parameters: int) -> Iterator[tuple[int, ...]]:
    """The rows of a query, some at a time on either database."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(FETCH):
            yield from rows


def untagged_bytes(registry: Registry, blobs: Bits) -> tuple[int, int, int]:
    """Bytes that no tag reaches: of what is attached to something tagged, of the rest, and how many manifests
    that rest is. `blobs` are those that tags reach; the others are added."""
    tagged = Bits()
    for (pk,) in stream(TAGGED, registry.pk):
        tagged.add(pk)
    held = Revision.objects.held().filter(repository__registry=registry, repository__gone_at=None)
    seeds = {pk for pk in held.values_list("manifest_id", flat=True).iterator() if pk not in tagged}
    attached: set[int] = set()
    for some in batches(seeds):
        about = dict(Manifest.objects.filter(pk__in=some).exclude(subject="").values_list("pk", "subject"))
        subjects = Manifest.objects.filter(registry=registry, digest__in=set(about.values()))
        known = {digest for digest, pk in subjects.values_list("digest", "pk") if pk in tagged}
        attached |= {pk for pk, subject in about.items() if subject in known}
    attached = {pk for pk in downwards(attached)[0] if pk not in tagged}
    loose = {pk for pk in downwards(seeds - attached)[0] if pk not in tagged} - attached
    return new_bytes(attached, blobs), new_bytes(loose, blobs), len(loose & seeds)


def new_bytes(manifests: set[int], blobs: Bits) -> int:
    """The bytes of what these manifests need that isn't among the blobs yet; it is then."""
    total = 0
    for some in batches(sorted(manifests)):
        used = BlobUse.objects.filter(manifest__in=some).order_by()
        for blob, size in used.values_list("blob_id", "blob__size"):
            total += (size or 0) if blobs.add(blob) else 0
    return total


def write_repositories(registry: Registry, tally: Tally) -> None:
    """What only each of them needs."""
    rows = Repository.objects.filter(registry=registry).listed()
    changed = []
    for pk, size, old in rows.values_list("pk", "size", "unique_size").iterator():
        unique = None if size is None else sane(tally.unique.get(pk, 0))
        if old != unique:
            changed.append((unique, pk))
    for some in batches(changed):
        # Django's own bulk_update asks one long statement for a case each, which takes twenty times as long.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany("UPDATE index_repository SET unique_size = %s WHERE id = %s", some)


def write_namespaces(registry: Registry, tally: Tally) -> None:
    """Namespaces as they are; those without a repository go."""
    counts: dict[str, list[int]] = {}
    rows = Repository.objects.filter(registry=registry).listed()
    for name, tags in rows.values_list("name", "tag_count").iterator():
        count = counts.setdefault(namespace(name), [0, 0])
        count[0] += 1
        count[1] += tags or 0
    old = {row.name: row for row in Namespace.objects.filter(registry=registry)}
    fresh = [
        Namespace(
            registry=registry,
            name=name,
            size=sane(tally.spaces.get(name, 0)),
            repositories=repositories,
            tags=tags,
        )
        for name, (repositories, tags) in counts.items()
    ]
    fields = ["size", "repositories", "tags"]
    changed = [
        row
        for row in fresh
        if row.name not in old or any(getattr(row, f) != getattr(old[row.name], f) for f in fields)
    ]
    for some in batches(changed):
        Namespace.objects.bulk_create(
            some, update_conflicts=True, unique_fields=["registry", "name"], update_fields=fields
        )
    for gone in batches(row.pk for name, row in old.items() if name not in counts):
        Namespace.objects.filter(pk__in=gone).delete()


def write_layers(registry: Registry, tally: Tally) -> None:
    """The largest and the most shared blobs."""
    found = tally.layers
    blobs = {row.pk: row for some in batches(found) for row in registry.blobs.filter(pk__in=some)}
    fresh = [
        Layer(
            registry=registry,
            digest=blobs[pk].digest,
            size=blobs[pk].size or 0,
            repositories=count,
            names=sorted(tally.names[repository] for repository in some),
        )
        for pk, (count, some) in found.items()
        if pk in blobs
    ]
    for some_rows in batches(fresh):
        Layer.objects.bulk_create(
            some_rows,
            update_conflicts=True,
            unique_fields=["registry", "digest"],
            update_fields=["size", "repositories", "names"],
        )
    digests = {row.digest for row in fresh}
    old = Layer.objects.filter(registry=registry).values_list("pk", "digest")
    for gone in batches(pk for pk, digest in old if digest not in digests):
        Layer.objects.filter(pk__in=gone).delete()


def sane(size: int) -> int:
    """A sum that a database can hold: registries may claim any size for a layer."""
    return min(size, MOST)


def namespace(name: str) -> str:
    """The first part of a repository's name; empty when it is the only one."""
    first, slash, _ = name.partition("/")
    return first if slash else ""
