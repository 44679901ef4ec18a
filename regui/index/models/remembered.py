"""What no crawl can bring back, kept by name so that nothing a crawl can lose takes it along."""

from django.db import models
from django.db.models import Q


class TagMove(models.Model):
    """That a tag came, moved or left, by name: no crawl can bring this back, so nothing a crawl can lose may
    take it along. The tags of a registry's first fill have no move, only `Tag.first_seen_at`."""

    class How(models.TextChoices):
        CRAWL = "crawl"
        EVENT = "event"
        ACTION = "action"

    registry = models.CharField(max_length=32)
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128)
    before = models.CharField(max_length=140, blank=True, help_text="digest; empty when the tag came")
    after = models.CharField(max_length=140, blank=True, help_text="digest; empty when the tag left")
    at = models.DateTimeField(help_text="when it happened as an event says, else when it was noticed")
    since = models.DateTimeField(null=True, help_text="when the tag had come to `before`, as far as known")
    how = models.CharField(max_length=8, choices=How)
    actor = models.CharField(max_length=255, blank=True, help_text="who, when an event or an action says so")

    class Meta:
        indexes = [
            models.Index(fields=["registry", "repository", "-at"], name="move_of_repository"),
            models.Index(fields=["registry", "repository", "tag", "-at"], name="move_of_tag"),
        ]
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag} {self.before or 'nothing'} → {self.after or 'nothing'}"


class Event(models.Model):
    """A notification as it came in: stored first, applied after, kept for a while to tell duplicates."""

    registry = models.CharField(max_length=32)
    uid = models.CharField(max_length=128, help_text="the id the registry gave it")
    action = models.CharField(max_length=16)
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=140, blank=True)
    media_type = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField(help_text="the registry's own clock")
    actor = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=64, blank=True)
    method = models.CharField(max_length=8, blank=True)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "uid"], name="event_uid")]
        indexes = [
            models.Index(fields=["id"], name="event_waiting", condition=Q(applied_at=None)),
            models.Index(fields=["received_at"], name="event_received"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.repository}:{self.tag or self.digest}"


class PullCount(models.Model):
    """How often a tag, or a digest (with an empty tag), was pulled on a day, by name."""

    registry = models.CharField(max_length=32)
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=140, blank=True)
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "repository", "tag", "digest", "day"], name="pull_count_day"
            )
        ]
        indexes = [
            models.Index(fields=["digest", "day"], name="pull_count_digest"),
            models.Index(fields=["registry", "day"], name="pull_count_days"),
        ]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag or self.digest} {self.day}: {self.count}"


class Snapshot(models.Model):
    """What a registry, a namespace or a repository came to on a day, by name. `scope` is empty for the
    registry, `team/` for a namespace, `team/app` for a repository."""

    registry = models.CharField(max_length=32)
    scope = models.CharField(max_length=256, blank=True)
    day = models.DateField()
    size = models.PositiveBigIntegerField(help_text="bytes, each blob counted once within the scope")
    repositories = models.PositiveIntegerField()
    tags = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "scope", "day"], name="snapshot_day")]

    def __str__(self) -> str:
        return f"{self.registry}/{self.scope} {self.day}: {self.size}"
