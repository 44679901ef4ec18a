"""Manifests and what they are made of: children, blobs, and the repositories that hold them.

There are many of these rows, so a foreign key has no index of its own where a constraint's begins with it."""

import json
from typing import Any, Self

from django.db import models
from django.db.models import Q

from regui import oci
from regui.index import packing
from regui.index.models.digests import DigestField
from regui.index.models.registries import Registry, Repository


class ManifestQuerySet(models.QuerySet["Manifest"]):
    def read(self) -> Self:
        """Manifests whose bytes we have, not only their digest."""
        return self.exclude(read_at=None)


class Manifest(models.Model):
    """A manifest by digest. With `read_at` null it is only known by name, from an index or a subject."""

    class Kind(models.TextChoices):
        IMAGE = "image"
        INDEX = "index"
        ARTIFACT = "artifact"
        HELM = "helm"
        ATTESTATION = "attestation"
        LEGACY = "schema1"

    registry = models.ForeignKey(Registry, models.CASCADE, db_index=False, related_name="manifests")
    digest = models.CharField(max_length=140)
    read_at = models.DateTimeField(null=True)
    kind = models.CharField(max_length=16, choices=Kind, blank=True)
    media_type = models.CharField(max_length=255, blank=True)
    artifact_type = models.CharField(max_length=255, blank=True)
    subject = models.CharField(max_length=140, blank=True, help_text="digest this one refers to")
    size = models.PositiveBigIntegerField(
        null=True, help_text="bytes of all blobs it needs, each counted once; null while a part is unread"
    )
    created_at = models.DateTimeField(
        null=True, help_text="as the image says; null when it says nothing sane"
    )
    platform = models.CharField(max_length=100, blank=True, help_text="os/architecture[/variant]")
    platforms = models.JSONField(default=list, help_text="for an index those of its images, else its own")
    labels = models.JSONField(default=dict, help_text="config labels and manifest annotations")

    objects = ManifestQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "digest"], name="manifest_digest")]
        indexes = [
            models.Index(fields=["registry", "subject"], name="manifest_subject", condition=~Q(subject="")),
        ]

    def __str__(self) -> str:
        return self.digest

    @property
    def document(self) -> oci.Document:
        """The manifest itself, parsed from the bytes we keep; `Manifest.content.RelatedObjectDoesNotExist`
        when it was never read."""
        return oci.parse(self.content.manifest, self.media_type)


class Content(models.Model):
    """A manifest's bytes, and what is kept of its config, both packed: apart from `Manifest` so that lists of
    a thousand rows don't drag them along."""

    row = models.OneToOneField(Manifest, models.CASCADE, primary_key=True, related_name="content")
    manifest_deflated = models.BinaryField()
    config_deflated = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return str(self.row)

    @property
    def manifest(self) -> bytes:
        return packing.unpacked(self.manifest_deflated)

    @property
    def config_bytes(self) -> bytes:
        """What is kept of the config, see `configs`; empty when there is none, or it was no JSON object."""
        return packing.unpacked(self.config_deflated) if self.config_deflated else b""

    @property
    def config(self) -> dict[str, Any]:
        """The same as JSON; empty when there is none."""
        return dict(json.loads(self.config_bytes)) if self.config_deflated else {}


class Child(models.Model):
    """One entry of an index."""

    parent = models.ForeignKey(Manifest, models.CASCADE, db_index=False, related_name="children")
    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="parents")
    position = models.PositiveIntegerField()
    platform = models.CharField(max_length=100, blank=True)
    annotations = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["parent", "position"], name="child_position")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.parent} [{self.position}]"


class Blob(models.Model):
    """A config or a layer, once per registry however many manifests use it."""

    registry = models.ForeignKey(Registry, models.CASCADE, db_index=False, related_name="blobs")
    digest = DigestField()
    size = models.PositiveBigIntegerField(
        null=True, help_text="bytes, compressed, as the manifest says; null when it says nothing sane"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "digest"], name="blob_digest")]

    def __str__(self) -> str:
        return str(self.digest)


class BlobUse(models.Model):
    """That a manifest needs a blob: position 0 is the config, 1… are the layers."""

    manifest = models.ForeignKey(Manifest, models.CASCADE, db_index=False, related_name="blob_uses")
    blob = models.ForeignKey(Blob, models.CASCADE, related_name="uses")
    position = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["manifest", "position"], name="blob_use_position")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.manifest} uses {self.blob}"


class RevisionQuerySet(models.QuerySet["Revision"]):
    def held(self) -> Self:
        """What repositories hold, as far as the registry has not said otherwise."""
        return self.filter(gone_at=None)


class Revision(models.Model):
    """That a repository holds a manifest, tagged or not: the only list of untagged manifests there is,
    since no registry API enumerates them."""

    repository = models.ForeignKey(Repository, models.CASCADE, db_index=False, related_name="revisions")
    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="revisions")
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, help_text="when the registry last answered that it is there")
    referrers_at = models.DateTimeField(null=True, help_text="when its referrers were last listed")
    gone_at = models.DateTimeField(null=True, help_text="when the registry answered that it isn't there")
    loose = models.BooleanField(
        default=True,
        help_text="whether no tag may lead to it; so, or not so, since its repository was summed up",
    )

    objects = RevisionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "manifest"], name="revision")]
        indexes = [
            models.Index(fields=["repository"], name="revision_loose", condition=Q(loose=True)),
            models.Index(fields=["-gone_at"], name="revision_gone", condition=Q(gone_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.repository}@{self.manifest}"
