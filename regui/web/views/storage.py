"""What takes the space in a registry."""

from django.http import HttpResponse

from regui.accounts import access
from regui.web import htmx, storage
from regui.web.http import Request, read_only


@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """Sizes over time, by namespace and repository, and the layers behind them; to who sees only some of
    the registry, the sizes of that."""
    row = access.registry(request.actor, registry)
    if not access.sees_all(request.actor, row):
        seen = storage.Seen(row, access.repositories(request.actor, row))
        return htmx.render(request, "storage/seen.html", {"seen": seen})
    overview = storage.of(request, request.actor, row)
    context = {"overview": overview, "storage": overview.storage, "page": overview.page}
    return htmx.render(request, "storage/index.html", context, partials=["results"])
