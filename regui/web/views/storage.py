"""What takes the space in a registry."""

from django.http import HttpResponse

from regui.accounts import access
from regui.web import htmx, storage
from regui.web.http import Request, read_only


@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """Sizes over time, by namespace and repository, and the layers behind them."""
    row = access.registry(request.actor, registry)
    overview = storage.of(request, request.actor, row)
    context = {"overview": overview, "storage": overview.storage, "page": overview.page}
    return htmx.render(request, "storage/index.html", context, partials=["results"])
