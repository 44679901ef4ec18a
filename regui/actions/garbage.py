"""What waits for a registry's garbage collection."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from regui.actions.models import Collection, Garbage, Remains
from regui.index import usage
from regui.index.batches import batches
from regui.index.models import Manifest, Registry, Repository, Revision, RevisionQuerySet

# Deleted manifests that are summed up, the latest; and how many are soon done.
MOST, SOON = 10_000, 500
# After so long it is summed up anew though nothing seems to have changed.
AGAIN = timedelta(hours=1)


def has_changed(registry: Registry, now: datetime) -> bool:
    """Whether what waits may be something else than when it was last summed up: something was deleted or
    collected since, or that was a while ago."""
    last = Garbage.objects.filter(registry=registry.name, as_of__gt=now - AGAIN).first()
    if last is None:
        return True
    collected = Collection.objects.filter(registry=registry.name, before__gt=last.as_of)
    return gone(registry).filter(gone_at__gt=last.as_of).exists() or collected.exists()


def gone(registry: Registry) -> RevisionQuerySet:
    """What left the registry's repositories, as far as regui met it."""
    # Few are gone of all there are. Joined, SQLite would look through the latter.
    mine = Repository.objects.filter(pk=OuterRef("repository"), registry=registry)
    return Revision.objects.filter(Exists(mine), gone_at__isnull=False)


def sum_up(registry: Registry, now: datetime, *, most: int = MOST) -> None:
    """Sum up what waits: the blobs that only deleted manifests need, those deleted by others too, as far as
    regui has met them. With less than `MOST` allowed, more are left to whoever has time for them."""
    latest = Collection.objects.filter(registry=registry.name).first()
    rows = gone(registry).filter(gone_at__gt=latest.after) if latest else gone(registry)
    deleted = dict(rows.order_by("-gone_at").values_list("manifest_id", "gone_at")[: most + 1])
    if len(deleted) > most < MOST:
        return
    lost = collected(registry)
    for some in batches(list(deleted)):
        lying = set(usage.lying().filter(manifest__in=some).values_list("manifest_id", flat=True))
        for pk, digest in Manifest.objects.filter(pk__in=some).values_list("pk", "digest"):
            when = deleted[pk]
            # Pushed and deleted anew since, it waits again.
            if pk in lying or (digest in lost and when and when < lost[digest]):
                del deleted[pk]
    values = {
        "as_of": now,
        "size": usage.exclusive(deleted),
        "manifests": len(deleted),
        "since": min(filter(None, deleted.values()), default=None),
    }
    Garbage.objects.update_or_create(registry=registry.name, defaults=values)


def collected(registry: Registry) -> dict[str, datetime]:
    """The digests of deleted manifests of which something is known to be gone, and when that was last
    seen."""
    rows = Remains.objects.filter(item__action__registry=registry.name).exclude(gone=[])
    return dict(rows.order_by("looked_at").values_list("item__digest", "looked_at"))


def note(registry: Registry, now: datetime, doubt: str) -> None:
    """Remember that a collection was looked for, and why that proves nothing, if it doesn't."""
    Garbage.objects.filter(registry=registry.name).update(looked_at=now, doubt=doubt)


def spared_since(registry: Registry) -> tuple[datetime, datetime] | None:
    """Since when, and as of when, there was no collection: what was deleted then was seen to be there still,
    though nothing needs it; None when nothing shows that."""
    latest = Collection.objects.filter(registry=registry.name).first()
    rows = Remains.objects.filter(
        item__action__registry=registry.name, gone=[], alone__gt=0, there_at__isnull=False
    )
    if latest:
        rows = rows.filter(item__action__finished_at__gt=latest.before)
    seen = rows.order_by("item__action__finished_at").values_list("item__action__finished_at", "there_at")
    return next(((since, there) for since, there in seen[:1] if since and there), None)
