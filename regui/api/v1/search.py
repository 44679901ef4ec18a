"""The search across registries."""

from collections.abc import Callable, Sequence
from datetime import datetime
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
Only = Annotated[
    Literal["repositories", "tags", "manifests", "layers"] | None,
    Query(alias="in", description="one group alone"),
]


@router.get("/search", response=Found)
def search_everywhere(request: Request, q: Words, only: Only = None, limit: Limit = FIRST) -> Found:
    """What a query finds in all registries, group by group, the best first: up to `limit` of each, of a
    thousand at most that are counted."""
    query, now, visible = search.parse(q), timezone.now(), access.everywhere(request.actor)
    names: list[str] = [only] if only else [*GROUPS]
    found = {name: GROUPS[name](visible, query, now, limit) for name in names} if query else {}
    return Found(query=str(query), **found)


def group(found: find.Found, rows: QuerySet[T], of: Callable[[T], S], limit: int) -> Group[S]:
    """The first of what was found, in its order."""
    keys = found.keys[:limit]
    by_key = {row.pk: row for row in rows.filter(pk__in=keys)}
    items = [of(by_key[key]) for key in keys if key in by_key]
    return Group(items=items, count=len(found.keys), more=found.more, partly=found.partly)


def repositories(
    visible: RepositoryQuerySet, query: search.Query, now: datetime, limit: int
) -> Group[FoundRepository]:
    rows = Repository.objects.select_related("registry")
    return group(find.repositories(visible, query, now), rows, FoundRepository.of, limit)


def tags(visible: RepositoryQuerySet, query: search.Query, now: datetime, limit: int) -> Group[FoundTag]:
    rows = Tag.objects.select_related("manifest", "repository__registry")
    return group(find.tags(visible, query, now), rows, FoundTag.of, limit)


def manifests(
    visible: RepositoryQuerySet, query: search.Query, now: datetime, limit: int
) -> Group[FoundManifest]:
    found = find.revisions(visible, query, now)
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


def layers(visible: RepositoryQuerySet, query: search.Query, now: datetime, limit: int) -> Group[FoundBlob]:
    def of(row: Blob) -> FoundBlob:
        return FoundBlob(registry=row.registry.name, digest=str(row.digest), size=row.size)

    return group(find.blobs(visible, query), Blob.objects.select_related("registry"), of, limit)


GROUPS: dict[str, Callable[[RepositoryQuerySet, search.Query, datetime, int], Group[Any]]] = {
    "repositories": repositories,
    "tags": tags,
    "manifests": manifests,
    "layers": layers,
}
