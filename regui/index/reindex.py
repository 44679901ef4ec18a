"""Forgets what a crawl brings back, and nothing else."""

from datetime import datetime

from regui.index import usage
from regui.index.batches import batches
from regui.index.listing import DANGLING
from regui.index.models import BlobUse, Child, Manifest, Registry, Repository, Tag


def forget(registry: Registry, now: datetime) -> int:
    """Have everything the registry still holds read anew; how many manifests that is.

    What manifests say, and what sums say of them, goes. Repositories, tags, and which digests were seen where
    stay as rows, with the moments they were first seen; so does what a crawl can't fetch again: the content
    of manifests that no listed tag reaches, and of those the registry is in doubt about, as it lists them
    without having them, or no longer lists them and nobody has confirmed that. Moves, pulls and snapshots
    are kept by name and aren't touched.
    """
    believed = Repository.objects.filter(registry=registry, registry__doubt="", doubt="")
    listed = Tag.objects.listed().filter(repository__in=believed).exclude(problem=DANGLING)
    on = Manifest.objects.filter(registry=registry, tags__in=listed).distinct()
    keys, _ = usage.downwards(on.values_list("pk", flat=True))
    for some in batches(keys):
        Child.objects.filter(parent__in=some).delete()
        BlobUse.objects.filter(manifest__in=some).delete()
        # Unread, but with their bytes until new ones come.
        Manifest.objects.filter(pk__in=some).update(read_at=None)
        # Unconditionally asked for: an answer that nothing changed brings nothing back.
        Tag.objects.filter(manifest__in=some).update(seen_at=None)
    Repository.objects.filter(registry=registry).update(due_at=None)
    Registry.objects.filter(pk=registry.pk).update(due_at=now, listed_at=None)
    return len(keys)
