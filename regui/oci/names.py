"""References: repositories, tags and digests, and the tags that are about another manifest.

Grammar: the distribution specification, "Pulling manifests"; the image specification's descriptor, "Digests".
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal, Self

from regui.oci.errors import InvalidName

# Unanchored sources, for URL converters too. A first part may be a host, as the registry's own router allows.
COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
REPOSITORY = rf"(?:{LABEL}(?:\.{LABEL})*(?::[0-9]+)?/)?{COMPONENT}(?:/{COMPONENT})*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
DIGEST = r"(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})"

MAX_REPOSITORY = 255
REPOSITORY_RE, TAG_RE, DIGEST_RE = re.compile(REPOSITORY), re.compile(TAG), re.compile(DIGEST)
COMPANION_RE = re.compile(r"sha256-([0-9a-f]{64})(?:\.(sig|att|sbom))?")

Role = Literal["referrers", "signature", "attestation", "sbom"]
ROLES: dict[str | None, Role] = {
    None: "referrers",
    "sig": "signature",
    "att": "attestation",
    "sbom": "sbom",
}


class Digest(str):
    """`sha256:<hex>`, or the same with sha384 or sha512: a text that has been checked."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The digest that the text is; InvalidName when it is none whose content could be verified."""
        if not isinstance(text, str) or not DIGEST_RE.fullmatch(text):
            raise InvalidName(f"{text!r:.200} is not a digest.")
        return cls(text)

    @classmethod
    def of(cls, body: bytes, algorithm: str = "sha256") -> Self:
        """The digest of these bytes."""
        return cls(f"{algorithm}:{hashlib.new(algorithm, body, usedforsecurity=False).hexdigest()}")

    @property
    def algorithm(self) -> str:
        return self.partition(":")[0]

    @property
    def hex(self) -> str:
        return self.partition(":")[2]

    @property
    def short(self) -> str:
        """The first 12 hex digits: enough to tell digests apart on a page."""
        return self.hex[:12]


def is_digest(reference: str) -> bool:
    """Whether the reference is a digest rather than a tag (a tag can't hold a colon)."""
    return DIGEST_RE.fullmatch(reference) is not None


def check_repository(name: str) -> str:
    """The name itself; InvalidName when no registry could have a repository called that."""
    if len(name) > MAX_REPOSITORY or not REPOSITORY_RE.fullmatch(name):
        raise InvalidName(f"{name!r:.200} can't be the name of a repository.")
    return name


def check_tag(name: str) -> str:
    """The tag itself; InvalidName when no registry could have a tag called that."""
    if not TAG_RE.fullmatch(name):
        raise InvalidName(f"{name!r:.200} can't be a tag.")
    return name


def check_reference(reference: str) -> str:
    """A tag or a digest as it is; InvalidName for anything else."""
    return Digest.parse(reference) if ":" in reference else check_tag(reference)


@dataclass(frozen=True)
class Reference:
    """What `team/app`, `team/app:1.0`, `team/app@sha256:…` or `team/app:1.0@sha256:…` names; the tag and the
    digest are empty where there is none."""

    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """What the text names; InvalidName when a part of it can't be what it stands for."""
        name, at, digest = text.partition("@")
        # A colon before a slash belongs to a host's port.
        path, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            path, colon, tag = name, "", ""
        return cls(
            check_repository(path),
            check_tag(tag) if colon else "",
            Digest.parse(digest) if at else "",
        )

    def __str__(self) -> str:
        tag, digest = self.tag and f":{self.tag}", self.digest and f"@{self.digest}"
        return f"{self.repository}{tag}{digest}"


def referrers_tag(digest: Digest) -> str:
    """The tag under which clients keep the list of what refers to a digest where the registry has no
    referrers API (distribution specification, "Referrers Tag Schema"; a longer hash is cut to 64 digits)."""
    return f"{digest.algorithm}-{digest.hex[:64]}"


@dataclass(frozen=True)
class Companion:
    """What a tag such as `sha256-<hex>.sig` is about."""

    subject: Digest
    role: Role


def companion(tag: str) -> Companion | None:
    """What the tag is about by its name: a fallback list of referrers, or cosign's signature, attestation or
    SBOM; None for a tag that stands for itself."""
    match = COMPANION_RE.fullmatch(tag)
    return Companion(Digest(f"sha256:{match[1]}"), ROLES[match[2]]) if match else None
