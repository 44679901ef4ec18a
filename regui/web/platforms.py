"""What an index lists, and which of its images a page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regui import oci
from regui.index import facts
from regui.index.models import Child, Manifest, Repository, Revision

USUAL = "linux/amd64"


@dataclass(frozen=True)
class Line:
    """One manifest of an index. `about` is the platform an attestation is about, `missing` says that the
    registry answered it doesn't have it."""

    manifest: Manifest
    platform: str
    label: str
    attestation: bool
    about: str
    missing: bool


def lines(repository: Repository, manifest: Manifest, document: oci.Document) -> list[Line]:
    """An index's lines in its order; none for anything else."""
    if not isinstance(document, oci.Index):
        return []
    rows = list(manifest.children.select_related("manifest"))
    revisions = Revision.objects.filter(repository=repository, manifest__in=[row.manifest_id for row in rows])
    missing = set(revisions.exclude(gone_at=None).values_list("manifest_id", flat=True))
    platform_of = {row.manifest.digest: row.platform for row in rows}
    return [
        line(row, document.manifests[row.position], platform_of, missing=row.manifest_id in missing)
        for row in rows
    ]


def line(row: Child, said: oci.Descriptor, platform_of: Mapping[str, str], *, missing: bool) -> Line:
    """One line, from its row and what the index itself says of it."""
    nested = row.manifest.kind == Manifest.Kind.INDEX or oci.is_index(said.media_type)
    name = ", ".join(row.manifest.platforms) or "index" if nested else row.platform or "unknown platform"
    version = said.platform.os_version if said.platform else ""
    return Line(
        manifest=row.manifest,
        platform="" if nested else row.platform,
        label=f"{name} {version}".strip(),
        attestation=facts.is_attestation(row.annotations) or row.manifest.kind == Manifest.Kind.ATTESTATION,
        about=platform_of.get(row.annotations.get(facts.REFERENCE_DIGEST, ""), ""),
        missing=missing,
    )


def choices(found: Sequence[Line]) -> list[Line]:
    """The images that a switch can name: the first of each platform."""
    by_platform: dict[str, Line] = {}
    for one in found:
        if one.platform and not one.attestation:
            by_platform.setdefault(one.platform, one)
    return list(by_platform.values())


def choose(found: Sequence[Line], platform: str) -> Line | None:
    """The image to show: of the platform asked for; else of the most common one or the first, of those that
    were read. None if there is none."""
    options = {one.platform: one for one in choices(found)}
    if platform in options:
        return options[platform]
    read = {name: one for name, one in options.items() if one.manifest.read_at}
    return read.get(USUAL) or next(iter(read.values()), None)
