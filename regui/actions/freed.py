"""How many bytes the registry's next garbage collection can free once a digest is deleted.

A blob may go when no manifest of any repository needs it. Manifests without a tag count as needing theirs,
since a plain garbage collection spares them.
"""

from django.db.models import QuerySet, Sum

from regui.actions.plans import Bytes
from regui.index import usage
from regui.index.models import BlobUse, Manifest, Repository, Revision, Tag

NAMED = 3


def freed(repository: Repository, manifest: Manifest) -> Bytes:
    """The bytes of its blobs, told apart by whether a manifest that stays needs them too."""
    unread = unread_repositories(repository)
    uses = dict(manifest.blob_uses.values_list("blob_id", "blob__size"))
    sizes = {blob: size for blob, size in uses.items() if size is not None}
    if manifest.read_at is None or len(sizes) < len(uses):
        return Bytes(unread=unread)  # schema 1 doesn't say how large its layers are
    if manifest.kind == Manifest.Kind.INDEX:
        return Bytes(0, manifest.size, unread=unread)  # it has no blobs of its own, and its images stay
    if names := elsewhere(repository, manifest):
        return Bytes(0, sum(sizes.values()), tuple(names[:NAMED]), len(names[NAMED:]), unread)
    others = other_uses(manifest, list(sizes)).order_by()
    needed = usage.needed(sizes, without=[manifest.pk])
    sharers = others.values("manifest").annotate(bytes=Sum("blob__size")).order_by("-bytes", "manifest")
    most = [name_of(repository, sharer["manifest"]) for sharer in sharers[:NAMED]]
    return Bytes(
        frees=sum(size for blob, size in sizes.items() if blob not in needed),
        stays=sum(size for blob, size in sizes.items() if blob in needed),
        shared_with=tuple(dict.fromkeys(most)),
        more=sharers.count() - len(most),
        unread=unread,
    )


def together(repository: Repository, rows: QuerySet[Manifest]) -> Bytes:
    """The bytes that would be freed when all these manifests leave the repository, and those that stay since
    something else needs them."""
    ids = set(rows.values_list("pk", flat=True))
    size = usage.size_of(ids)
    if size is None or rows.filter(read_at=None).exists():
        return Bytes(unread=unread_repositories(repository))
    elsewhere = usage.lying().filter(manifest__in=ids).exclude(repository=repository)
    frees = usage.exclusive(ids - set(elsewhere.values_list("manifest_id", flat=True)))
    return Bytes(frees, size - frees, unread=unread_repositories(repository))


def unread_repositories(repository: Repository) -> int:
    """How many repositories of the registry aren't read whole: what they hold may need any blob."""
    return Repository.objects.filter(registry=repository.registry, size=None).listed().count()


def elsewhere(repository: Repository, manifest: Manifest) -> list[str]:
    """The names of the other repositories that hold this very manifest."""
    held = manifest.revisions.filter(gone_at=None).exclude(repository=repository)
    return list(held.order_by("repository__name").values_list("repository__name", flat=True))


def other_uses(manifest: Manifest, blobs: list[int]) -> QuerySet[BlobUse]:
    """The uses of these blobs by other manifests that some repository of the registry holds."""
    live = usage.lying().values("manifest")
    return BlobUse.objects.filter(blob__in=blobs, manifest__in=live).exclude(manifest=manifest)


def name_of(repository: Repository, manifest: int) -> str:
    """What a person calls that manifest: "team/base:3", after a tag on it or else on an index that has it,
    of this repository if possible; without any tag "team/base@2c8f62a5d1b0"."""
    for on_it in ({"manifest": manifest}, {"manifest__children__manifest": manifest}):
        tags = Tag.objects.visible().filter(**on_it).select_related("repository")
        tag = tags.filter(repository=repository).order_by("name").first()
        tag = tag or tags.order_by("repository__name", "name").first()
        if tag:
            return f"{tag.repository.name}:{tag.name}"
    held = Revision.objects.held().filter(manifest=manifest)
    revision = held.select_related("repository", "manifest")[0]
    return f"{revision.repository.name}@{revision.manifest.digest.rpartition(':')[2][:12]}"
