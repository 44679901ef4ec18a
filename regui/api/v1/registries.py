"""Registries."""

from django.http import HttpResponse
from ninja import Router

from regui.accounts import access
from regui.api.v1 import schemas
from regui.api.v1.asking import Request
from regui.api.v1.paging import USUAL, By, Cursor, Limit, page
from regui.index import usage

router = Router(tags=["registries"])


@router.get("/registries", response=schemas.Page[schemas.Registry])
def list_registries(
    request: Request, response: HttpResponse, cursor: Cursor = "", limit: Limit = USUAL
) -> schemas.Page[schemas.Registry]:
    """The registries, by name."""
    rows = access.registries(request.actor).select_related("storage")
    paged = page(request, response, rows, [By("name")], cursor, limit)
    items = [schemas.Registry.of(row, getattr(row, "storage", None)) for row in paged.rows]
    return schemas.Page(items=items, next=paged.next)


@router.get("/registries/{reg:registry}", response=schemas.Registry)
def get_registry(request: Request, registry: str) -> schemas.Registry:
    """One registry; the sums of a small one are brought up to date first."""
    row = access.registry(request.actor, registry)
    return schemas.Registry.of(row, usage.storage(row))
