"""A small index to look at, made of rows alone: no registry stands behind it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from regui import oci
from regui.index.models import (
    Blob,
    BlobUse,
    Child,
    Manifest,
    Registry,
    Repository,
    Revision,
    Tag,
)


@dataclass
class Shelf:
    """One repository and what is put into it, each thing by a short name that its digest is made of."""

    registry: Registry
    repository: Repository
    made: dict[str, Manifest] = field(default_factory=dict)

    @classmethod
    def new(cls, name: str = "team/app", registry: Registry | None = None) -> "Shelf":
        registry = registry or Registry.objects.create(
            name="main", url="http://127.0.0.1:1", pull_host="127.0.0.1:1"
        )
        now = timezone.now()
        return cls(
            registry, Repository.objects.create(registry=registry, name=name, first_seen_at=now, size=0)
        )

    def image(
        self,
        name: str,
        *,
        tags: Iterable[str] = (),
        blobs: dict[str, int] | None = None,
        kind: str = Manifest.Kind.IMAGE,
        subject: str = "",
        artifact_type: str = "",
    ) -> oci.Digest:
        """The digest of an image (or whatever `kind` says) that needs these blobs, by name with their
        sizes."""
        now = timezone.now()
        row, _ = Manifest.objects.get_or_create(
            registry=self.registry,
            digest=digest(name),
            defaults={
                "read_at": now,
                "kind": kind,
                "subject": digest(subject) if subject else "",
                "artifact_type": artifact_type,
                "size": sum((blobs or {}).values()),
            },
        )
        self.made[name] = row
        for position, (blob, size) in enumerate((blobs or {}).items()):
            part, _ = Blob.objects.get_or_create(
                registry=self.registry, digest=digest(blob), defaults={"size": size}
            )
            BlobUse.objects.get_or_create(manifest=row, blob=part, position=position)
        Revision.objects.create(repository=self.repository, manifest=row, first_seen_at=now)
        self.tag(name, *tags)
        return digest(name)

    def index(self, name: str, *children: str, tags: Iterable[str] = ()) -> oci.Digest:
        """The digest of an index of things already made."""
        self.image(name, tags=tags, kind=Manifest.Kind.INDEX)
        for position, child in enumerate(children):
            Child.objects.create(
                parent=self.made[name],
                manifest=self.made[child],
                position=position,
                platform=f"linux/{child}",
            )
        return digest(name)

    def tag(self, name: str, *tags: str) -> None:
        for tag in tags:
            Tag.objects.create(
                repository=self.repository,
                name=tag,
                manifest=self.made[name],
                folded=oci.companion(tag) is not None,
                first_seen_at=timezone.now(),
                seen_at=timezone.now(),
            )


def digest(name: str) -> oci.Digest:
    return oci.Digest.of(name.encode())
