"""Builds images and other artifacts, byte for byte the same each time: functions from content to `Built`.

Formats: the OCI image specification 1.1, Docker's image manifest version 2 schema 2, BuildKit's attestation
storage, cosign's signature specification.
"""

import gzip
import hashlib
import io
import json
import tarfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from regui import oci

REFERENCE_DIGEST, REFERENCE_TYPE = "vnd.docker.reference.digest", "vnd.docker.reference.type"


@dataclass(frozen=True)
class Built:
    """A manifest with what must be in the registry before it: its blobs, and for an index its children."""

    body: bytes
    media_type: str
    blobs: tuple[bytes, ...] = ()
    children: tuple["Built", ...] = ()
    platform: Mapping[str, str] | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> oci.Digest:
        return oci.Digest.of(self.body)

    def descriptor(self, **more: Any) -> dict[str, Any]:
        """How an index, or a subject, refers to it."""
        platform = {"platform": dict(self.platform)} if self.platform else {}
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)} | platform | more


@dataclass(frozen=True)
class Layer:
    """A gzipped tar, and the instruction that made it."""

    body: bytes
    diff_id: oci.Digest
    created_by: str


@dataclass(frozen=True)
class Step:
    """A line of history that changed no file."""

    created_by: str


def layer(created_by: str, files: Mapping[str, bytes]) -> Layer:
    """A layer that holds those files."""
    tar = archive(files)
    return Layer(squeeze(tar), oci.Digest.of(tar), created_by)


def archive(files: Mapping[str, bytes]) -> bytes:
    """A tar of those files: owned by root, changed at the beginning of time."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, body in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(body), 0o755 if "/bin/" in f"/{path}" else 0o644
            tar.addfile(member, io.BytesIO(body))
    return stream.getvalue()


def squeeze(body: bytes) -> bytes:
    """The body gzipped without a date, so that its digest stays."""
    return gzip.compress(body, compresslevel=1, mtime=0)


def noise(seed: str, size: int) -> bytes:
    """That many bytes that don't compress, like a program's, always the same for a seed."""
    return hashlib.shake_128(seed.encode()).digest(size)


def dump(document: Mapping[str, Any]) -> bytes:
    """Compact JSON in the order given; text stays readable whatever its script."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def image(
    history: Sequence[Layer | Step],
    *,
    created: str | None,
    platform: str = "linux/amd64",
    labels: Mapping[str, str] | None = None,
    config: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None,
    docker: bool = False,
) -> Built:
    """An image, in Docker's schema 2 or OCI's format.

    `created` is a date as images carry it (None leaves it out), `config` what runs (`Cmd`, `Env` …).
    """
    layers = [step for step in history if isinstance(step, Layer)]
    system, architecture, *variant = platform.split("/")
    where = {"architecture": architecture, "os": system} | ({"variant": variant[0]} if variant else {})
    dated = {"created": created} if created else {}
    settings: dict[str, Any] = dict(config or {}) | ({"Labels": dict(labels)} if labels else {})
    lines = [
        dated | {"created_by": step.created_by} | ({} if isinstance(step, Layer) else {"empty_layer": True})
        for step in history
    ]
    body = dump(
        dated
        | where
        | {"config": settings, "rootfs": {"type": "layers", "diff_ids": [part.diff_id for part in layers]}}
        | {"history": lines}
    )
    kinds = (
        (oci.DOCKER_MANIFEST, oci.DOCKER_CONFIG, oci.DOCKER_LAYER)
        if docker
        else (oci.OCI_MANIFEST, oci.OCI_CONFIG, oci.OCI_LAYER_GZIP)
    )
    built = manifest(kinds[0], (kinds[1], body), [(kinds[2], part.body, {}) for part in layers], annotations)
    return replace(built, platform=where)


def manifest(
    media_type: str,
    config: tuple[str, bytes],
    layers: Sequence[tuple[str, bytes, Mapping[str, str]]],
    annotations: Mapping[str, str] | None = None,
    *,
    artifact_type: str = "",
    subject: Built | None = None,
) -> Built:
    """A manifest of a config and layers: each as media type and bytes, a layer with its annotations too."""
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_type}
    if artifact_type:
        document["artifactType"] = artifact_type
    document["config"] = described(*config)
    document["layers"] = [
        described(kind, body) | ({"annotations": dict(notes)} if notes else {})
        for kind, body, notes in layers
    ]
    if subject:
        document["subject"] = {
            "mediaType": subject.media_type,
            "digest": subject.digest,
            "size": len(subject.body),
        }
    if annotations:
        document["annotations"] = dict(annotations)
    blobs = (config[1], *(body for _, body, _ in layers))
    return Built(
        dump(document), media_type, blobs, artifact_type=artifact_type, annotations=dict(annotations or {})
    )


