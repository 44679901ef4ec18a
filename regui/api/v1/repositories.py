"""Repositories, and the history of one."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as midnight
from typing import Annotated, Literal

from django.http import Http404, HttpResponse
from ninja import Query, Router

from regui.accounts import access, hush
from regui.api.v1 import schemas
from regui.api.v1.asking import Request
from regui.api.v1.paging import USUAL, By, Cursor, Limit, Paged, order, page
from regui.index import fetch, history, search
from regui.index.models import Registry, Repository

router = Router(tags=["repositories"])

KEYS = {"name": "name", "created": "changed_key", "size": "size_key", "tags": "tags_key"}
Sort = Literal["name", "-name", "created", "-created", "size", "-size", "tags", "-tags"]
Words = Annotated[str, Query(description="in the search language, see docs/search.md")]
Refresh = Annotated[bool, Query(description="ask the registry first, for two seconds at most")]

# Older than anything: asks only for what was never read.
EVER = timedelta(days=365_000)


def age(*, refresh: bool) -> timedelta:
    """How old what is remembered may be."""
    return timedelta() if refresh else EVER


@router.get("/registries/{reg:registry}/repositories", response=schemas.ReadPage[schemas.Repository])
def list_repositories(
    request: Request,
    response: HttpResponse,
    registry: str,
    q: Words = "",
    sort: Sort = "name",
    refresh: Refresh = False,
    cursor: Cursor = "",
    limit: Limit = USUAL,
) -> schemas.ReadPage[schemas.Repository]:
    """A registry's repositories that the query lets through."""
    row = access.registry(request.actor, registry)
    found = search.repositories(access.repositories(request.actor, row), search.parse(q))

    def paged() -> Paged[Repository]:
        rows = found.select_related("registry")
        return page(request, response, rows, order(sort, KEYS, "name"), cursor, limit)

    shown, reading = paged(), fetch.Reading(row.listed_at, problem=row.problem)
    if refresh or not is_read(row, shown):
        shown, reading = read(row, paged, age(refresh=refresh))
    reading = hush.reading(request.actor, row, reading)
    return schemas.ReadPage(
        items=[schemas.Repository.of(one, request.actor) for one in shown.rows],
        next=shown.next,
        as_of=reading.as_of,
        problem=reading.problem,
        hint=reading.hint,
    )


def is_read(registry: Registry, shown: Paged[Repository]) -> bool:
    """Whether the registry was listed, or can't be, and each of these repositories was, or can't be."""
    known = registry.listed_at is not None or bool(registry.unlisted)
    return known and all(one.tag_count is not None or one.problem for one in shown.rows)


def read(
    registry: Registry, paged: Callable[[], Paged[Repository]], max_age: timedelta
) -> tuple[Paged[Repository], fetch.Reading]:
    """The page once the registry's list was read, and the tags of the repositories on it, for as long as a
    page may wait; and how that went."""
    deadline = time.monotonic() + fetch.BUDGET
    reading = fetch.catalog(registry, budget=fetch.BUDGET / 2, max_age=max_age)
    left = max(deadline - time.monotonic(), 0)
    rows = fetch.repositories(paged().rows, budget=left, max_age=max_age)
    return paged(), reading if reading.problem or not rows.problem else rows


@router.get("/registries/{reg:registry}/repositories/{repo:name}", response=schemas.Repository)
def get_repository(
    request: Request, registry: str, name: str, refresh: Refresh = False
) -> schemas.Repository:
    """One repository; read first if it never was."""
    repository = access.repository(request.actor, access.registry(request.actor, registry), name)
    reading = fetch.repository(repository, max_age=age(refresh=refresh))
    found = schemas.Repository.of(repository, request.actor)
    found.problem = found.problem or reading.problem
    return found


@router.get(
    "/registries/{reg:registry}/repositories/{repo:name}/-/history", response=schemas.Page[schemas.Move]
)
def list_history(
    request: Request,
    response: HttpResponse,
    registry: str,
    name: str,
    q: Words = "",
    since: Annotated[date | None, Query(description="not before that day, in UTC")] = None,
    cursor: Cursor = "",
    limit: Limit = USUAL,
) -> schemas.Page[schemas.Move]:
    """When a repository's tags came, moved and left, newest first. What is remembered outlives it."""
    repository = access.repository(request.actor, access.registry(request.actor, registry), name)
    begin = datetime.combine(since, midnight(), UTC) if since else None
    moves = history.of_repository(repository, history.Wanted(search.parse(q, search.NAMED), begin))
    shown = page(request, response, moves, [By("at", falling=True), By("pk", falling=True)], cursor, limit)
    if repository.pk is None and not (shown.rows or q or since or cursor):
        raise Http404(f"Nothing is known of a repository named {name}.")
    return schemas.Page(items=[schemas.Move.of(row) for row in shown.rows], next=shown.next)
