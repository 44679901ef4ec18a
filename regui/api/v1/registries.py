"""Registries."""

from django.http import HttpResponse
from ninja import Router

from regui.accounts import access, hush
from regui.api.v1 import schemas
from regui.api.v1.asking import Request
from regui.api.v1.paging import USUAL, By, Cursor, Limit, page
from regui.index import sums, usage
from regui.index.models import Registry

router = Router(tags=["registries"])


@router.get("/registries", response=schemas.Page[schemas.Registry])
def list_registries(
    request: Request, response: HttpResponse, cursor: Cursor = "", limit: Limit = USUAL
) -> schemas.Page[schemas.Registry]:
    """The registries, by name."""
    rows = access.registries(request.actor).select_related("storage")
    paged = page(request, response, rows, [By("name")], cursor, limit)

    def told(row: Registry) -> schemas.Registry:
        if access.sees_all(request.actor, row):
            return schemas.Registry.of(row, getattr(row, "storage", None))
        return partly(request.actor, row)

    return schemas.Page(items=[told(row) for row in paged.rows], next=paged.next)


@router.get("/registries/{reg:registry}", response=schemas.Registry)
def get_registry(request: Request, registry: str) -> schemas.Registry:
    """One registry; the sums of a small one are brought up to date first."""
    row = access.registry(request.actor, registry)
    if access.sees_all(request.actor, row):
        return schemas.Registry.of(row, usage.storage(row))
    return partly(request.actor, row)


def partly(actor: access.Actor, row: Registry) -> schemas.Registry:
    """A registry of which the actor sees only some, with the sums of that."""
    found = sums.of(access.repositories(actor, row))
    return schemas.Registry.of_some(row, found, hush.doubt(actor, row))
