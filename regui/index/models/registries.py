"""Registries, their repositories, and the runs that read them."""

from typing import Self
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q

from regui.index.models.ordering import by_key


class Registry(models.Model):
    """One registry. Rows follow the settings: a name that leaves them is hidden, never deleted."""

    name = models.CharField(max_length=32, unique=True)
    url = models.URLField(max_length=500)
    pull_host = models.CharField(max_length=255, blank=True)
    active = models.BooleanField(default=True)
    own = models.BooleanField(
        default=False, help_text="people show it credentials of their own, and see what those could list"
    )
    listed_at = models.DateTimeField(null=True, help_text="the last complete, error-free catalog")
    tried_at = models.DateTimeField(null=True, help_text="the last attempt at the catalog, good or bad")
    problem = models.TextField(blank=True, help_text="why the last attempt failed; empty when it worked")
    doubt = models.TextField(
        blank=True, help_text="why the last catalog isn't believed: nothing leaves until a person confirms it"
    )
    unlisted = models.TextField(
        blank=True, help_text="why there is no catalog to take names from; empty when there is one"
    )
    due_at = models.DateTimeField(null=True, help_text="when to list the catalog next; null means now")
    leased_until = models.DateTimeField(null=True, help_text="until when a worker has it to itself")
    names = models.TextField(
        blank=True, help_text="repositories that people named, one a line; the settings may name more"
    )
    events_token = models.CharField(
        max_length=64, blank=True, help_text="SHA-256, in hex, of the secret that regui made for its events"
    )
    events_at = models.DateTimeField(null=True, help_text="when the last event came in")
    events_since = models.DateTimeField(null=True, help_text="since when they come in without a known gap")
    capabilities = models.JSONField(
        default=dict,
        help_text='{"deletes": {"state": "no", "detail": …, "evidence": …, "at": …}, …}: what it can do, '
        "as it was found out",
    )
    examined_at = models.DateTimeField(null=True, help_text="when that was last asked; null means ask again")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "registries"

    def __str__(self) -> str:
        return self.name

    @property
    def host(self) -> str:
        """The host[:port] that goes before a repository's name."""
        return self.pull_host or urlsplit(self.url).netloc

    def can(self, what: str) -> str:
        """yes, no or unknown, as last found out; see `oci.examine` for what there is."""
        return str(self.capabilities.get(what, {}).get("state", "unknown"))

    @property
    def is_read_only(self) -> bool:
        """Whether it is known to take no change at all."""
        return self.can("writes") == "no"

    @property
    def keeps_all(self) -> bool:
        """Whether it is known to let nobody delete anything."""
        return self.is_read_only or self.can("deletes") == "no"


class RepositoryQuerySet(models.QuerySet["Repository"]):
    def listed(self) -> Self:
        """Repositories the registry still lists."""
        return self.filter(gone_at=None)

    def empty(self) -> Self:
        """Repositories without a tag: distribution goes on listing those for ever."""
        return self.filter(tags_key=0)

    def with_tags(self) -> Self:
        """Repositories that have tags, or may have."""
        return self.exclude(tags_key=0)

    def in_order(self, order: str) -> Self:
        """By `[-]name|created|size|tags`; what isn't known comes last either way, and the name settles
        ties."""
        key, descending = order.removeprefix("-"), order.startswith("-")
        if key == "name":
            return self.order_by(f"{'-' if descending else ''}name")
        return self.order_by(*by_key({"created": "changed_key"}.get(key, f"{key}_key"), descending), "name")


class Repository(models.Model):
    """A repository and the sums over what its tags reach, kept by the reading that last completed."""

    class Source(models.TextChoices):
        CATALOG = "catalog"
        HAND = "hand"
        EVENT = "event"
        OPENED = "opened"

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="repositories")
    name = models.CharField(max_length=255)
    first_seen_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True, help_text="the last complete tag listing")
    filled_at = models.DateTimeField(
        null=True, help_text="its first complete tag listing: what comes later is news"
    )
    tried_at = models.DateTimeField(null=True, help_text="the last attempt at the listing, good or bad")
    problem = models.TextField(blank=True)
    gone_at = models.DateTimeField(null=True, help_text="since when complete listings lack it")
    doubt = models.TextField(blank=True, help_text="why the last listing isn't believed, as on Registry")
    due_at = models.DateTimeField(null=True, help_text="when to read it next; null means now")
    leased_until = models.DateTimeField(null=True, help_text="until when a worker has it to itself")
    source = models.CharField(
        max_length=8,
        choices=Source,
        default=Source.CATALOG,
        help_text="how regui learnt its name; a catalog outranks the others",
    )
    # Sums over visible (not folded) tags; null means not read yet, never zero.
    tag_count = models.PositiveIntegerField(null=True)
    size = models.PositiveBigIntegerField(null=True, help_text="bytes, each blob counted once")
    unique_size = models.PositiveBigIntegerField(
        null=True, help_text="of these, bytes that no tag of another repository reaches"
    )
    changed_at = models.DateTimeField(null=True, help_text="the newest created date among its images")
    platforms = models.JSONField(default=list, help_text='["linux/amd64", …], most common first')
    kind = models.CharField(max_length=16, blank=True, help_text="Manifest.Kind of its newest tag")
    description = models.CharField(max_length=300, blank=True)
    # What lists are ordered by, so that a page of ten thousand is read off an index; -1 is unknown.
    changed_key = models.BigIntegerField(default=-1, help_text="changed_at in seconds since 1970")
    size_key = models.BigIntegerField(default=-1)
    tags_key = models.BigIntegerField(default=-1)
    unsettled_at = models.DateTimeField(
        null=True, help_text="since when sums over several repositories may lack what became of this one"
    )

    objects = RepositoryQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "name"], name="repository_name")]
        indexes = [
            *(
                models.Index(
                    fields=["registry", f"-{key}_key", "name"],
                    name=f"repository_by_{key}",
                    condition=Q(gone_at=None),
                )
                for key in ("changed", "size", "tags")
            ),
            models.Index(
                fields=["registry"], name="repository_unsettled", condition=Q(unsettled_at__isnull=False)
            ),
            models.Index(fields=["registry", "due_at"], name="repository_due"),
        ]
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.name

    @property
    def is_doubted(self) -> bool:
        """Whether the registry's word that something isn't there proves nothing now: its lists are not
        believed, as those of one without its disk aren't. The registry's row must be loaded."""
        return bool(self.doubt or self.registry.doubt)

    @property
    def shared_size(self) -> int | None:
        """Bytes, of its size, that tags of other repositories reach too; None while that isn't known."""
        if self.size is None or self.unique_size is None:
            return None
        return max(self.size - self.unique_size, 0)  # the sum was taken a moment later than the other

    @property
    def shared_percent(self) -> int | None:
        """How much of its size that is, in whole percent, never 0 for something nor 100 for less than all."""
        if not self.size or self.shared_size is None:
            return None
        percent = 100 * self.shared_size / self.size
        return (
            max(round(percent), 1) if percent < 50 else min(round(percent), 99 if self.unique_size else 100)
        )


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
