"""Small images for tests, and the way they get into a registry.

The builders are the demo's; here are the ones that tests want: tiny, each different from the last.
"""

import itertools
from collections.abc import Mapping, Sequence

from regui import oci
from regui.demo import images
from regui.demo.images import Built

CREATED = "2026-03-04T05:06:07.891234567Z"
_numbers = itertools.count(1)


def image(
    *,
    layers: Sequence[bytes] | None = None,
    created: str | None = CREATED,
    platform: str = "linux/amd64",
    labels: Mapping[str, str] | None = None,
    docker: bool = False,
) -> Built:
    """An image of one layer for each of `layers`; without any given, of one layer that no other image has."""
    bodies = layers if layers is not None else [f"layer {next(_numbers)}".encode()]
    history = [images.layer(f"COPY {len(body)} bytes", {"file": body}) for body in bodies]
    return images.image(history, created=created, platform=platform, labels=labels, docker=docker)


def index(
    platforms: Sequence[str] = ("linux/amd64", "linux/arm64"), *, docker: bool = False, attested: bool = False
) -> Built:
    """An index of an image for each platform, with BuildKit's attestations if wanted."""
    children = [image(platform=platform, docker=docker) for platform in platforms]
    if attested:
        return images.with_attestations(children, {"https://slsa.dev/provenance/v0.2": {}})
    return images.index(children, docker=docker)


def artifact(artifact_type: str = "application/vnd.example.note", *, subject: Built | None = None) -> Built:
    """An artifact with the empty config, about `subject` if one is given."""
    body = f"note {next(_numbers)}".encode()
    return images.artifact(artifact_type, {"note.txt": ("text/plain", body)}, subject=subject)


def push(client: oci.Client, repository: str, built: Built, tags: Sequence[str] = ()) -> oci.Digest:
    """Push blobs, children and the manifest, under those tags or, without any, by its digest alone."""
    for body in built.blobs:
        client.push_blob(repository, body)
    for child in built.children:
        push(client, repository, child)
    for reference in tags or (built.digest,):
        client.put_manifest(repository, reference, built.body, built.media_type)
    return built.digest
