"""What runs somewhere, as clusters and machines tell: nothing takes it away until that expires."""

from datetime import datetime
from typing import Self

from django.db import models


class Source(models.Model):
    """Somebody who tells which images run where they are: a cluster, a machine, a job."""

    name = models.CharField(max_length=64, unique=True)
    actor = models.CharField(max_length=150, help_text="who told it last")
    address = models.CharField(max_length=64, blank=True)
    told_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="until when that holds, unless it is told again")
    images = models.PositiveIntegerField(default=0, help_text="how many references were told")
    ignored = models.JSONField(default=list, help_text="the first of those that are of no registry here")
    ignored_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class InUseQuerySet(models.QuerySet["InUse"]):
    def holding(self, now: datetime) -> Self:
        """Those whose source has been heard of lately enough."""
        return self.filter(source__expires_at__gt=now)


class InUse(models.Model):
    """An image that a source says is running, by name. `digest` is what the reference says, else what the tag
    was on when it was told, empty while nobody knows; `since` is when this source first told of it."""

    source = models.ForeignKey(Source, models.CASCADE, db_index=False, related_name="uses")
    registry = models.CharField(max_length=32)
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=140, blank=True)
    since = models.DateTimeField()

    objects = InUseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "registry", "repository", "tag", "digest"], name="in_use_once"
            )
        ]
        indexes = [models.Index(fields=["registry", "repository"], name="in_use_repository")]
        ordering = ["registry", "repository", "tag", "digest"]
        verbose_name_plural = "in use"

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag or self.digest}"
