"""How the size of each digest in a list differs from that of the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject

from regui.index.models import Repository, Tag

# How many tags back one of the same platforms is looked for: a repository may take turns between some.
NEAR = 25
# Percent: builds of the same code differ by a few bytes.
NOTABLE = 0.1


@dataclass(frozen=True)
class Delta:
    """So many bytes more, or fewer, than what that tag is on; `percent` of its size."""

    bytes: int
    tag: str
    percent: float

    @property
    def sign(self) -> str:
        return "+" if self.bytes > 0 else "\N{MINUS SIGN}" if self.bytes else "±"

    @property
    def size(self) -> int:
        return abs(self.bytes)

    @property
    def kind(self) -> str:
        """Whether it is worth a look: `more` or `less`, and empty for what rounding hides."""
        return "" if abs(self.percent) < NOTABLE else "more" if self.bytes > 0 else "less"


def deltas(repository: Repository, tags: Sequence[Tag]) -> dict[int, Delta]:
    """By manifest: the difference to the digest before it in this repository, that is the latest of an
    earlier date, and of the same kind and platforms, that one of the `NEAR` tags before it is on. None where
    there is no such, or where a size isn't known. The tags' manifests must be loaded."""
    leads = {tag.manifest.pk: tag for tag in tags if tag.manifest and tag.manifest.size is not None}
    latest = ("-created_key", "manifest_id", "name")
    earlier = Tag.objects.visible().filter(
        repository=repository, created_key__gte=0, created_key__lt=OuterRef(OuterRef("created_key"))
    )
    like = Tag.objects.filter(
        pk__in=earlier.order_by(*latest).values("pk")[:NEAR],
        manifest__kind=OuterRef("manifest__kind"),
        manifest__platforms=OuterRef("manifest__platforms"),
    )
    found = like.order_by(*latest).values(found=JSONObject(tag="name", size="manifest__size"))[:1]
    rows = Tag.objects.filter(pk__in=[tag.pk for tag in leads.values()])
    before = rows.annotate(before=Subquery(found)).values_list("manifest_id", "manifest__size", "before")
    return {
        pk: Delta(size - one["size"], one["tag"], 100 * (size - one["size"]) / max(one["size"], 1))
        for pk, size, one in before
        if pk is not None and size is not None and one and one["size"] is not None
    }
