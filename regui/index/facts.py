"""What a manifest and its config say, as plain values fit for rows.

Whoever can push can write anything here. What makes no sense is unknown, never a guess and never a crash.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from regui import oci
from regui.index import configs
from regui.index.models import Manifest

CREATED = "org.opencontainers.image.created"
DESCRIPTION = "org.opencontainers.image.description"
REFERENCE_TYPE = "vnd.docker.reference.type"
REFERENCE_DIGEST = "vnd.docker.reference.digest"
ATTESTATION = "attestation-manifest"
# On the empty index that regui puts on a tag for a moment, to take the tag away and nothing else.
UNTAG = "regui.untag"
# What a referrer is for, by words in its artifact type.
ROLES = {
    "signature": ("cosign.simplesigning", "notary", "sigstore.bundle", "signature"),
    "sbom": ("spdx", "cyclonedx", "syft", "sbom"),
    "attestation": ("in-toto", "attestation", "provenance"),
}
# Lengths of the columns, and the largest number one can hold.
TYPE, PLATFORM = 255, 100
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Part:
    """A config (position 0) or a layer (1…). `size` is in bytes, None when schema 1 doesn't say."""

    position: int
    digest: str
    size: int | None


@dataclass(frozen=True)
class Entry:
    """One line of an index."""

    digest: str
    media_type: str
    platform: str
    annotations: dict[str, str]


@dataclass(frozen=True)
class Facts:
    """All of a manifest that becomes rows. For an index, `created_at` is only what it says itself. `config`
    is what is kept of it."""

    digest: str
    media_type: str
    kind: str
    artifact_type: str
    subject: str
    created_at: datetime | None
    platform: str
    labels: dict[str, str]
    parts: tuple[Part, ...]
    entries: tuple[Entry, ...]
    body: bytes
    config: bytes

    @property
    def size(self) -> int | None:
        """Bytes of its parts, each counted once; None when one is unknown, and for an index."""
        if self.kind == Manifest.Kind.INDEX:
            return None
        return total(part.size for part in unique(self.parts).values())


def of(content: oci.Content, config: bytes | None) -> Facts:
    """The facts of a manifest and, when it was read, of its config. Raises `oci.Malformed` when the manifest
    itself can't be understood; a config that can't counts as none."""
    document = content.document
    described = understood(config) if isinstance(document, oci.Manifest) else None
    annotations = {} if isinstance(document, oci.Legacy) else document.annotations
    labels = described.labels if described else {}
    return Facts(
        digest=str(content.digest),
        media_type=document.media_type[:TYPE],
        kind=kind_of(document),
        artifact_type=artifact_type_of(document)[:TYPE],
        subject=subject_of(document),
        created_at=created_of(document, described),
        platform=platform_of(document, described),
        labels={**labels, **annotations},
        parts=parts_of(document),
        entries=entries_of(document),
        body=content.body,
        config=kept(config, document) if config and described else b"",
    )


def kind_of(document: oci.Document) -> str:
    """What a manifest is: an image when its config says so and its layers could be a file system."""
    if isinstance(document, oci.Index):
        return Manifest.Kind.INDEX
    if isinstance(document, oci.Legacy):
        return Manifest.Kind.LEGACY
    config = document.config.media_type if document.config else ""
    layers = [layer.media_type for layer in document.layers]
    if config == oci.HELM_CONFIG:
        return Manifest.Kind.HELM
    if document.artifact_type == oci.IN_TOTO or (layers and all(layer == oci.IN_TOTO for layer in layers)):
        return Manifest.Kind.ATTESTATION
    if document.artifact_type or config not in oci.IMAGE_CONFIGS:
        return Manifest.Kind.ARTIFACT
    # cosign's signatures carry an image's config, but layers that no image has.
    return (
        Manifest.Kind.IMAGE
        if not layers or any("tar" in layer for layer in layers)
        else Manifest.Kind.ARTIFACT
    )


