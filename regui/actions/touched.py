"""What hangs together with a digest inside one repository, as a plan tells it; no registry is asked."""

from collections import defaultdict
from collections.abc import Iterable

from regui import oci
from regui.actions.plans import Child, Parent, Referrer, TagOn
from regui.index import facts, graph, models
from regui.index.batches import batches
from regui.index.models import Manifest, Repository

TYPES = {
    "signature": ("cosign", "notary", "simplesigning", "signature"),
    "sbom": ("spdx", "cyclonedx", "syft", "sbom"),
    "attestation": ("in-toto", "attestation", "provenance", "dsse"),
}


def tags_on(repository: Repository, digest: oci.Digest) -> tuple[TagOn, ...]:
    """Every listed tag on the digest, people's own before those that clients keep."""
    found = graph.tags_on(repository, digest).order_by("folded", "name")
    return tuple(TagOn(tag.name, digest, role_of_tag(tag.name), tag.seen_at) for tag in found)


def tags_of(repository: Repository, digests: Iterable[str]) -> tuple[TagOn, ...]:
    """Every listed tag on any of these digests, by name."""
    found = repository.tags.listed().filter(manifest__digest__in=list(digests)).order_by("folded", "name")
    values = found.values_list("name", "manifest__digest", "seen_at")
    return tuple(TagOn(name, str(digest), role_of_tag(name), seen_at) for name, digest, seen_at in values)


def role_of_tag(name: str) -> str:
    """What a tag is for by its name; empty for one that a person gave."""
    companion = oci.companion(name)
    return companion.role if companion else ""


def parents(repository: Repository, digest: oci.Digest) -> tuple[Parent, ...]:
    """Every index of the repository that leads to the digest: tagged ones first, and among them the
    nearest."""
    rows = graph.parents(repository, digest)
    direct = models.Child.objects.filter(parent__in=rows, manifest__digest=digest)
    platforms = dict(direct.order_by("-position").values_list("parent", "platform"))
    tags = defaultdict[int, list[str]](list)
    named = repository.tags.listed().filter(manifest__in=rows).order_by("name")
    for manifest, name in named.values_list("manifest", "name"):
        tags[manifest].append(name)
    found = (parent(row, tags[row.pk], platforms.get(row.pk)) for row in rows)
    return tuple(sorted(found, key=lambda one: (not one.tags, one.nested, one.tags, one.digest)))


def parent(row: Manifest, tags: list[str], platform: str | None) -> Parent:
    """One index. `platform` is None when only an index inside it has the digest."""
    listing = bool(tags) and all(role_of_tag(tag) for tag in tags)
    return Parent(
        digest=row.digest,
        tags=tuple(tags),
        platform=platform or "",
        nested=platform is None,
        role="referrers" if listing else "",
    )


def referrers(repository: Repository, digest: oci.Digest) -> tuple[Referrer, ...]:
    """Everything in the repository that speaks about the digest: by tag name, by subject, and buildkit's
    attestations beside it in an index. Each digest once."""
    row = Manifest.objects.filter(registry=repository.registry, digest=digest).first()
    if row is None:
        return ()
    named = [(manifest, tag) for manifest, tag in graph.companions(repository, digest)]
    fallback = repository.tags.listed().filter(name=oci.referrers_tag(digest)).exclude(manifest=None)
    named += [(tag.manifest, tag.name) for tag in fallback.select_related("manifest") if tag.manifest]
    others = {manifest.pk: manifest for manifest in graph.referrers(repository, row)}
    others |= {manifest.pk: manifest for manifest, _ in graph.attestations(repository, row)}
    held = set(graph.held(repository).filter(pk__in=others).values_list("pk", flat=True))
    found = {one.pk: referrer(one, role_of_tag(tag), tag) for one, tag in named}
    first = first_tags(repository, held)
    for pk in sorted(held - found.keys(), key=lambda pk: others[pk].digest):
        found[pk] = referrer(others[pk], role(others[pk]), first.get(pk, ""))
    return tuple(found.values())


def referrers_of(repository: Repository, digests: set[str]) -> tuple[Referrer, ...]:
    """Everything in the repository that speaks about one of these digests and isn't itself among them."""
    prefixes = {oci.referrers_tag(oci.Digest(digest)): digest for digest in digests}
    folded = repository.tags.listed().filter(folded=True).exclude(manifest=None).select_related("manifest")
    found: dict[int, Referrer] = {}
    for tag in folded:
        companion = oci.companion(tag.name)
        if companion and tag.name.partition(".")[0] in prefixes and tag.manifest:
            found[tag.manifest.pk] = referrer(tag.manifest, companion.role, tag.name)
    for some in batches(digests):
        for manifest in graph.held(repository).filter(subject__in=some):
            found.setdefault(manifest.pk, referrer(manifest, role(manifest), ""))
    return tuple(one for one in found.values() if one.digest not in digests)


def referrer(manifest: Manifest, role: str, tag: str) -> Referrer:
    return Referrer(manifest.digest, role, tag, manifest.artifact_type, manifest.size)


def role(manifest: Manifest) -> str:
    """signature, sbom or attestation by its type; "referrer" when that says nothing."""
    words = f"{manifest.artifact_type} {manifest.media_type}".lower()
    said = next((role for role, hints in TYPES.items() if any(hint in words for hint in hints)), "")
    return said or ("attestation" if manifest.kind == Manifest.Kind.ATTESTATION else "referrer")


def first_tags(repository: Repository, manifests: Iterable[int]) -> dict[int, str]:
    """For those of the manifests that have one, the first of their tags."""
    tags = repository.tags.listed().filter(manifest__in=manifests).order_by("-name")
    return {manifest: name for manifest, name in tags.values_list("manifest_id", "name") if manifest}


def left_behind(repository: Repository, manifest: Manifest) -> tuple[Child, ...]:
    """The children, at any depth, that no tag leads to once this index is gone, save those the registry has
    already said it lacks."""
    rows = graph.left_behind(repository, manifest)
    gone = models.Revision.objects.filter(repository=repository, manifest__in=rows).exclude(gone_at=None)
    missing = set(gone.values_list("manifest", flat=True))
    lines = models.Child.objects.filter(manifest__in=rows).order_by("-parent", "-position")
    names = {line.manifest_id: name_of(line) for line in lines}
    return tuple(Child(row.digest, names[row.pk], row.size) for row in rows if row.pk not in missing)


def name_of(line: models.Child) -> str:
    """The platform of an index's line, or "attestation" for what buildkit puts beside it."""
    return "attestation" if facts.is_attestation(line.annotations) else line.platform
