"""Manifests, indexes and image configs as frozen records, read leniently and bounded.

A document was written by whoever could push: every field may be missing, of another type or hostile. What a
registry couldn't work without (digest, size) must be right, or the document is Malformed; the rest falls back
to "unknown". Specification: the image specification's manifest.md, image-index.md, config.md, descriptor.md.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Self

from regui.oci import media
from regui.oci.errors import InvalidName, Malformed
from regui.oci.lenient import each, integer, mapping, parse_object, record, text, texts
from regui.oci.names import Digest

# No blob is larger than 256 TiB; so bounded, the sum over any manifest fits a database's signed 64 bits.
MAX_SIZE = 2**48


@dataclass(frozen=True)
class Platform:
    """What an image runs on. Parts nobody named are empty."""

    os: str = ""
    architecture: str = ""
    variant: str = ""
    os_version: str = ""

    @classmethod
    def parse(cls, value: Any) -> Self:
        fields = record(value)
        return cls(
            os=text(fields.get("os")),
            architecture=text(fields.get("architecture")),
            variant=text(fields.get("variant")),
            os_version=text(fields.get("os.version")),
        )

    def __str__(self) -> str:
        """`linux/arm/v7`; `unknown` when nothing is known."""
        return "/".join(filter(None, (self.os, self.architecture, self.variant))) or "unknown"

    @property
    def unknown(self) -> bool:
        """Whether it says nothing: attestations call themselves unknown/unknown."""
        return {self.os, self.architecture} <= {"", "unknown"}


@dataclass(frozen=True)
class Descriptor:
    """A reference to content: `size` in bytes, `platform` only inside an index, `data` the content itself
    when it was embedded."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""
    urls: tuple[str, ...] = ()
    data: bytes | None = None

    @classmethod
    def parse(cls, value: Any) -> Self:
        """The descriptor that JSON value is; Malformed without a digest we can verify or a sane size."""
        if not isinstance(value, dict):
            raise Malformed("The document refers to content without a descriptor.")
        try:
            digest = Digest.parse(value.get("digest", ""))
        except InvalidName as error:
            raise Malformed(f"The document refers to content by something else: {error}") from error
        size = integer(value.get("size"))
        if size is None or not 0 <= size <= MAX_SIZE:
            raise Malformed(f"The document gives no possible size for {digest}.")
        return cls(
            media_type=text(value.get("mediaType")),
            digest=digest,
            size=size,
            platform=Platform.parse(value["platform"]) if isinstance(value.get("platform"), dict) else None,
            annotations=mapping(value.get("annotations")),
            artifact_type=text(value.get("artifactType")),
            urls=texts(value.get("urls")),
            data=embedded(value.get("data")),
        )


@dataclass(frozen=True)
class Manifest:
    """An image or another artifact: a config and layers, base first."""

    media_type: str
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config, if there is one, then layers."""
        return ((self.config,) if self.config else ()) + self.layers


@dataclass(frozen=True)
class Index:
    """A list of manifests: a multi-platform image, usually."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""


@dataclass(frozen=True)
class Legacy:
    """A schema 1 manifest, deprecated in 2016: it knows no sizes. Layers are base first."""

    media_type: str
    name: str
    tag: str
    architecture: str
    layers: tuple[Digest, ...]
    created: datetime | None = None


Document = Manifest | Index | Legacy


def parse(body: bytes, media_type: str = "") -> Document:
    """What the bytes are. The body's own mediaType decides, since the digest covers it; else `media_type`,
    the Content-Type it came with; else the fields it has. Malformed when it is none of the three, or two of
    them at once."""
    fields = parse_object(body)
    claimed = text(fields.get("mediaType")) or media.essence(media_type)
    if fields.get("schemaVersion") == 1:
        return legacy(fields, claimed if claimed in media.LEGACY else media.SCHEMA1)
    if not media.is_manifest(claimed):
        claimed = media.OCI_INDEX if "manifests" in fields else media.OCI_MANIFEST
    is_index = media.is_index(claimed)
    # One reader would show an image, another an index: CVE-2021-41190.
    if fields.get("layers" if is_index else "manifests") is not None:
        raise Malformed("The document is an index and an image at once.")
    if claimed in media.LEGACY or fields.get("manifests" if is_index else "layers", ...) is ...:
        raise Malformed("The document is neither an image, an index nor another artifact.")
    subject = Descriptor.parse(fields["subject"]) if fields.get("subject") is not None else None
    annotations, artifact_type = mapping(fields.get("annotations")), text(fields.get("artifactType"))
    if is_index:
        manifests = tuple(map(Descriptor.parse, each(fields["manifests"])))
        return Index(claimed, manifests, subject, annotations, artifact_type)
    config = Descriptor.parse(fields["config"]) if fields.get("config") is not None else None
    layers = tuple(map(Descriptor.parse, each(fields["layers"])))
    return Manifest(claimed, config, layers, subject, annotations, artifact_type)


def legacy(fields: Mapping[str, Any], media_type: str) -> Legacy:
    """A schema 1 manifest; Malformed when a layer lacks its digest. It lists the newest layer first."""
    try:
        layers = tuple(
            Digest.parse(record(layer).get("blobSum", "")) for layer in each(fields.get("fsLayers"))
        )
    except InvalidName as error:
        raise Malformed(f"The schema 1 manifest refers to a layer by something else: {error}") from error
    newest = next(iter(each(fields.get("history"))), None)
    try:
        compatibility = parse_object(text(record(newest).get("v1Compatibility")).encode())
    except Malformed:
        compatibility = {}
    return Legacy(
        media_type=media_type,
        name=text(fields.get("name")),
        tag=text(fields.get("tag")),
        architecture=text(fields.get("architecture")),
        layers=tuple(reversed(layers)),
        created=created_date(text(compatibility.get("created"))),
    )


def embedded(value: Any) -> bytes | None:
    """The bytes in a descriptor's `data`; None when there are none, or they aren't base64."""
    try:
        return b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None


def created_date(claim: str) -> datetime | None:
    """The moment in UTC; None when it says nothing: missing, unreadable, or a year before 1971, which tools
    that want reproducible images write (0001, 1970). A date in the future is kept as claimed."""
    try:
        moment = datetime.fromisoformat(claim)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year > 1970 else None


@dataclass(frozen=True)
class Content:
    """A manifest as the registry sent it. `verified` says that the digest is of these bytes; only schema 1,
    whose digest leaves out its signatures, comes without."""

    body: bytes
    media_type: str
    digest: Digest
    verified: bool = True

    @cached_property
    def document(self) -> Document:
        """The parsed body; Malformed when it is none."""
        return parse(self.body, self.media_type)
