"""The search across registries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone
from ninja import Query, Router

from regui.accounts import access
from regui.api.v1.asking import Request
from regui.api.v1.found import Found, FoundBlob, FoundManifest, FoundTag, Group
from regui.api.v1.paging import Limit
from regui.api.v1.repositories import Words
from regui.api.v1.schemas import Repository as FoundRepository
from regui.index import search
from regui.index.models import Blob, Repository, RepositoryQuerySet, Revision, Tag
from regui.index.search import find

T = TypeVar("T", bound=Model)
S = TypeVar("S")

router = Router(tags=["search"])

FIRST = 10


@dataclass(frozen=True)
class Seen:
    """What somebody sees."""

    actor: access.Actor

    @cached_property
    def repositories(self) -> RepositoryQuerySet:
        return access.everywhere(self.actor)


Only = Annotated[
    Literal["repositories", "tags", "manifests", "layers"] | None,
    Query(alias="in", description="one group alone"),
]


@router.get("/search", response=Found)
def search_everywhere(request: Request, q: Words, only: Only = None, limit: Limit = FIRST) -> Found:
    """What a query finds in all registries, group by group, the best first: up to `limit` of each, of a
    thousand at most that are counted."""
    query, now, seen = search.parse(q), timezone.now(), Seen(request.actor)
    names: list[str] = [only] if only else [*GROUPS]
    found = {name: GROUPS[name](seen, query, now, limit) for name in names} if query else {}
    return Found(query=str(query), **found)


def group(found: find.Found, rows: QuerySet[T], of: Callable[[T], S], limit: int) -> Group[S]:
    """The first of what was found, in its order."""
    keys = found.keys[:limit]
    by_key = {row.pk: row for row in rows.filter(pk__in=keys)}
    items = [of(by_key[key]) for key in keys if key in by_key]
    return Group(items=items, count=len(found.keys), more=found.more, partly=found.partly)


def repositories(seen: Seen, query: search.Query, now: datetime, limit: int) -> Group[FoundRepository]:
    rows = Repository.objects.select_related("registry")

    def of(row: Repository) -> FoundRepository:
        return FoundRepository.of(row, seen.actor)

    return group(find.repositories(seen.repositories, query, now), rows, of, limit)


def tags(seen: Seen, query: search.Query, now: datetime, limit: int) -> Group[FoundTag]:
    rows = Tag.objects.select_related("manifest", "repository__registry")
    return group(find.tags(seen.repositories, query, now), rows, FoundTag.of, limit)


def manifests(seen: Seen, query: search.Query, now: datetime, limit: int) -> Group[FoundManifest]:
    found = find.revisions(seen.repositories, query, now)
    keys = found.keys[:limit]
    rows = Revision.objects.select_related("manifest", "repository__registry")
    names = names_on(list(rows.filter(pk__in=keys)))

    def of(row: Revision) -> FoundManifest:
        return FoundManifest(
            registry=row.repository.registry.name,
            repository=row.repository.name,
            digest=row.manifest.digest,
            kind=row.manifest.kind,
            media_type=row.manifest.media_type,
            size=row.manifest.size,
            tags=names.get((row.repository_id, row.manifest_id), []),
        )

    return group(found, rows, of, limit)


def names_on(rows: Sequence[Revision]) -> dict[tuple[int, int], list[str]]:
    """The tags on manifests where their repositories hold them, by both keys."""
    tags_ = Tag.objects.listed().filter(
        repository__in={row.repository_id for row in rows}, manifest__in={row.manifest_id for row in rows}
    )
    found: dict[tuple[int, int], list[str]] = {}
    for repository, manifest, name in tags_.order_by("name").values_list(
        "repository_id", "manifest_id", "name"
    ):
        found.setdefault((repository, manifest or 0), []).append(name)
    return found


def layers(seen: Seen, query: search.Query, now: datetime, limit: int) -> Group[FoundBlob]:
    def of(row: Blob) -> FoundBlob:
        return FoundBlob(registry=row.registry.name, digest=str(row.digest), size=row.size)

    return group(find.blobs(seen.repositories, query), Blob.objects.select_related("registry"), of, limit)


GROUPS: dict[str, Callable[[Seen, search.Query, datetime, int], Group[Any]]] = {
    "repositories": repositories,
    "tags": tags,
    "manifests": manifests,
    "layers": layers,
}
