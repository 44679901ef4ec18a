"""What the registry said, as rows.

Everything here may be said twice, or half and then again: rows by digest never change once they are complete,
and a manifest counts as read only when all that belongs to it is written. So each write stands alone and
short, none holds the database while another thread, or a registry, is waited for."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from regui import oci
from regui.index import facts, packing, usage
from regui.index.batches import batches
from regui.index.facts import Facts
from regui.index.models import Blob, BlobUse, Child, Content, Manifest, Registry, Repository, Revision


def manifest(repository: Repository, content: oci.Content, config: bytes | None, now: datetime) -> Manifest:
    """The row of a manifest that this repository holds, with all that follows from it. `config` is its config
    blob, None when it has none or it wasn't read. Raises `oci.Malformed` for what can't be understood."""
    found = facts.of(content, config)
    ids = manifests(repository.registry, [(repository, found)], now)
    return Manifest.objects.select_related("content").get(pk=ids[found.digest])


def manifests(registry: Registry, found: Sequence[tuple[Repository, Facts]], now: datetime) -> dict[str, int]:
    """The rows' keys by digest, after writing the manifests that these repositories of one registry hold."""
    by_digest = {one.digest: one for _, one in found}
    named = {
        entry.digest: Manifest(registry=registry, digest=entry.digest, media_type=entry.media_type)
        for one in by_digest.values()
        for entry in one.entries
    }
    named |= {digest: Manifest(registry=registry, digest=digest) for digest in by_digest}
    for some in batches(named.values()):
        Manifest.objects.bulk_create(some, ignore_conflicts=True)
    ids = keys(registry, named)
    known = dict(
        Manifest.objects.read()
        .filter(pk__in=[ids[digest] for digest in by_digest])
        .values_list("digest", "content__config_deflated")
    )
    new = [
        one for digest, one in by_digest.items() if digest not in known or (one.config and not known[digest])
    ]
    if new:
        _parts(registry, new, ids)
        _contents(new, ids)
        _rows(registry, new, now)
    held(((repository, ids[one.digest]) for repository, one in found), now)
    usage.roll_up([ids[one.digest] for one in new])
    return ids


def _parts(registry: Registry, new: Sequence[Facts], ids: dict[str, int]) -> None:
    """Blobs, their use, and the lines of indexes."""
    parts = facts.unique(part for one in new for part in one.parts)
    for some in batches(parts.values()):
        Blob.objects.bulk_create(
            [
                Blob(registry=registry, digest=part.digest, size=part.size, media_type=part.media_type)
                for part in some
            ],
            ignore_conflicts=True,
        )
    blobs: dict[str, int] = {}
    for digests in batches(parts):
        rows = list(Blob.objects.filter(registry=registry, digest__in=digests))
        blobs |= {row.digest: row.pk for row in rows}
        # Schema 1 may have named it first, without a size.
        learnt = [row for row in rows if row.size is None and parts[row.digest].size is not None]
        for row in learnt:
            row.size, row.media_type = parts[row.digest].size, parts[row.digest].media_type
        Blob.objects.bulk_update(learnt, ["size", "media_type"])
    uses = (
        BlobUse(manifest_id=ids[one.digest], blob_id=blobs[part.digest], position=part.position)
        for one in new
        for part in one.parts
    )
    for used in batches(uses):
        BlobUse.objects.bulk_create(used, ignore_conflicts=True)
    children = (
        Child(
            parent_id=ids[one.digest],
            manifest_id=ids[entry.digest],
            position=position,
            platform=entry.platform,
            annotations=entry.annotations,
        )
        for one in new
        for position, entry in enumerate(one.entries)
    )
    for lines in batches(children):
        Child.objects.bulk_create(lines, ignore_conflicts=True)


