"""What hangs together with what, as the index knows it: no request, only queries."""

from collections.abc import Iterable, Mapping

from django.db.models import Exists, OuterRef

from regui import oci
from regui.index import facts, usage
from regui.index.listing import DANGLING
from regui.index.models import Child, Manifest, ManifestQuerySet, Repository, Revision, TagQuerySet

SUFFIXES = (".sig", ".att", ".sbom")


def tags_on(repository: Repository, digest: str) -> TagQuerySet:
    """The listed tags, folded ones too, that are on a digest in this repository, by name. One that led
    nowhere when it was last asked for isn't on what it was on before."""
    on = repository.tags.listed().filter(manifest__digest=digest)
    return on.exclude(problem=DANGLING).order_by("name")


def held(repository: Repository) -> ManifestQuerySet:
    """The manifests this repository holds, as far as the index knows."""
    return Manifest.objects.filter(revisions__repository=repository, revisions__gone_at=None)


def parents(repository: Repository, digest: str) -> list[Manifest]:
    """The indexes in this repository that contain the digest, directly or through another index; nearest
    first."""
    row = Manifest.objects.filter(registry=repository.registry, digest=digest).first()
    if row is None:
        return []
    found = usage.upwards([row.pk]) - {row.pk}
    return list(held(repository).filter(pk__in=found).order_by("-pk"))


def children(index: Manifest) -> list[Child]:
    """An index's lines in order, each with its manifest."""
    return list(index.children.select_related("manifest"))


def referrers(repository: Repository, manifest: Manifest) -> list[Manifest]:
    """The manifests in this repository whose subject this one is."""
    return list(held(repository).filter(subject=manifest.digest).order_by("digest"))


def companions(repository: Repository, digest: str) -> list[tuple[Manifest, str]]:
    """The manifests that cosign's tags (signature, attestation, SBOM) attach to a digest, each with that
    tag."""
    try:
        prefix = oci.referrers_tag(oci.Digest.parse(digest))
    except oci.InvalidName:
        return []
    names = [prefix + suffix for suffix in SUFFIXES]
    tags = repository.tags.listed().filter(name__in=names).exclude(manifest=None)
    return [
        (tag.manifest, tag.name) for tag in tags.select_related("manifest").order_by("name") if tag.manifest
    ]


def attestations(repository: Repository, manifest: Manifest) -> list[tuple[Manifest, Mapping[str, str]]]:
    """The attestations about this manifest beside it in indexes of this repository, each with its line's
    annotations."""
    # By EXISTS, so that the database goes from the few indexes of the manifest, not through all of the
    # repository's.
    here = Revision.objects.held().filter(repository=repository, manifest=OuterRef("parent"))
    beside = Child.objects.filter(Exists(here), parent__children__manifest=manifest)
    lines = beside.exclude(manifest=manifest)
    found: dict[int, tuple[Manifest, Mapping[str, str]]] = {}
    for line in lines.select_related("manifest").distinct():
        about = line.annotations.get(facts.REFERENCE_DIGEST)
        if facts.is_attestation(line.annotations) and about == manifest.digest:
            found[line.manifest_id] = (line.manifest, line.annotations)
    return list(found.values())


def left_behind(repository: Repository, manifest: Manifest) -> list[Manifest]:
    """The children of an index that nothing else leads to: no tag is on them, and no other tagged manifest in
    this repository contains them, directly or not. Deleting the index leaves them where nothing lists
    them."""
    below, _ = usage.downwards([manifest.pk])
    tagged = repository.tags.listed().filter(manifest__in=_above(below) - {manifest.pk})
    kept = reachable(set(tagged.values_list("manifest_id", flat=True)))
    return list(Manifest.objects.filter(pk__in=below - kept - {manifest.pk}).order_by("digest"))


def only_here(repository: Repository, manifest: Manifest) -> int:
    """The bytes that could be freed by deleting the manifest here, together with what of an index nothing
    else leads to: those that nothing else in the registry needs, as far as it was read."""
    doomed = {manifest.pk}
    if manifest.kind == Manifest.Kind.INDEX:
        doomed |= {child.pk for child in left_behind(repository, manifest)}
    # Elsewhere a child may lie that nobody asked for there, only for its index.
    around = _above(usage.downwards([manifest.pk])[0])
    elsewhere = usage.lying().filter(manifest__in=around).exclude(repository=repository)
    stay = reachable(elsewhere.values_list("manifest_id", flat=True))
    return 0 if manifest.pk in stay else usage.exclusive(doomed - stay)


def _above(ids: Iterable[int]) -> set[int]:
    """These manifests and the indexes that contain one of them."""
    return set(ids) | usage.upwards(ids)


def reachable(ids: Iterable[int]) -> set[int]:
    """These manifests and all they contain."""
    found, _ = usage.downwards(ids)
    return found
