"""Tags."""

from datetime import datetime
from itertools import chain
from typing import Self

from django.db import models
from django.db.models import Q, QuerySet

from regui.index.models.manifests import Manifest
from regui.index.models.ordering import by_key
from regui.index.models.registries import Repository

# Keys of `Tag.created_key` and `Tag.size_key` for what has no value: after all that has, in falling order.
UNKNOWN, UNREAD = -1, -2
# How many rows are read at a time where all of a repository's are.
CHUNK = 2_000


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

    def releases(self) -> Self:
        """Tags whose name is a version and nothing else."""
        return self.filter(release=True)

    def newest_first(self) -> Self:
        """By date, unknown dates and unread tags last, tags of one digest side by side."""
        return self.grouped("-created")

    def grouped(self, order: str) -> Self:
        """By `[-]created|size`, the tags of one digest always side by side; tags nothing is known of last in
        either direction, by name."""
        return self.order_by(
            *by_key(f"{order.removeprefix('-')}_key", order.startswith("-")), "manifest_id", "name"
        )

    def keys_in_groups(self, order: str) -> QuerySet["Tag", int] | list[int]:
        """The keys in the order of `grouped`, or by `[-]name`: then a digest stands where the first of its
        tags does. Filter before, not after: groups are made of the rows there are."""
        if order.removeprefix("-") != "name":
            return self.grouped(order).values_list("pk", flat=True)
        # The database would sort all tags twice; an index has them in order, and one pass makes the groups.
        sign = "-" if order.startswith("-") else ""
        rows = self.order_by(f"{sign}name_key", f"{sign}manifest_id", f"{sign}pk")
        groups: dict[int, list[int]] = {}
        unread: list[int] = []
        for pk, manifest in rows.values_list("pk", "manifest_id").iterator(CHUNK):
            (unread if manifest is None else groups.setdefault(manifest, [])).append(pk)
        return [*chain.from_iterable(groups.values()), *unread]


class Tag(models.Model):
    """A tag and the manifest it was last seen on; null when the listing named it and nothing was read yet."""

    repository = models.ForeignKey(Repository, models.CASCADE, db_index=False, related_name="tags")
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

    name_key = models.BinaryField(default=b"", help_text="versions.name_key of its name")
    release = models.BooleanField(default=False, help_text="versions.is_release of its name")

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
            models.Index(
                fields=["repository", "name_key", "manifest"],
                name="tag_by_name",
                condition=Q(gone_at=None, folded=False),
            ),
            # For searches alone: what was pulled, and what is signed.
            models.Index(fields=["pulled_at"], name="tag_pulled", condition=Q(pulled_at__isnull=False)),
            models.Index(fields=["repository"], name="tag_folded", condition=Q(folded=True)),
        ]

    def __str__(self) -> str:
        return f"{self.repository}:{self.name}"
