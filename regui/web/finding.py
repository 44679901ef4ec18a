"""What the search page and the palette show: groups of what was found, a page of one or the first rows of
all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from regui.accounts import access
from regui.index import search
from regui.index.models import Blob, BlobUse, Repository, RepositoryQuerySet, Revision, Tag
from regui.index.search import find
from regui.index.search import rows as search_rows
from regui.web.paging import per_page

# How many rows a group shows beside others, on the page and in the palette.
FIRST, PALETTE = 10, 6
NAMES = {
    "repositories": "Repositories",
    "tags": "Tags",
    "manifests": "Digests",
    "layers": "Layers and configs",
}


@dataclass(frozen=True)
class Group:
    """One group of what was found. `page` holds rows, as many as are shown of it."""

    key: str
    name: str
    found: find.Found
    page: Page[Any]

    @property
    def count(self) -> str:
        """How many there are, as far as was counted."""
        if self.found.more:
            return f"more than {find.MOST:,}"
        return f"{len(self.found.keys):,}{' or more' if self.found.partly else ''}"

    @property
    def all(self) -> str:
        """What the group's own pages hold."""
        return f"{'The first' if self.found.more or self.found.partly else 'All'} {len(self.found.keys):,}"

    @property
    def rest(self) -> bool:
        """Whether there are more than are shown."""
        return len(self.found.keys) > len(self.page.object_list)


@dataclass(frozen=True)
class Finding:
    """What a query finds among the repositories that the actor may see; `only` is the one group asked for."""

    actor: access.Actor
    visible: RepositoryQuerySet
    query: search.Query
    params: Mapping[str, str]
    first: int = FIRST

    @property
    def only(self) -> str:
        asked = self.params.get("in", "")
        return asked if asked in NAMES else ""

    @property
    def groups(self) -> list[Group]:
        """The groups in which anything was found."""
        return [group for group in self.every if group.found.keys]

    @cached_property
    def every(self) -> list[Group]:
        """The groups in which anything was looked for."""
        return [self.group(key) for key in ([self.only] if self.only else NAMES)] if self.query else []

    def group(self, key: str) -> Group:
        found = self.found(key)
        size = per_page(self.params.get("per_page", "")) if self.only else self.first
        keys = Paginator(found.keys, size).get_page(self.params.get("page") if self.only else None)
        rows = self.rows(key, list(keys.object_list))
        by_key = {row.pk: row for row in rows}
        shown = [by_key[pk] for pk in keys.object_list if pk in by_key]
        return Group(key, NAMES[key], found, Page(shown, keys.number, keys.paginator))

    def rows(self, key: str, keys: Sequence[int]) -> Sequence[Any]:
        """What these keys stand for, in no order."""
        if key == "layers":
            whole = not keys or access.sees_everything(self.actor)
            return layers(keys, None if whole else self.visible)
        return list(LOAD[key](keys))

    def found(self, key: str) -> find.Found:
        now = timezone.now()
        match key:
            case "repositories":
                return find.repositories(self.visible, self.query, now)
            case "tags":
                return find.tags(self.visible, self.query, now)
            case "manifests":
                return find.revisions(self.visible, self.query, now)
            case _:
                return find.blobs(self.visible, self.query)

    @property
    def partly(self) -> bool:
        """Whether there may be more, since there was no time to look at all."""
        return any(group.found.partly for group in self.every)


def repositories(keys: Sequence[int]) -> list[Repository]:
    return list(Repository.objects.filter(pk__in=keys).select_related("registry"))


def tags(keys: Sequence[int]) -> list[Tag]:
    return list(Tag.objects.filter(pk__in=keys).select_related("manifest", "repository__registry"))


def manifests(keys: Sequence[int]) -> list[Revision]:
    """Manifests as their repositories hold them, each with `names`: some of the tags on it there."""
    rows = list(Revision.objects.filter(pk__in=keys).select_related("manifest", "repository__registry"))
    wanted = Q(pk__in=[])
    for row in rows:
        wanted |= Q(repository=row.repository_id, manifest=row.manifest_id)
    there: dict[tuple[int, int | None], list[str]] = {}
    for repository, manifest, name in (
        Tag.objects.listed()
        .filter(wanted)
        .values_list("repository_id", "manifest_id", "name")
        .order_by("name")
    ):
        there.setdefault((repository, manifest), []).append(name)
    for row in rows:
        row.names = there.get((row.repository_id, row.manifest_id), [])  # type: ignore[attr-defined]
    return rows


@dataclass(frozen=True)
class Layer:
    """A layer or config, and how many manifests that somebody may see use it: `more` when these are only the
    first."""

    blob: Blob
    config: bool
    users: int
    more: bool

    @property
    def pk(self) -> int:
        return self.blob.pk


def layers(keys: Sequence[int], among: RepositoryQuerySet | None = None) -> list[Layer]:
    """The blobs with those who use them, counted in these repositories if not in all."""
    found = []
    every = BlobUse.objects.order_by()
    if among is not None:
        held = search_rows.listed(among).filter(manifest=OuterRef("manifest"))
        every = every.filter(Exists(held))
    for blob in Blob.objects.filter(pk__in=keys):
        used = every.filter(blob=blob)
        uses = list(used.values_list("position", flat=True)[: find.MOST + 1])
        found.append(Layer(blob, 0 in uses[:1], min(len(uses), find.MOST), len(uses) > find.MOST))
    return found


LOAD: dict[str, Any] = {"repositories": repositories, "tags": tags, "manifests": manifests}
