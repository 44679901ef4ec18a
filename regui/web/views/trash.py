"""What was deleted from a registry, and the way to get it back."""

from django.http import HttpResponse

from regui.accounts import access
from regui.web import forms, htmx, trash
from regui.web.http import Request, read_only
from regui.web.paging import paginate


@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """What was deleted, by whom and when, and whether it can be restored, latest first."""
    row = access.registry(request.actor, registry)
    wanted = forms.wanted(request.GET, (), "")
    page = paginate(request, trash.items(row, wanted.q))
    context = {
        "rows": trash.rows(row, list(page)),
        "page": page,
        "wanted": wanted,
        "may_restore": request.actor.ever(access.Right.DELETE),
        "waiting": trash.waiting(row),
    }
    return htmx.render(request, "trash/index.html", context, partials=["results"])
