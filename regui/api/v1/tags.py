"""Tags."""

from datetime import timedelta
from typing import Annotated, Literal

from django.conf import settings
from django.http import HttpResponse
from ninja import Query, Router

from regui.accounts import access
from regui.api.v1 import manifests, schemas
from regui.api.v1.asking import Request
from regui.api.v1.paging import USUAL, Cursor, Limit, Paged, order, page
from regui.api.v1.repositories import Refresh, Words, age
from regui.index import fetch, search
from regui.index.models import Repository, Tag, TagQuerySet

router = Router(tags=["tags"])

KEYS = {"name": "name_key", "created": "created_key", "size": "size_key"}
Sort = Literal["name", "-name", "created", "-created", "size", "-size"]
Releases = Annotated[bool, Query(description="only those whose name is a version")]
PLACE = "/registries/{reg:registry}/repositories/{repo:name}/-/tags"


@router.get(PLACE, response=schemas.ReadPage[schemas.Tag])
def list_tags(
    request: Request,
    response: HttpResponse,
    registry: str,
    name: str,
    q: Words = "",
    releases: Releases = False,
    sort: Sort = "name",
    refresh: Refresh = False,
    cursor: Cursor = "",
    limit: Limit = USUAL,
) -> schemas.ReadPage[schemas.Tag]:
    """A repository's tags that the query lets through, without those that clients keep for signatures and the
    like. By name, versions stand in their order. What never was read is read first, as far as time allows."""
    repository = access.repository(request.actor, access.registry(request.actor, registry), name)
    query = search.parse(q)

    def paged() -> Paged[Tag]:
        rows = search.tags(tags_of(repository, releases=releases), query).select_related("manifest")
        return page(request, response, rows, order(sort, KEYS, "name"), cursor, limit)

    shown, reading = paged(), fetch.remembered(repository)
    if refresh or not is_read(repository, shown):
        names = [tag.name for tag in shown.rows]
        reading = fetch.repository(repository, first=lambda: names, max_age=age(refresh=refresh))
        shown = paged()
    return schemas.ReadPage(
        items=[schemas.Tag.of(tag) for tag in shown.rows],
        next=shown.next,
        as_of=reading.as_of,
        problem=reading.problem,
        hint=reading.hint,
    )


def tags_of(repository: Repository, *, releases: bool) -> TagQuerySet:
    # A repository without a row has no tags yet.
    visible = Tag.objects.filter(repository=repository).visible() if repository.pk else Tag.objects.none()
    return visible.releases() if releases else visible


def is_read(repository: Repository, shown: Paged[Tag]) -> bool:
    """Whether the repository was listed, and each of these tags was read, or can't be."""
    return repository.listed_at is not None and all(tag.seen_at or tag.problem for tag in shown.rows)


@router.get(f"{PLACE}/{{tag:tag}}", response=schemas.Manifest)
def get_tag(
    request: Request, registry: str, name: str, tag: str, refresh: Refresh = False
) -> schemas.Manifest:
    """The manifest that a tag is on, asked of the registry unless it confirmed that within
    REGUI_STALE_AFTER."""
    repository = access.repository(request.actor, access.registry(request.actor, registry), name)
    max_age = timedelta() if refresh else settings.STALE_AFTER
    return manifests.told(repository, tag, max_age, tag)
