"""What was deleted from a registry, and the way to get it back."""

from django.http import HttpResponse

from regui.accounts import access
from regui.web import forms, htmx, trash
from regui.web.http import Request, read_only
from regui.web.paging import paginate


@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """What was deleted, by whom and when, and whether it can be restored, latest first; of the repositories
    that who asks may see."""
    row = access.registry(request.actor, registry)
    wanted = forms.wanted(request.GET, (), "")
    page = paginate(request, trash.items(request.actor, row, wanted.q))
    rows = trash.rows(request.actor, row, list(page))
    context = {
        "rows": rows,
        "page": page,
        "wanted": wanted,
        "may_restore": any(one.may for one in rows),
        "may_look": request.actor.may(access.Right.DELETE, row.name),
        "waiting": trash.waiting(row),
    }
    return htmx.render(request, "trash/index.html", context, partials=["results"])
