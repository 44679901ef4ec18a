"""Gives an index a past, in proportion to its tags: moves of tags, pulls, days of snapshots, a journal; and
the sums that a worker would have taken by then.

    python -m bench.past              (with regui's environment)

What came of years can't be had from a crawl; pages that tell of it must be fast all the same.
"""

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import django
from django.utils import timezone

if TYPE_CHECKING:
    from regui.index.models import Tag

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regui.settings")

# One of so many tags has moved, was pulled; one deletion for so many.
MOVED, PULLED, DELETED = 5, 5, 100
DAYS = 90
BATCH = 1000


def write() -> None:
    """The past of what the index holds; nothing when it has one already."""
    from regui.actions.models import Action, Item  # noqa: PLC0415 — Django has to be set up first
    from regui.index import usage  # noqa: PLC0415
    from regui.index.models import PullCount, Registry, Snapshot, Tag, TagMove  # noqa: PLC0415

    if TagMove.objects.exists():
        return
    now = timezone.now()
    registry = Registry.objects.get()
    usage.settle_now(registry)
    # Pulls are shown only where events come in.
    registry.events_at, registry.events_since = now, now - timedelta(days=DAYS)
    registry.save(update_fields=["events_at", "events_since"])
    moves, pulls, actions, items = [], [], [], []
    tags = Tag.objects.filter(manifest__isnull=False).select_related("repository", "manifest").order_by("pk")
    for number, tag in enumerate(tags.only("name", "repository__name", "manifest__digest").iterator()):
        digest, at = digest_of(tag), now - timedelta(minutes=number % 100_000)
        if number % MOVED == 0:
            moves.append(
                TagMove(
                    registry=registry.name,
                    repository=tag.repository.name,
                    tag=tag.name,
                    before="sha256:" + "0" * 64,
                    after=digest,
                    at=at,
                    how=TagMove.How.EVENT,
                    actor="ci",
                )
            )
        if number % PULLED == 1:
            pulls.append(
                PullCount(
                    registry=registry.name,
                    repository=tag.repository.name,
                    tag=tag.name,
                    digest=digest,
                    day=at.date(),
                    count=1 + number % 50,
                    last_at=at,
                )
            )
        if number % DELETED == 2:
            action = Action(
                registry=registry.name,
                repository=tag.repository.name,
                kind="delete-digest",
                digest="sha256:" + f"{number:064x}",
                actor="alice",
                state=Action.State.DONE,
                started_at=at,
                finished_at=at,
                fingerprint="0" * 64,
            )
            actions.append(action)
            items.append(
                Item(
                    action=action,
                    position=0,
                    repository=tag.repository.name,
                    tag=f"old-{number}",
                    digest=action.digest,
                    do="delete",
                    result=Item.Result.DONE,
                )
            )
    TagMove.objects.bulk_create(moves, batch_size=BATCH)
    PullCount.objects.bulk_create(pulls, batch_size=BATCH)
    Action.objects.bulk_create(actions, batch_size=BATCH)
    Item.objects.bulk_create(items, batch_size=BATCH)
    Snapshot.objects.bulk_create(
        [
            Snapshot(
                registry=registry.name,
                day=(now - timedelta(days=day)).date(),
                size=(400 - day) * 10**9,
                repositories=registry.repositories.count(),
                tags=number,
            )
            for day in range(1, DAYS)
        ]
    )


def digest_of(tag: "Tag") -> str:
    assert tag.manifest is not None
    return tag.manifest.digest


if __name__ == "__main__":
    django.setup()
    write()
