"""Manifests and configs byte for byte as a client writes them, but of layers that nobody stored.

Key order and white space follow BuildKit (OCI, indented by two) and `docker push` (schema 2, indented by
three). Each is about 4 KB of config and 1.5 KB of manifest, and tells a believable story.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from regui import oci

LAYERS = 8
PLATFORMS = (("linux", "amd64"), ("linux", "arm64"))
BASES = ("python:3.13-slim", "node:22-alpine", "debian:12", "golang:1.25", "eclipse-temurin:21", "nginx:1.29")
RELEASES = 20  # of each base, over the years
RUNS = (
    (
        "RUN /bin/sh -c set -eux; apt-get update; apt-get install -y --no-install-recommends "
        "ca-certificates netbase tzdata curl libpq5 libjemalloc2; apt-get dist-clean # buildkit"
    ),
    (
        'RUN /bin/sh -c set -eux; savedAptMark="$(apt-mark showmanual)"; wget -O src.tar.xz '
        "https://downloads.example.org/src/$VERSION/src-$VERSION.tar.xz; "
        'echo "$SHA256 *src.tar.xz" | sha256sum -c -; mkdir -p /usr/src/app; tar --extract --directory '
        "/usr/src/app --strip-components=1 --file src.tar.xz; "
        'make -j "$(nproc)" LDFLAGS="-Wl,--strip-all"; make install; rm -rf /usr/src/app; '
        "ldconfig # buildkit"
    ),
    "COPY requirements.txt constraints.txt ./ # buildkit",
    "RUN /bin/sh -c pip install --no-cache-dir --require-hashes -r requirements.txt # buildkit",
    "COPY --chown=app:app src/ ./src/ # buildkit",
    "RUN /bin/sh -c python -m compileall -q src && python -m src.manage collectstatic --noinput # buildkit",
    "COPY --from=assets /build/dist ./static # buildkit",
    "RUN /bin/sh -c useradd --system --uid 10001 --home-dir /app app && chown -R app:app /app # buildkit",
)
QUIET = (
    "ARG VERSION=4.2.1",
    "ENV LANG=C.UTF-8 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1",
    "WORKDIR /app",
    "LABEL maintainer=platform@example.org",
    "EXPOSE map[8080/tcp:{}]",
    "USER app",
    'ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]',
    'CMD ["python" "-m" "src.server" "--port" "8080"]',
)
EPOCH = datetime.fromisoformat("2022-01-01T00:00:00+00:00")
# Dates differ, and stay in the past.
PACE, TURNS = timedelta(hours=3), 12_000


@dataclass(frozen=True)
class Made:
    """A manifest, the blobs it needs that the registry is asked for, and the manifests below it."""

    body: bytes
    media_type: str
    configs: tuple[bytes, ...] = ()
    children: tuple["Made", ...] = ()

    @property
    def digest(self) -> str:
        return digest(self.body)


def digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def number(*seed: object) -> int:
    """A large number that looks like chance and is always the same for a seed."""
    return int.from_bytes(hashlib.blake2b(repr(seed).encode(), digest_size=8).digest())


def moment(seed: int) -> str:
    """A date of that image, in the nanoseconds that builders write."""
    at = EPOCH + PACE * (seed % TURNS)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{number('ns', seed) % 10**9:09d}Z"


def layers(seed: int, architecture: str) -> list[tuple[str, int]]:
    """Digest and bytes of eight layers: four of one of the bases, four of this image alone."""
    base = number("base", seed) % (len(BASES) * RELEASES)
    shared = [(base, architecture, at) for at in range(LAYERS // 2)]
    own = [(seed, architecture, "own", at) for at in range(LAYERS // 2)]
    return [
        (digest(repr(one).encode()), 300 + number(one) % (40_000_000 >> (at * 2)))
        for at, one in enumerate([*shared, *own])
    ]


def config(seed: int, system: str, architecture: str, repository: str) -> bytes:
    """An image's config of about 4 KB, compact and in BuildKit's order of keys."""
    created = moment(seed)
    steps = [{"created": created, "created_by": line, "comment": "buildkit.dockerfile.v0"} for line in RUNS]
    still: list[dict[str, Any]] = [
        {"created": created, "created_by": line, "comment": "buildkit.dockerfile.v0", "empty_layer": True}
        for line in QUIET
    ]
    revision = hashlib.sha1(str(seed).encode(), usedforsecurity=False).hexdigest()
    document = {
        "architecture": architecture,
        "config": {
            "User": "app",
            "ExposedPorts": {"8080/tcp": {}},
            "Env": [
                "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LANG=C.UTF-8",
                f"VERSION=4.{seed % 40}.{seed % 17}",
                f"GIT_REVISION={revision}",
            ],
            "Entrypoint": ["/usr/local/bin/entrypoint.sh"],
            "Cmd": ["python", "-m", "src.server", "--port", "8080"],
            "WorkingDir": "/app",
            "Labels": {
                "org.opencontainers.image.base.name": BASES[number("base", seed) % len(BASES)],
                "org.opencontainers.image.created": created,
                "org.opencontainers.image.revision": revision,
                "org.opencontainers.image.source": f"https://git.example.org/{repository}",
                "org.opencontainers.image.title": repository.rpartition("/")[2],
                "org.opencontainers.image.vendor": "Example",
                "org.opencontainers.image.version": f"4.{seed % 40}.{seed % 17}",
            },
        },
        "created": created,
        "history": [*still[:3], *steps, *still[3:]],
        "os": system,
        "rootfs": {
            "type": "layers",
            "diff_ids": [digest(f"diff {layer}".encode()) for layer, _ in layers(seed, architecture)],
        },
    }
    return json.dumps(document, separators=(",", ":")).encode()


def image(seed: int, repository: str, *, docker: bool = False, at: int = 0) -> Made:
    """An image for one platform, pushed by BuildKit or by `docker push`."""
    system, architecture = PLATFORMS[at]
    body = config(seed, system, architecture, repository)
    kinds = (
        (oci.DOCKER_MANIFEST, oci.DOCKER_CONFIG, oci.DOCKER_LAYER)
        if docker
        else (oci.OCI_MANIFEST, oci.OCI_CONFIG, oci.OCI_LAYER_GZIP)
    )
    document = {
        "schemaVersion": 2,
        "mediaType": kinds[0],
        "config": {"mediaType": kinds[1], "size": len(body), "digest": digest(body)}
        if docker
        else {"mediaType": kinds[1], "digest": digest(body), "size": len(body)},
        "layers": [
            {"mediaType": kinds[2], "size": size, "digest": one}
            if docker
            else {"mediaType": kinds[2], "digest": one, "size": size}
            for one, size in layers(seed, architecture)
        ],
    }
    return Made(json.dumps(document, indent=3 if docker else 2).encode(), kinds[0], (body,))


def attestation(target: Made) -> Made:
    """What BuildKit pushes beside an image: a manifest of one statement about how it was built."""
    statement = digest(b"provenance of " + target.body)
    empty = {
        "architecture": "unknown",
        "os": "unknown",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [statement]},
    }
    body = json.dumps(empty, separators=(",", ":")).encode()
    layer = {
        "mediaType": oci.IN_TOTO,
        "digest": statement,
        "size": 8_000 + number(statement) % 9_000,
        "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"},
    }
    document = {
        "schemaVersion": 2,
        "mediaType": oci.OCI_MANIFEST,
        "config": {"mediaType": oci.OCI_CONFIG, "digest": digest(body), "size": len(body)},
        "layers": [layer],
    }
    return Made(json.dumps(document, indent=2).encode(), oci.OCI_MANIFEST, (body,))


def index(seed: int, repository: str) -> Made:
    """An index of two platforms and an attestation for each, as `docker buildx build --push` makes it."""
    images = [image(seed, repository, at=at) for at in range(len(PLATFORMS))]
    notes = [attestation(one) for one in images]
    lines: list[dict[str, Any]] = [
        {
            "mediaType": one.media_type,
            "digest": one.digest,
            "size": len(one.body),
            "platform": {"architecture": architecture, "os": system},
        }
        for one, (system, architecture) in zip(images, PLATFORMS, strict=True)
    ]
    lines += [
        {
            "mediaType": note.media_type,
            "digest": note.digest,
            "size": len(note.body),
            "annotations": {
                "vnd.docker.reference.digest": one.digest,
                "vnd.docker.reference.type": "attestation-manifest",
            },
            "platform": {"architecture": "unknown", "os": "unknown"},
        }
        for one, note in zip(images, notes, strict=True)
    ]
    document = {"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": lines}
    return Made(json.dumps(document, indent=2).encode(), oci.OCI_INDEX, (), (*images, *notes))


def made(seed: int, repository: str) -> Made:
    """What the image of that number is: of five one is an index, one was pushed by `docker push`."""
    if seed % 5 == 2:
        return index(seed, repository)
    return image(seed, repository, docker=seed % 5 == 4)
