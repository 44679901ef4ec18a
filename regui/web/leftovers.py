"""What a repository still holds, or held, beside its tags: manifests that no tag leads to, and tags that
have gone."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.paginator import Page
from django.db.models import QuerySet

from regui.index.models import Child, Repository, Revision, Tag
from regui.web.catalog import namespace

UNTAGGED, GONE = "untagged", "gone"


def untagged(repository: Repository) -> QuerySet[Revision]:
    """What regui has seen in the repository, is still held as far as it knows, and no tag, index or subject
    there leads to; latest seen first. No registry lists these, so there may be more."""
    held = Revision.objects.held().filter(repository=repository)
    tagged = repository.tags.listed().exclude(manifest=None).values("manifest")
    inside = Child.objects.filter(parent__in=held.values("manifest")).values("manifest")
    loose = held.exclude(manifest__in=tagged).exclude(manifest__in=inside)
    alone = loose.exclude(manifest__subject__in=held.values("manifest__digest"))
    return alone.select_related("manifest").order_by("-first_seen_at", "-pk")


def gone(repository: Repository) -> QuerySet[Tag]:
    """Tags that the registry stopped listing of late; those gone for good stand in the history."""
    rows = repository.tags.exclude(gone_at=None).filter(folded=False)
    return rows.select_related("manifest").order_by("-gone_at", "name")


def rows(repository: Repository, show: str) -> QuerySet[Any]:
    """One or the other, of a repository that has a row."""
    return untagged(repository) if show == UNTAGGED else gone(repository)


@dataclass(frozen=True)
class Leftovers:
    """What the page shows. `held` are the digests among gone tags' that are still there to be opened."""

    repository: Repository
    show: str
    page: Page[Any]

    @property
    def namespace(self) -> str:
        return namespace(self.repository.name)

    @cached_property
    def held(self) -> set[str]:
        if self.show != GONE:
            return set()
        ids = [row.manifest_id for row in self.page if row.manifest_id]
        held = Revision.objects.held().filter(repository=self.repository, manifest__in=ids)
        return set(held.values_list("manifest__digest", flat=True))
