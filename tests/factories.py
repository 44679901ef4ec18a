"""Rows for tests that need no registry: each function makes one, everything unsaid is something harmless."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from regui import oci
from regui.index import usage
from regui.index.models import (
    UNREAD,
    Blob,
    BlobUse,
    Child,
    Inbox,
    Manifest,
    PullCount,
    Registry,
    Repository,
    Revision,
    Tag,
    is_release,
    name_key,
    ordering_keys,
)

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def digest(name: str) -> oci.Digest:
    """A digest that stands for this name."""
    return oci.Digest.of(name.encode())


def registry(name: str = "main", **fields: Any) -> Registry:
    """The registry of that name, made when there is none."""
    defaults = {"url": "http://127.0.0.1:9", "pull_host": "127.0.0.1:9", "listed_at": NOW}
    row, _ = Registry.objects.get_or_create(name=name, defaults=defaults | fields)
    return row


def told(row: Registry, since: datetime, now: datetime = NOW) -> Registry:
    """The registry, as if its events had come in since then without a known gap, pulls among them, and a
    worker looked after them until now."""
    row.events_since, row.events_at = since, now
    row.save(update_fields=["events_since", "events_at"])
    Inbox.objects.update_or_create(registry=row, defaults={"beat_at": now})
    for at in (since, now):
        PullCount.objects.update_or_create(
            registry=row.name,
            repository="team/pulled",
            tag="latest",
            day=at.date(),
            defaults={"last_at": at, "count": 1},
        )
    return row


def repository(name: str = "team/app", *, of: Registry | None = None, **fields: Any) -> Repository:
    """The repository of that name, made when there is none."""
    defaults = {"first_seen_at": NOW, "listed_at": NOW, "tried_at": NOW}
    fields = defaults | fields
    keys = ordering_keys(fields.get("size"), fields.get("changed_at"))
    fields |= {
        "changed_key": keys[0],
        "size_key": keys[1],
        "tags_key": -1 if fields.get("tag_count") is None else fields["tag_count"],
    }
    row, _ = Repository.objects.get_or_create(registry=of or registry(), name=name, defaults=fields)
    return row


def manifest(
    of: Repository, name: str = "", *, layers: Mapping[str, int] | None = None, **fields: Any
) -> Manifest:
    """An image that this repository holds. `layers` are sizes by the names of their digests."""
    layers = layers if layers is not None else {f"layer {next(_numbers)}": 1000}
    defaults = {
        "read_at": NOW,
        "kind": Manifest.Kind.IMAGE,
        "media_type": oci.OCI_MANIFEST,
        "platform": "linux/amd64",
        "platforms": ["linux/amd64"],
        "created_at": NOW,
        "size": sum(layers.values()),
    }
    row = Manifest.objects.create(
        registry=of.registry, digest=digest(name or f"manifest {next(_numbers)}"), **(defaults | fields)
    )
    for position, (layer, size) in enumerate(layers.items(), start=1):
        blob, _ = Blob.objects.get_or_create(
            registry=of.registry,
            digest=digest(layer),
            defaults={"size": size},
        )
        BlobUse.objects.create(manifest=row, blob=blob, position=position)
    hold(of, row)
    return row


def index(of: Repository, children: Sequence[Manifest], name: str = "", **fields: Any) -> Manifest:
    """An index of these manifests, its sums as they follow from theirs."""
    defaults = {"kind": Manifest.Kind.INDEX, "media_type": oci.OCI_INDEX, "platform": ""}
    row = manifest(of, name, layers={}, **(defaults | fields))
    for position, child in enumerate(children):
        Child.objects.create(parent=row, manifest=child, position=position, platform=child.platform)
    usage.roll_up([row.pk])
    row.refresh_from_db()
    return row


def hold(of: Repository, row: Manifest) -> Revision:
    """That a repository holds a manifest."""
    return Revision.objects.create(repository=of, manifest=row, first_seen_at=NOW, seen_at=NOW)


def tag(of: Repository, name: str, on: Manifest | None = None, **fields: Any) -> Tag:
    """A tag on a manifest; one that was never read without."""
    created_key, size_key = ordering_keys(on.size, on.created_at) if on else (UNREAD, UNREAD)
    defaults = {
        "first_seen_at": NOW,
        "seen_at": NOW if on else None,
        "folded": oci.companion(name) is not None,
        "name_key": name_key(name),
        "release": is_release(name),
        "created_key": created_key,
        "size_key": size_key,
    }
    return Tag.objects.create(repository=of, name=name, manifest=on, **(defaults | fields))


def tags(of: Repository, names: Iterable[str]) -> list[Tag]:
    """Tags, each on an image of its own."""
    return [tag(of, name, manifest(of)) for name in names]
