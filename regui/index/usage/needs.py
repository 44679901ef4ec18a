"""What only some manifests need. All in bytes."""

from collections.abc import Iterable

from regui.index import facts
from regui.index.models import BlobUse, Revision


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
