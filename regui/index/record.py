"""What the registry said, as rows.

Everything here may be said twice, or half and then again: rows by digest never change once they are complete,
and a manifest counts as read only when all that belongs to it is written. So each write stands alone and
short, none holds the database while another thread, or a registry, is waited for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from regui import oci
from regui.index import bulk, facts, packing, usage
from regui.index.batches import batches
from regui.index.facts import Facts, Part
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
    ids = _named(registry, by_digest.values())
    have = _have([ids[digest] for digest in by_digest])
    new = [
        one for digest, one in by_digest.items() if digest not in have or (one.config and not have[digest])
    ]
    if new:
        _parts(registry, new, ids)
        _contents(new, ids)
        _rows(registry, new, now)
    held(((repository, ids[one.digest]) for repository, one in found), now)
    usage.roll_up([ids[one.digest] for one in new])
    return ids


def _named(registry: Registry, some: Iterable[Facts]) -> dict[str, int]:
    """Keys of these manifests and of those that they name, by digest, after giving rows to those without."""
    types: dict[str, str] = {}
    for one in some:
        types |= {entry.digest: entry.media_type for entry in one.entries}
        types.setdefault(one.digest, one.media_type)
    rows = ((registry.pk, digest, media_type) for digest, media_type in sorted(types.items()))
    bulk.insert(Manifest, ["registry_id", "digest", "media_type"], rows)
    return keys(registry, types)


def _have(pks: Iterable[int]) -> dict[str, bool]:
    """Of these manifests those that were read, by digest, and whether there is a config with each."""
    found: dict[str, bool] = {}
    for some in batches(pks):
        rows = Manifest.objects.read().filter(pk__in=some).values_list("digest", "content__config_deflated")
        found |= {digest: bool(config) for digest, config in rows}
    return found


def _parts(registry: Registry, new: Sequence[Facts], ids: Mapping[str, int]) -> None:
    """Blobs, their use, and the lines of indexes."""
    blobs = _blobs(registry, facts.unique(part for one in new for part in one.parts))
    bulk.insert(
        BlobUse,
        ["manifest_id", "position", "blob_id"],
        sorted((ids[one.digest], part.position, blobs[part.digest]) for one in new for part in one.parts),
    )
    lines = (
        (ids[one.digest], position, ids[entry.digest], entry.platform, entry.annotations)
        for one in sorted(new, key=lambda one: ids[one.digest])
        for position, entry in enumerate(one.entries)
    )
    bulk.insert(Child, ["parent_id", "position", "manifest_id", "platform", "annotations"], lines)


def _blobs(registry: Registry, parts: Mapping[str, Part]) -> dict[str, int]:
    """Keys of these blobs by digest, after giving rows to those without. Schema 1 may have named one first,
    without a size."""
    rows = ((registry.pk, part.digest, part.size) for _, part in sorted(parts.items()))
    bulk.insert(Blob, ["registry_id", "digest", "size"], rows)
    found: dict[str, int] = {}
    for digests in batches(parts):
        there = Blob.objects.filter(registry=registry, digest__in=digests)
        for pk, digest, size in there.values_list("pk", "digest", "size"):
            found[digest] = pk
            if size is None and parts[digest].size is not None:
                Blob.objects.filter(pk=pk).update(size=parts[digest].size)
    return found


def _contents(new: Sequence[Facts], ids: Mapping[str, int]) -> None:
    """The bytes. A config read later than its manifest is added, one already there stays."""
    columns = ["row_id", "manifest_deflated", "config_deflated"]
    plain = (
        (ids[one.digest], packing.packed(one.body), b"")
        for one in sorted(new, key=lambda one: ids[one.digest])
        if not one.config
    )
    bulk.insert(Content, columns, plain)
    configured = (
        (ids[one.digest], packing.packed(one.body), packing.packed(one.config))
        for one in sorted(new, key=lambda one: ids[one.digest])
        if one.config
    )
    bulk.insert(Content, columns, configured, unique=["row_id"], update=columns[1:])


def _rows(registry: Registry, new: Sequence[Facts], now: datetime) -> None:
    """The manifests themselves, which thereby count as read."""
    said = ["kind", "media_type", "artifact_type", "subject", "size", "created_at", "platform", "labels"]
    learnt = ["read_at", "platforms", *said]
    rows = (
        (
            *(registry.pk, one.digest, now, [one.platform] if one.platform else []),
            *(getattr(one, name) for name in said),
        )
        for one in sorted(new, key=lambda one: one.digest)
    )
    unique = ["registry_id", "digest"]
    bulk.insert(Manifest, [*unique, *learnt], rows, unique=unique, update=learnt)


def senseless(registry: Registry, contents: Sequence[oci.Content], now: datetime) -> None:
    """Keep manifests that can't be understood, those that an index names: they count as read, of no kind, so
    that nobody waits for them, and what contains them has an unknown size."""
    ids = keys(registry, (content.digest for content in contents))
    bodies = {ids[content.digest]: content.body for content in contents if content.digest in ids}
    rows = ((pk, packing.packed(body)) for pk, body in sorted(bodies.items()))
    bulk.insert(Content, ["row_id", "manifest_deflated"], rows)
    for some in batches(bodies):
        Manifest.objects.filter(pk__in=some, read_at=None).update(read_at=now)
    usage.roll_up(ids.values())


def held(pairs: Iterable[tuple[Repository, int]], now: datetime) -> None:
    """These repositories hold these manifests: the registry has just said so."""
    _revisions(((repository.pk, pk) for repository, pk in pairs), now, {"seen_at": now, "gone_at": None})


def missing(repository: Repository, digests: Iterable[str], now: datetime) -> None:
    """The repository doesn't hold these digests: the registry has just said so."""
    ids = keys(repository.registry, digests)
    _revisions(((repository.pk, pk) for pk in ids.values()), now, {"gone_at": now})
    for some in batches(ids.values()):
        # What only an index kept tagged may be loose by now.
        inside = Child.objects.filter(parent__in=some).order_by()
        within = Revision.objects.filter(repository=repository, manifest__in=inside.values("manifest"))
        within.update(loose=True)
    usage.roll_up(ids.values())


def _revisions(pairs: Iterable[tuple[int, int]], now: datetime, said: Mapping[str, datetime | None]) -> None:
    """What was said of manifests in repositories, given as keys of both."""
    unique = ["repository_id", "manifest_id"]
    rows = ((*pair, now, *said.values()) for pair in sorted(set(pairs)))
    bulk.insert(Revision, [*unique, "first_seen_at", *said], rows, unique=unique, update=list(said))


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
