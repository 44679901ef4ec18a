"""Tags."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Case, F, Max, Min, Q, Value, When, Window
from django.db.models.functions import Coalesce

from regui.index.models.manifests import Manifest
from regui.index.models.ordering import by_key
from regui.index.models.registries import Repository

# Keys of `Tag.created_key` and `Tag.size_key` for what has no value: after all that has, in falling order.
UNKNOWN, UNREAD = -1, -2


def ordering_keys(size: int | None, created_at: datetime | None) -> tuple[int, int]:
    """`created_key` and `size_key` of tags on a manifest of that size and date."""
    created = UNKNOWN if created_at is None else max(int(created_at.timestamp()), 0)
    return created, UNKNOWN if size is None else size


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
        if key != "name":
            return self.order_by(*by_key(f"{key}_key", descending), "manifest_id", "name")
        # A tag without a manifest is a group of its own; row numbers are positive, so minus one is free.
        group = Coalesce("manifest_id", F("id") * Value(-1))
        lead = Window(Max("name") if descending else Min("name"), partition_by=group)
        unread = Case(When(manifest=None, then=Value(1)), default=Value(0))
        sign = "-" if descending else ""
        return self.annotate(lead=lead).order_by(unread, f"{sign}lead", "manifest_id", f"{sign}name")


class Tag(models.Model):
    """A tag and the manifest it was last seen on; null when the listing named it and nothing was read yet."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128)
    manifest = models.ForeignKey(Manifest, models.RESTRICT, null=True, related_name="tags")
    folded = models.BooleanField(default=False, help_text="a signature, attestation, SBOM or fallback tag")
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, help_text="when the registry last confirmed its digest")
    gone_at = models.DateTimeField(null=True, help_text="since when complete listings lack it")
    missed = models.PositiveSmallIntegerField(
        default=0, help_text="how many complete listings in a row have lacked it"
    )
    problem = models.TextField(blank=True, help_text="why it can't be read, when it is listed but broken")
    pulled_at = models.DateTimeField(null=True, help_text="the last pull by an event; null: none known")
    # What lists are ordered by, so that a page of ten thousand tags is read off an index.
    created_key = models.BigIntegerField(
        default=UNREAD, help_text="its manifest's date in seconds since 1970, else UNKNOWN or UNREAD"
    )
    size_key = models.BigIntegerField(
        default=UNREAD, help_text="its manifest's bytes, else UNKNOWN or UNREAD"
    )

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="tag_name")]
        indexes = [
            models.Index(fields=["repository"], name="tag_unread", condition=Q(seen_at=None, gone_at=None)),
            models.Index(
                fields=["repository", "-created_key", "manifest", "name"],
                name="tag_by_created",
                condition=Q(gone_at=None, folded=False),
            ),
            models.Index(
                fields=["repository", "-size_key", "manifest", "name"],
                name="tag_by_size",
                condition=Q(gone_at=None, folded=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository}:{self.name}"
