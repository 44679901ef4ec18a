"""What the demo's images are made of: a few layers that many share, dates, labels."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from regui.demo import images
from regui.demo.images import Built, Layer

KB = 1000
LAST_RELEASE = datetime(2026, 11, 19, 9, 41, 7, tzinfo=UTC)
SOURCE, SPDX = "https://git.kitewerk.example", "https://spdx.dev/Document"
PROVENANCE = "https://slsa.dev/provenance/v0.2"
# How large the layers of the base images are, in bytes.
DEBIAN = {"linux/amd64": 2600 * KB, "linux/arm64": 2400 * KB, "linux/arm/v7": 2100 * KB}
PYTHON = {"linux/amd64": 1700 * KB, "linux/arm64": 1600 * KB, "linux/arm/v7": 1400 * KB}


@dataclass(frozen=True)
class Push:
    """One manifest and the tags it goes under, in order."""

    tags: tuple[str, ...]
    built: Built


def when(weeks: float) -> str:
    """The date so many weeks before the last release, as images carry it."""
    return (LAST_RELEASE - timedelta(weeks=weeks)).isoformat().replace("+00:00", "Z")


def labels(repository: str, version: str, title: str, description: str) -> dict[str, str]:
    return {
        "org.opencontainers.image.title": title,
        "org.opencontainers.image.description": description,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.source": f"{SOURCE}/{repository}",
        "org.opencontainers.image.vendor": "Kitewerk",
    }


@cache
def debian(platform: str) -> Layer:
    body = images.noise(f"debian {platform}", DEBIAN[platform])
    files = {"etc/debian_version": b"12.11\n", "bin/busybox": body}
    return images.layer("/bin/sh -c #(nop) ADD file:6d1c5a0b7e in / ", files)


@cache
def python(platform: str) -> Layer:
    body = images.noise(f"python {platform}", PYTHON[platform])
    return images.layer(
        "RUN /bin/sh -c set -eux; apt-get update; apt-get install -y --no-install-recommends python3; "
        "rm -rf /var/lib/apt/lists/* # buildkit",
        {"usr/local/bin/python3.13": body},
    )


@cache
def node() -> Layer:
    return images.layer(
        "/bin/sh -c ARCH=x64 && curl -fsSLO --compressed node-v22.11.0-linux-x64.tar.xz "
        "&& tar -xJf node-v22.11.0-linux-x64.tar.xz -C /usr/local --strip-components=1",
        {"usr/local/bin/node": images.noise("node 22", 3100 * KB)},
    )


def program(name: str, version: str, size: int, command: str = "COPY . /app # buildkit") -> Layer:
    """A layer with a program of about that many bytes, another one for each version."""
    return images.layer(
        command,
        {
            f"app/{name}/VERSION": version.encode(),
            f"app/{name}/bin/{name}": images.noise(f"{name} {version}", size),
        },
    )


def provenance(repository: str, version: str) -> dict[str, object]:
    return {
        "builder": {"id": f"{SOURCE}/builds"},
        "buildType": "https://mobyproject.org/buildkit@v1",
        "invocation": {"configSource": {"uri": f"{SOURCE}/shop/{repository}", "entryPoint": "Dockerfile"}},
        "metadata": {"reproducible": False, "buildInvocationID": version},
    }
