"""What only some manifests need. All in bytes."""

from collections.abc import Collection, Iterable

from django.db.models import Exists, OuterRef

from regui.index import facts
from regui.index.batches import batches
from regui.index.models import Blob, BlobUse, Child, Revision, RevisionQuerySet


def exclusive(ids: Iterable[int]) -> int:
    """The bytes that only these manifests need: no other one that lies in a repository of the registry uses
    those blobs. What the index hasn't read may share them still."""
    ids = set(ids)
    sizes: dict[int, int] = {}
    for some in batches(ids):
        used = BlobUse.objects.filter(manifest__in=some).order_by()
        sizes |= {blob: size or 0 for blob, size in used.values_list("blob_id", "blob__size")}
    kept = needed(sizes, without=ids)
    return sum(size for blob, size in sizes.items() if blob not in kept)


def needed(blobs: Iterable[int], *, without: Collection[int]) -> set[int]:
    """Those of the blobs that a manifest needs which lies in a repository, not counting these manifests."""
    found: set[int] = set()
    without = set(without)
    for some in batches(blobs):
        used = BlobUse.objects.filter(blob__in=some).exclude(manifest__in=without).order_by()
        # Of a layer that thousands share, the first that lies somewhere settles it.
        lies = Exists(lying().filter(manifest=OuterRef("manifest")))
        held = BlobUse.objects.filter(lies, blob=OuterRef("pk")).exclude(manifest__in=without).order_by()
        found |= set(Blob.objects.filter(Exists(held), pk__in=some).values_list("pk", flat=True))
        # Children that nobody asked a repository for lie where their index does.
        rest = used.filter(blob__in=set(some) - found).values_list("blob_id", "manifest_id")
        kept: dict[int, bool] = {}
        for blob, manifest in rest:
            if manifest not in kept:
                kept[manifest] = lying().filter(manifest__in=above(manifest, without)).exists()
            if kept[manifest]:
                found.add(blob)
    return found


def lying() -> RevisionQuerySet:
    """What lies in the repositories there are, as far as the registry hasn't said otherwise."""
    return Revision.objects.held().filter(repository__gone_at=None)


def above(manifest: int, without: Collection[int]) -> set[int]:
    """The indexes that contain a manifest, at any depth, not by way of these."""
    found: set[int] = set()
    frontier = {manifest}
    while frontier:
        parents = Child.objects.filter(manifest__in=frontier).exclude(parent__in=without)
        frontier = set(parents.values_list("parent_id", flat=True)) - found
        found |= frontier
    return found


def size_of(ids: Iterable[int]) -> int | None:
    """The bytes of all blobs these manifests need, each counted once; None when one's size is unknown."""
    used = BlobUse.objects.filter(manifest__in=set(ids))
    return facts.total(dict(used.values_list("blob_id", "blob__size")).values())


def unsized(ids: Iterable[int]) -> int:
    """How many blobs that these manifests use have no known size."""
    found: set[int] = set()
    for some in batches(set(ids)):
        used = BlobUse.objects.filter(manifest__in=some, blob__size=None).order_by()
        found |= set(used.values_list("blob_id", flat=True))
    return len(found)
