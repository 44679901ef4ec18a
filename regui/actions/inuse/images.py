"""References to images as clusters and machines print them, and of which registry's repositories they speak.
Nothing here reads a database or a network."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from regui import oci
from regui.index.models import Registry

# The tag that is meant where a reference has neither a tag nor a digest.
LATEST = "latest"
DEFAULT_PORTS = {"http": 80, "https": 443}
# What runtimes put before a reference: docker-pullable://, docker://, containerd://.
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")
ID = re.compile(rf"(?:{oci.DIGEST}|[0-9a-f]{{64}})")
# What stands where the repository ends.
END = re.compile(r"@|:[^/@]*(?:@|$)")

# Why a reference is ignored.
IS_ID = "an image's ID, which says nothing of a repository"
NO_REFERENCE = "not a reference to an image"
ELSEWHERE = "of no registry here"
MAY_NOT = "not for you to tell"


@dataclass(frozen=True, order=True)
class Image:
    """What a reference means here. The digest is empty where it has none, the tag where it has only that."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""


class Ignored(ValueError):
    """A reference that locks nothing, with the reason."""


def stem(address: str) -> str:
    """What stands before a repository's name in references to this address: its host, port and path, in small
    letters, without the port that everybody takes for granted."""
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in {None, DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{host}{port}{parts.path.rstrip('/')}".lower()


def stems(registry: Registry) -> set[str]:
    """All that may stand before the names of this registry's repositories."""
    found = {stem(registry.url), explicit(registry.url)}
    if registry.pull_host not in {"", urlsplit(registry.url).netloc}:
        # Nobody says whether it is pulled from with TLS, but as good as everybody does.
        found |= {stem(f"https://{registry.pull_host}"), explicit(f"https://{registry.pull_host}")}
    return found


def explicit(address: str) -> str:
    """The same with the port, whatever it is."""
    parts = urlsplit(address)
    host, slash, path = stem(address).partition("/")
    known = parts.port or DEFAULT_PORTS.get(parts.scheme)
    bare = host.removesuffix(f":{known}")
    return f"{bare}:{known}{slash}{path}"


class Places:
    """The registries that a reference may be about, by what its text begins with."""

    def __init__(self, registries: Iterable[Registry]) -> None:
        pairs = {(one, row.name) for row in registries for one in stems(row)}
        # The longest first: one registry may lie below a path of another's host.
        self.stems = sorted(pairs, key=lambda pair: (-len(pair[0]), pair[1]))

    def read(self, text: str) -> Image:
        """What the reference means. Raises `Ignored`."""
        bare = SCHEME.sub("", text.strip(), count=1)
        if ID.fullmatch(bare):
            raise Ignored(IS_ID)
        ends = END.search(bare)
        path, rest = (bare[: ends.start()], bare[ends.start() :]) if ends else (bare, "")
        low = path.lower()
        for start, registry in self.stems:
            if low.startswith(f"{start}/"):
                return self.named(registry, f"{path[len(start) + 1 :]}{rest}")
        if not path or not path.isascii() or any(character.isspace() for character in bare):
            raise Ignored(NO_REFERENCE)
        raise Ignored(ELSEWHERE)

    def named(self, registry: str, text: str) -> Image:
        """What stands behind a registry's host."""
        try:
            found = oci.Reference.parse(text)
        except oci.InvalidName as error:
            raise Ignored(NO_REFERENCE) from error
        tag = found.tag or ("" if found.digest else LATEST)
        return Image(registry, found.repository, tag, found.digest)
