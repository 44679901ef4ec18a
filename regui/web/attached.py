"""What refers to a manifest, as rows of its page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from regui.index import fetch
from regui.index.models import Manifest, Repository
from regui.web.platforms import Line

LABELS = {
    "signature": "Signature",
    "sbom": "SBOM",
    "attestation": "Attestation",
    "referrers": "List of referrers",
}
ICONS = {"signature": "signature", "sbom": "scroll-text", "attestation": "shield-check"}


@dataclass(frozen=True)
class Attached:
    """Something attached to a manifest; `about` is the platform of an index that it is about, empty for all
    of it."""

    digest: str
    label: str
    icon: str
    artifact_type: str
    size: int | None
    about: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Attachments:
    """What is attached, and how asking for it went."""

    rows: Sequence[Attached]
    reading: fetch.Reading


def to(repository: Repository, manifest: Manifest, lines: Iterable[Line]) -> Attachments:
    """What refers to this manifest, the attestations among an index's own lines last."""
    referrers, reading = fetch.referrers(repository, manifest)
    rows = [
        Attached(
            digest=one.digest,
            label=LABELS.get(one.role, "Artifact"),
            icon=ICONS.get(one.role, "file-box"),
            artifact_type=one.artifact_type,
            size=one.size,
            tag=one.tag,
        )
        for one in referrers
    ]
    rows += [
        Attached(
            digest=line.manifest.digest,
            label=LABELS["attestation"],
            icon=ICONS["attestation"],
            artifact_type=line.manifest.artifact_type,
            size=line.manifest.size,
            about=line.about,
        )
        for line in lines
        if line.attestation
    ]
    return Attachments(rows, reading)
