"""The index: what regui remembers of registries.

Everything here but `Registry` can be dropped and brought back by a crawl, save the moments things were first
seen. What a crawl can't bring back (the journal) lives in `regui.actions` and refers to these rows by name.

A manifest is kept once per registry, since its digest says all there is to say about it; which repositories
hold it is a `Revision`, the registry's own word for it. A tag points at a manifest and says when that was
last seen."""

import json
import zlib
from typing import Any, Self

from django.db import models
from django.db.models import Case, F, Max, Min, OrderBy, Q, Value, When, Window
from django.db.models.functions import Coalesce

from regui import oci


def known_first(column: str, *, descending: bool) -> OrderBy:
    """That column's order, with the rows that have no value for it last in either direction."""
    return F(column).desc(nulls_last=True) if descending else F(column).asc(nulls_last=True)


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

    def in_order(self, order: str) -> Self:
        """By `[-]name|created|size|tags`; what isn't known comes last either way, and the name settles
        ties."""
        key, descending = order.removeprefix("-"), order.startswith("-")
        if key == "name":
            return self.order_by(f"{'-' if descending else ''}name")
        column = {"created": "changed_at", "size": "size", "tags": "tag_count"}[key]
        return self.order_by(known_first(column, descending=descending), "name")


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
    def config_bytes(self) -> bytes:
        """The config as it came; empty when there is none, or it was no JSON object."""
        return zlib.decompress(self.config_deflated) if self.config_deflated else b""

    @property
    def config(self) -> dict[str, Any]:
        """The config as JSON; empty when there is none, or it was no JSON object."""
        return dict(json.loads(self.config_bytes)) if self.config_deflated else {}


class Child(models.Model):
    """One entry of an index."""

    parent = models.ForeignKey(Manifest, models.CASCADE, related_name="children")
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

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="blobs")
    digest = models.CharField(max_length=140)
    size = models.PositiveBigIntegerField(
        null=True, help_text="bytes, compressed, as the manifest says; null when it says nothing sane"
    )
    media_type = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "digest"], name="blob_digest")]

    def __str__(self) -> str:
        return self.digest


class BlobUse(models.Model):
    """That a manifest needs a blob: position 0 is the config, 1… are the layers."""

    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="blob_uses")
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

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="revisions")
    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="revisions")
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, help_text="when the registry last answered that it is there")
    referrers_at = models.DateTimeField(null=True, help_text="when its referrers were last listed")
    gone_at = models.DateTimeField(null=True, help_text="when the registry answered that it isn't there")

    objects = RevisionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "manifest"], name="revision")]

    def __str__(self) -> str:
        return f"{self.repository}@{self.manifest}"


class TagQuerySet(models.QuerySet["Tag"]):
    def listed(self) -> Self:
        """Tags the registry still lists."""
        return self.filter(gone_at=None)

    def visible(self) -> Self:
        """Listed tags a person means: signatures, attestations and fallback tags are shown with their
        subject."""
        return self.listed().filter(folded=False)

    def newest_first(self) -> Self:
        """By date, unknown dates and unread tags last, tags of one digest side by side."""
        return self.grouped("-created")

    def grouped(self, order: str) -> Self:
        """By `[-]name|created|size`, the tags of one digest always side by side.

        Sorted by name, a digest stands where the first of its tags does. Tags nothing is known of come last
        in either direction, by name. Filter before, not after: groups are made of the rows there are.
        """
        key, descending = order.removeprefix("-"), order.startswith("-")
        unread = Case(When(manifest=None, then=Value(1)), default=Value(0))
        if key == "name":
            # A tag without a manifest is a group of its own; row numbers are positive, so minus one is free.
            group = Coalesce("manifest_id", F("id") * Value(-1))
            lead = Window(Max("name") if descending else Min("name"), partition_by=group)
            sign = "-" if descending else ""
            return self.annotate(lead=lead).order_by(unread, f"{sign}lead", "manifest_id", f"{sign}name")
        column = {"created": "manifest__created_at", "size": "manifest__size"}[key]
        return self.order_by(unread, known_first(column, descending=descending), "manifest_id", "name")


class Tag(models.Model):
    """A tag and the manifest it was last seen on; null when the listing named it and nothing was read yet."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128)
    manifest = models.ForeignKey(Manifest, models.RESTRICT, null=True, related_name="tags")
    folded = models.BooleanField(default=False, help_text="a signature, attestation, SBOM or fallback tag")
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, help_text="when the registry last confirmed its digest")
    gone_at = models.DateTimeField(null=True, help_text="since when complete listings lack it")
    problem = models.TextField(blank=True, help_text="why it can't be read, when it is listed but broken")

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="tag_name")]
        indexes = [
            models.Index(fields=["repository"], name="tag_unread", condition=Q(seen_at=None, gone_at=None)),
        ]

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
