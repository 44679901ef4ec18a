"""What runs somewhere of a registry, and who tells that."""

from django.http import HttpResponse

from regui.accounts import access
from regui.web import forms, htmx, running
from regui.web.http import Request, read_only
from regui.web.paging import paginate


@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """The sources, and what they say is running of the repositories that who asks may see."""
    row = access.registry(request.actor, registry)
    wanted = forms.wanted(request.GET, (), "")
    page = paginate(request, running.found(request.actor, row, wanted.q))
    context = {
        "page": page,
        "rows": [running.Row(one) for one in page],
        "wanted": wanted,
        "sources": running.sources(request.actor, row),
        "teaching": running.Teaching(row, request.build_absolute_uri("/").rstrip("/")),
    }
    return htmx.render(request, "cleanup/in_use.html", context, partials=["results"])
