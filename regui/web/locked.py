"""Why a tag and the manifest it is on may not be touched, for their page."""

from dataclasses import dataclass
from functools import cached_property

from regui.actions import guard
from regui.actions.plans import Protected
from regui.index.models import Manifest, Repository


@dataclass(frozen=True)
class Locked:
    """What protects a manifest, and the tag through which it is seen, if any. A part of the page that doesn't
    ask costs no query."""

    repository: Repository
    manifest: Manifest
    name: str = ""

    @cached_property
    def locks(self) -> guard.Locks:
        names = [self.name] if self.name else []
        return guard.locks(self.repository, tags=names, digests=[self.manifest.digest])

    @property
    def tag(self) -> Protected | None:
        """Why the tag can't be taken away or moved."""
        return self.locks.on_tag(self.name, self.manifest.digest) if self.name else None

    @property
    def digest(self) -> Protected | None:
        """Why the digest can't be deleted."""
        return self.locks.on_digest(self.manifest.digest)

    @property
    def any(self) -> Protected | None:
        return self.tag or self.digest
