"""The commands that fetch something, for the tools people have."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from regui.index.models import Manifest, Registry

Kind = Manifest.Kind


@dataclass(frozen=True)
class Command:
    """What to type, and for which tool."""

    tool: str
    text: str


def host(registry: Registry) -> str:
    """The host[:port] that goes before a repository's name."""
    return registry.host


def is_plain(registry: Registry) -> bool:
    """Whether the pull host speaks plain HTTP. One that was set by hand may stand behind TLS; it is trusted
    to."""
    return registry.url.startswith("http://") and host(registry) == urlsplit(registry.url).netloc


def needs_insecure(registry: Registry) -> bool:
    """Whether Docker must be told to speak plain HTTP: everywhere but on this machine, which it trusts
    (127.0.0.0/8)."""
    if not is_plain(registry):
        return False
    name = urlsplit(registry.url).hostname or ""
    try:
        return not ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name != "localhost"


def primary(registry: Registry, repository: str, kind: str, reference: str) -> str:
    """The one command a page's head shows. `reference` is :tag or @digest."""
    return next(each(registry, repository, kind, reference)).text


def commands(registry: Registry, repository: str, kind: str, reference: str) -> list[Command]:
    """The commands for the tools that can fetch this kind; `reference` is :tag or @digest."""
    return list(each(registry, repository, kind, reference))


def each(registry: Registry, repository: str, kind: str, reference: str) -> Iterator[Command]:
    """The same one by one, the usual first."""
    name = f"{host(registry)}/{repository}"
    plain = is_plain(registry)
    if kind == Kind.HELM:
        yield from helm(name, reference, plain=plain)
    elif kind not in {Kind.ARTIFACT, Kind.ATTESTATION}:
        yield Command("docker", f"docker pull {name}{reference}")
        yield Command("podman", f"podman pull {'--tls-verify=false ' * plain}{name}{reference}")
    if kind in {Kind.HELM, Kind.ARTIFACT, Kind.ATTESTATION}:
        yield Command("oras", f"oras pull {'--plain-http ' * plain}{name}{reference}")
    yield Command(
        "skopeo",
        f"skopeo copy {'--src-tls-verify=false ' * plain}docker://{name}{reference} oci:{leaf(repository)}",
    )
    if kind != Kind.HELM:
        yield Command("crane", f"crane pull {'--insecure ' * plain}{name}{reference} {leaf(repository)}.tar")


def push(registry: Registry, repository: str = "app") -> str:
    """How to push an image to that repository."""
    return f"docker push {host(registry)}/{repository}:latest"


def tag(registry: Registry, repository: str = "app") -> str:
    """How to give a local image the name to push it by."""
    return f"docker tag app:latest {host(registry)}/{repository}:latest"


def helm(name: str, reference: str, *, plain: bool) -> list[Command]:
    """Helm fetches by version only; the + of a version is a _ in its tag."""
    if not reference.startswith(":"):
        return []
    version = reference[1:].replace("_", "+")
    return [Command("helm", f"helm pull oci://{name} --version {version}{' --plain-http' * plain}")]


def leaf(repository: str) -> str:
    """The last part of a repository's name, for files made from it."""
    return repository.rpartition("/")[2]