def described(media_type: str, body: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": oci.Digest.of(body), "size": len(body)}


def index(
    children: Sequence[Built],
    *,
    docker: bool = False,
    annotations: Mapping[str, str] | None = None,
    entries: Sequence[Mapping[str, Any]] | None = None,
) -> Built:
    """An index of those children, or a Docker manifest list; `entries` replaces their plain descriptors."""
    media_type = oci.DOCKER_LIST if docker else oci.OCI_INDEX
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_type}
    document["manifests"] = list(entries) if entries else [child.descriptor() for child in children]
    if annotations:
        document["annotations"] = dict(annotations)
    return Built(dump(document), media_type, children=tuple(children), annotations=dict(annotations or {}))


def with_attestations(images: Sequence[Built], statements: Mapping[str, Mapping[str, Any]]) -> Built:
    """An index as BuildKit pushes it: the images, then for each an attestation for the platform
    unknown/unknown. `statements` are in-toto predicates by type.
    """
    notes = [attestation(target, statements) for target in images]
    entries = [target.descriptor() for target in images]
    for target, note in zip(images, notes, strict=True):
        about = {REFERENCE_DIGEST: target.digest, REFERENCE_TYPE: "attestation-manifest"}
        entries.append(note.descriptor(annotations=about))
    return index([*images, *notes], entries=entries)


def attestation(target: Built, statements: Mapping[str, Mapping[str, Any]]) -> Built:
    """What BuildKit says about an image it made: an image for no platform whose layers are statements."""
    subject = {"name": "_", "digest": {"sha256": target.digest.hex}}
    layers = []
    for kind, predicate in statements.items():
        body = dump(
            {
                "_type": "https://in-toto.io/Statement/v0.1",
                "predicateType": kind,
                "subject": [subject],
                "predicate": dict(predicate),
            }
        )
        layers.append((oci.IN_TOTO, body, {"in-toto.io/predicate-type": kind}))
    where = {"architecture": "unknown", "os": "unknown"}
    diff_ids = [oci.Digest.of(body) for _, body, _ in layers]
    config = dump(where | {"config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}})
    return replace(manifest(oci.OCI_MANIFEST, (oci.OCI_CONFIG, config), layers), platform=where)


def artifact(
    artifact_type: str,
    files: Mapping[str, tuple[str, bytes]],
    *,
    annotations: Mapping[str, str] | None = None,
    subject: Built | None = None,
) -> Built:
    """An artifact with the empty config: files by name, each with its media type."""
    layers = [(kind, body, {"org.opencontainers.image.title": name}) for name, (kind, body) in files.items()]
    return manifest(
        oci.OCI_MANIFEST,
        (oci.EMPTY, b"{}"),
        layers,
        annotations,
        artifact_type=artifact_type,
        subject=subject,
    )


def chart(about: Mapping[str, Any], files: Mapping[str, bytes], *, created: str) -> Built:
    """A Helm chart as `helm push` makes it: the config is Chart.yaml as JSON."""
    annotations = {
        "org.opencontainers.image.created": created,
        "org.opencontainers.image.description": str(about["description"]),
        "org.opencontainers.image.title": str(about["name"]),
        "org.opencontainers.image.version": str(about["version"]),
    }
    package = squeeze(archive({f"{about['name']}/{path}": body for path, body in files.items()}))
    return manifest(
        oci.OCI_MANIFEST, (oci.HELM_CONFIG, dump(about)), [(oci.HELM_CHART, package, {})], annotations
    )


def signature(target: Built, reference: str) -> Built:
    """What `cosign sign` pushes under the tag `sha256-….sig`; no key exists that would verify it."""
    claim = dump(
        {
            "critical": {
                "identity": {"docker-reference": reference},
                "image": {"docker-manifest-digest": target.digest},
                "type": "cosign container image signature",
            },
            "optional": None,
        }
    )
    config = dump(
        {
            "architecture": "",
            "created": "0001-01-01T00:00:00Z",
            "history": [{"created": "0001-01-01T00:00:00Z"}],
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": [oci.Digest.of(claim)]},
            "config": {},
        }
    )
    signed = {"dev.cosignproject.cosign/signature": b64encode(noise(target.digest, 71)).decode()}
    return manifest(oci.OCI_MANIFEST, (oci.OCI_CONFIG, config), [(oci.COSIGN_SIGNATURE, claim, signed)])


def fallback(referrers: Sequence[Built]) -> Built:
    """The list of referrers that clients keep under the tag `sha256-…` where there is no referrers API."""
    entries = [
        referrer.descriptor(artifactType=referrer.artifact_type, annotations=dict(referrer.annotations))
        for referrer in referrers
    ]
    return index(referrers, entries=entries)
