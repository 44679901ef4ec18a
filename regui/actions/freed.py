"""How many bytes the registry's next garbage collection can free once a digest is deleted.

A blob may go when no manifest of any repository needs it. Manifests without a tag count as needing theirs,
since a plain garbage collection spares them.
"""

from dataclasses import replace

from django.db.models import Exists, OuterRef, QuerySet, Sum

from regui.actions.plans import Bytes, Plan
from regui.index import usage
from regui.index.models import (
    BlobUse,
    Manifest,
    Registry,
    Repository,
    RepositoryQuerySet,
    Revision,
    Tag,
)

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
    needed = usage.needed(sizes, without=[manifest.pk])
    named, more = sharers(repository, other_uses(manifest, list(sizes)))
    return Bytes(
        frees=sum(size for blob, size in sizes.items() if blob not in needed),
        stays=sum(size for blob, size in sizes.items() if blob in needed),
        shared_with=named,
        more=more,
        unread=unread,
    )


def sharers(
    repository: Repository, uses: QuerySet[BlobUse], among: RepositoryQuerySet | None = None
) -> tuple[tuple[str, ...], int]:
    """What people call those of the manifests that use most, by their tags in these repositories if not in
    any; and how many others there are."""
    most = uses.order_by().values("manifest").annotate(bytes=Sum("blob__size")).order_by("-bytes", "manifest")
    named = [name_of(repository, row["manifest"], among) for row in most[:NAMED]]
    return tuple(dict.fromkeys(named)), most.count() - len(named)


def told(plan: Plan, registry: Registry, visible: RepositoryQuerySet) -> Bytes:
    """A plan's bytes for who sees only these repositories: what else needs what stays is named as far as it
    lies in one of them, and the other repositories are counted."""
    found = replace(plan.bytes, unread=0)
    row = Manifest.objects.filter(registry=registry, digest=plan.digest).first()
    if row is None or not plan.bytes.shared_with:
        return found
    repository = Repository.objects.get(registry=registry, name=plan.repository)
    if names := elsewhere(repository, row):
        there = set(visible.filter(name__in=names).values_list("name", flat=True))
        seen = [name for name in names if name in there]
        hidden = len(names) - len(seen)
        return replace(found, shared_with=tuple(seen[:NAMED]), more=len(seen[NAMED:]), not_shown=hidden)
    uses = other_uses(row, list(row.blob_uses.values_list("blob_id", flat=True)))
    holding = usage.lying().filter(manifest__in=uses.order_by().values("manifest"))
    holders = set(holding.exclude(repository=repository).values_list("repository_id", flat=True))
    hidden = len(holders - set(visible.filter(pk__in=holders).values_list("pk", flat=True)))
    held = Exists(usage.lying().filter(manifest=OuterRef("manifest"), repository__in=visible.values("pk")))
    shown, more = sharers(repository, uses.filter(held), visible)
    return replace(found, shared_with=shown, more=more, not_shown=hidden)


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


def name_of(repository: Repository, manifest: int, among: RepositoryQuerySet | None = None) -> str:
    """What a person calls that manifest: "team/base:3", after a tag on it or else on an index that has it,
    of this repository if possible, or of another, of these if any are given; without any tag
    "team/base@2c8f62a5d1b0"."""
    here = {} if among is None else {"repository__in": among.values("pk")}
    for on_it in ({"manifest": manifest}, {"manifest__children__manifest": manifest}):
        tags = Tag.objects.visible().filter(**on_it, **here).select_related("repository")
        tag = tags.filter(repository=repository).order_by("name").first()
        tag = tag or tags.order_by("repository__name", "name").first()
        if tag:
            return f"{tag.repository.name}:{tag.name}"
    held = Revision.objects.held().filter(manifest=manifest, **here)
    revision = held.select_related("repository", "manifest")[0]
    return f"{revision.repository.name}@{revision.manifest.digest.rpartition(':')[2][:12]}"