def _contents(new: Sequence[Facts], ids: dict[str, int]) -> None:
    """The bytes. A config read later than its manifest is added, one already there stays."""
    rows = [
        Content(
            row_id=ids[one.digest],
            manifest_deflated=packing.packed(one.body),
            config_deflated=packing.packed(one.config) if one.config else b"",
        )
        for one in new
    ]
    for some in batches(row for row in rows if not row.config_deflated):
        Content.objects.bulk_create(some, ignore_conflicts=True)
    for some in batches(row for row in rows if row.config_deflated):
        Content.objects.bulk_create(
            some,
            update_conflicts=True,
            unique_fields=["row"],
            update_fields=["manifest_deflated", "config_deflated"],
        )


def _rows(registry: Registry, new: Sequence[Facts], now: datetime) -> None:
    """The manifests themselves, which thereby count as read."""
    rows = (
        Manifest(
            registry=registry,
            digest=one.digest,
            read_at=now,
            kind=one.kind,
            media_type=one.media_type,
            artifact_type=one.artifact_type,
            subject=one.subject,
            size=one.size,
            created_at=one.created_at,
            platform=one.platform,
            platforms=[one.platform] if one.platform else [],
            labels=one.labels,
        )
        for one in new
    )
    fields = ["read_at", "kind", "media_type", "artifact_type", "subject", "size", "created_at"]
    for some in batches(rows):
        Manifest.objects.bulk_create(
            some,
            update_conflicts=True,
            unique_fields=["registry", "digest"],
            update_fields=[*fields, "platform", "platforms", "labels"],
        )


def senseless(registry: Registry, contents: Sequence[oci.Content], now: datetime) -> None:
    """Keep manifests that can't be understood, those that an index names: they count as read, of no kind, so
    that nobody waits for them, and what contains them has an unknown size."""
    ids = keys(registry, (content.digest for content in contents))
    rows = [
        Content(row_id=ids[content.digest], manifest_deflated=packing.packed(content.body))
        for content in contents
        if content.digest in ids
    ]
    for some in batches(rows):
        Content.objects.bulk_create(some, ignore_conflicts=True)
        Manifest.objects.filter(pk__in=[row.row_id for row in some], read_at=None).update(read_at=now)
    usage.roll_up(ids.values())


def held(pairs: Iterable[tuple[Repository, int]], now: datetime) -> None:
    """These repositories hold these manifests: the registry has just said so."""
    rows = {
        (repository.pk, pk): Revision(repository=repository, manifest_id=pk, first_seen_at=now, seen_at=now)
        for repository, pk in pairs
    }
    for some in batches(rows.values()):
        Revision.objects.bulk_create(
            some,
            update_conflicts=True,
            unique_fields=["repository", "manifest"],
            update_fields=["seen_at", "gone_at"],
        )


def missing(repository: Repository, digests: Iterable[str], now: datetime) -> None:
    """The repository doesn't hold these digests: the registry has just said so."""
    ids = keys(repository.registry, digests)
    rows = [
        Revision(repository=repository, manifest_id=pk, first_seen_at=now, gone_at=now) for pk in ids.values()
    ]
    for some in batches(rows):
        Revision.objects.bulk_create(
            some, update_conflicts=True, unique_fields=["repository", "manifest"], update_fields=["gone_at"]
        )
    usage.roll_up(ids.values())


def deleted(repository: Repository, digest: str, now: datetime) -> None:
    """A digest was deleted: the repository no longer holds it, nor any tag that was on it."""
    missing(repository, [digest], now)
    on_it = repository.tags.listed().filter(manifest__digest=digest)
    on_it.update(gone_at=now)
    usage.total(repository)


def keys(registry: Registry, digests: Iterable[str], *, read: bool = False) -> dict[str, int]:
    """The keys of the registry's manifests with these digests, those there are; `read`: and whose bytes we
    have."""
    found: dict[str, int] = {}
    for some in batches(digests):
        rows = Manifest.objects.filter(registry=registry, digest__in=some)
        found |= dict((rows.read() if read else rows).values_list("digest", "pk"))
    return found
