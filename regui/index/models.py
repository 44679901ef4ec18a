"""The index: what regui remembers of registries.

Everything here but `Registry` can be dropped and brought back by a crawl, save the moments things were first
seen. What a crawl can't bring back (the journal) lives in `regui.actions` and refers to these rows by name.

A manifest is kept once per registry, since its digest says all there is to say about it; which repositories hold
it is a `Revision`, the registry's own word for it. A tag points at a manifest and says when that was last seen.
"""

import json
import zlib
from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from regui import oci


class Registry(models.Model):
    """One registry. Rows follow the settings: a name that leaves them is hidden, never deleted."""

    name = models.CharField(max_length=32, unique=True)
    url = models.URLField(max_length=500)
    pull_host = models.CharField(max_length=255, blank=True)
    active = models.BooleanField(default=True)
    listed_at = models.DateTimeField(null=True, help_text="the last complete, error-free catalog")
    tried_at = models.DateTimeField(null=True, help_text="the last attempt at the catalog, good or bad")
    problem = models.TextField(blank=True, help_text="why the last attempt failed; empty when it worked")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "registries"

    def __str__(self) -> str:
        return self.name


class RepositoryQuerySet(models.QuerySet["Repository"]):
    def listed(self) -> Self:
        """Repositories the registry still lists."""
        return self.filter(gone_at=None)


class Repository(models.Model):
    """A repository and the sums over what its tags reach, kept by the reading that last completed."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="repositories")
    name = models.CharField(max_length=255)
    first_seen_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True, help_text="the last complete tag listing")
    tried_at = models.DateTimeField(null=True, help_text="the last attempt at the listing, good or bad")
    problem = models.TextField(blank=True)
    gone_at = models.DateTimeField(null=True, help_text="since when complete listings lack it")
    # Sums over visible (not folded) tags; null means not read yet, never zero.
    tag_count = models.PositiveIntegerField(null=True)
    size = models.PositiveBigIntegerField(null=True, help_text="bytes, each blob counted once")
    changed_at = models.DateTimeField(null=True, help_text="the newest created date among its images")
    platforms = models.JSONField(default=list, help_text='["linux/amd64", …], most common first')
    kind = models.CharField(max_length=16, blank=True, help_text="Manifest.Kind of its newest tag")
    description = models.CharField(max_length=300, blank=True)

    objects = RepositoryQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "name"], name="repository_name")]
        indexes = [
            models.Index(fields=["registry", "size"], name="repository_size"),
            models.Index(fields=["registry", "changed_at"], name="repository_changed"),
        ]
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.name


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

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="manifests")
    digest = models.CharField(max_length=140)
    read_at = models.DateTimeField(null=True)
    kind = models.CharField(max_length=16, choices=Kind, blank=True)
    media_type = models.CharField(max_length=255, blank=True)
    artifact_type = models.CharField(max_length=255, blank=True)
    subject = models.CharField(max_length=140, blank=True, help_text="digest this one refers to")
    size = models.PositiveBigIntegerField(
        null=True, help_text="bytes of all blobs it needs, each counted once; null while a part is unread"
    )
    created_at = models.DateTimeField(null=True, help_text="as the image says; null when it says nothing sane")
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
    """A manifest's bytes, and its image config's, both deflated: apart from `Manifest` so that lists of a
    thousand rows don't drag them along."""

    row = models.OneToOneField(Manifest, models.CASCADE, primary_key=True, related_name="content")
    manifest_deflated = models.BinaryField()
    config_deflated = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return str(self.row)

    @property
    def manifest(self) -> bytes:
        return zlib.decompress(self.manifest_deflated)

    @property
    def config(self) -> dict[str, Any]:
        """The config as JSON; empty when there is none, or it was not JSON."""
        return dict(json.loads(zlib.decompress(self.config_deflated))) if self.config_deflated else {}


class Child(models.Model):
    """One entry of an index."""

    parent = models.ForeignKey(Manifest, models.CASCADE, related_name="children")
    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="parents")
    position = models.PositiveSmallIntegerField()
    platform = models.CharField(max_length=100, blank=True)
    annotations = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["parent", "position"], name="child_position")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.parent} [{self.position}]"


class Blob(models.Model):
    """A config or a layer, once per registry however many manifests use it."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="blobs")
    digest = models.CharField(max_length=140)
    size = models.PositiveBigIntegerField(help_text="bytes, compressed, as the manifest says")
    media_type = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "digest"], name="blob_digest")]

    def __str__(self) -> str:
        return self.digest


class BlobUse(models.Model):
    """That a manifest needs a blob: position 0 is the config, 1… are the layers."""

    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="blob_uses")
    blob = models.ForeignKey(Blob, models.CASCADE, related_name="uses")
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["manifest", "position"], name="blob_use_position")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.manifest} uses {self.blob}"


class Revision(models.Model):
    """That a repository holds a manifest, tagged or not: the only list of untagged manifests there is, since no
    registry API enumerates them."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="revisions")
    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="revisions")
    first_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, help_text="when the registry answered that it isn't there")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "manifest"], name="revision")]

    def __str__(self) -> str:
        return f"{self.repository}@{self.manifest}"


class TagQuerySet(models.QuerySet["Tag"]):
    def listed(self) -> Self:
        """Tags the registry still lists."""
        return self.filter(gone_at=None)

    def visible(self) -> Self:
        """Listed tags a person means: signatures, attestations and fallback tags are shown with their subject."""
        return self.listed().filter(folded=False)

    def newest_first(self) -> Self:
        """By date, unknown dates and unread tags last, tags of one digest side by side."""
        return self.order_by(F("manifest__created_at").desc(nulls_last=True), "manifest__digest", "name")


class Tag(models.Model):
    """A tag and the manifest it was last seen on; null when the listing named it and nothing was read yet."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128)
    manifest = models.ForeignKey(Manifest, models.PROTECT, null=True, related_name="tags")
    folded = models.BooleanField(default=False, help_text="a signature, attestation, SBOM or fallback tag")
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, help_text="when the registry last confirmed its digest")
    gone_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, help_text="why it can't be read, when it is listed but broken")

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="tag_name")]

    def __str__(self) -> str:
        return f"{self.repository}:{self.name}"


class Sync(models.Model):
    """One run of `regui sync`: what it did, and which repositories failed."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="syncs")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    repositories = models.PositiveIntegerField(default=0)
    tags = models.PositiveIntegerField(default=0)
    manifests = models.PositiveIntegerField(default=0, help_text="newly fetched")
    requests = models.PositiveIntegerField(default=0)
    failures = models.JSONField(default=list, help_text='[{"repository": …, "problem": …}, …]')
    problem = models.TextField(blank=True, help_text="why the run as a whole failed")

    class Meta:
        ordering = ["-started_at"]
        get_latest_by = "started_at"

    def __str__(self) -> str:
        return f"{self.registry} {self.started_at:%Y-%m-%d %H:%M}"