def artifact_type_of(document: oci.Document) -> str:
    """What kind of artifact, as the specification finds it: its own word, else its config's type; failing
    that its first layer's, which is how cosign tells. Empty for images."""
    if isinstance(document, oci.Legacy):
        return ""
    if isinstance(document, oci.Index) or document.artifact_type:
        return document.artifact_type
    config = document.config.media_type if document.config else ""
    if config and config not in oci.IMAGE_CONFIGS | {oci.EMPTY}:
        return config
    if kind_of(document) == Manifest.Kind.IMAGE or not document.layers:
        return ""
    return document.layers[0].media_type


def subject_of(document: oci.Document) -> str:
    """The digest it refers to; empty when none."""
    if isinstance(document, oci.Legacy) or document.subject is None:
        return ""
    return str(document.subject.digest)


def parts_of(document: oci.Document) -> tuple[Part, ...]:
    """Config first, then the layers; nothing for an index. Schema 1 names layers without their size."""
    if isinstance(document, oci.Index):
        return ()
    if isinstance(document, oci.Legacy):
        return tuple(Part(at, str(digest), None) for at, digest in enumerate(document.layers, start=1))
    return tuple(
        Part(at, str(one.digest), one.size)
        for at, one in enumerate(document.blobs, start=0 if document.config else 1)
    )


def entries_of(document: oci.Document) -> tuple[Entry, ...]:
    """An index's lines; nothing for anything else."""
    if not isinstance(document, oci.Index):
        return ()
    return tuple(
        Entry(
            str(one.digest),
            one.media_type[:TYPE],
            shown(one.platform),
            dict(one.annotations),
        )
        for one in document.manifests
    )


def created_of(document: oci.Document, config: oci.Config | None) -> datetime | None:
    """When it says it was made: its config, else its annotation; None when neither is sane."""
    if isinstance(document, oci.Legacy):
        return document.created
    if config is not None and config.created is not None:
        return config.created
    return oci.created_date(document.annotations.get(CREATED, ""))


def platform_of(document: oci.Document, config: oci.Config | None) -> str:
    """An image's own platform; empty for anything else, or when it doesn't tell."""
    if isinstance(document, oci.Legacy):
        return ""  # it names an architecture, and no system
    if config is None or kind_of(document) != Manifest.Kind.IMAGE:
        return ""
    return shown(config.platform)


def shown(platform: oci.Platform | None) -> str:
    """A platform as people write it; empty for none and for unknown/unknown."""
    return "" if platform is None or platform.unknown else str(platform)[:PLATFORM]


def is_attestation(annotations: Mapping[str, str]) -> bool:
    """Whether a line of an index is an attestation about another, as buildkit writes them."""
    return annotations.get(REFERENCE_TYPE) == ATTESTATION


def is_untag(document: oci.Document) -> bool:
    """Whether it is there for a moment only, to take a tag away."""
    return not isinstance(document, oci.Legacy) and UNTAG in document.annotations


def wants_config(document: oci.Document) -> oci.Descriptor | None:
    """The config worth a request of its own; None when there is nothing in it to show."""
    if not isinstance(document, oci.Manifest) or document.config is None:
        return None
    worth = kind_of(document) == Manifest.Kind.IMAGE or document.config.media_type == oci.HELM_CONFIG
    return document.config if worth else None


def understood(config: bytes | None) -> oci.Config | None:
    """The config, or None when there is none or it can't be understood."""
    if not config:
        return None
    try:
        return oci.Config.parse(config)
    except oci.Malformed:
        return None


def kept(config: bytes, document: oci.Document) -> bytes:
    """What is kept of a config: of an image's what pages show; a chart's is its description, and stays."""
    return configs.reduced(config) if kind_of(document) == Manifest.Kind.IMAGE else config


def total(sizes: Iterable[int | None]) -> int | None:
    """The sum; None when one is unknown, or when it is more than there can be, so that one must be a lie."""
    known = list(sizes)
    found = sum(size for size in known if size is not None)
    return found if None not in known and found <= LARGEST else None


def unique(parts: Iterable[Part]) -> dict[str, Part]:
    """Parts by digest, preferring those that have a size."""
    found: dict[str, Part] = {}
    for part in parts:
        if part.digest not in found or found[part.digest].size is None:
            found[part.digest] = part
    return found
