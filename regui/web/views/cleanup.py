"""What is worth cleaning up, and what one would get for it."""

from django.http import HttpResponse

from regui.web import cleaning, htmx, whatif, wins
from regui.web.http import Request, read_only


@read_only
def index(request: Request, registry: str) -> HttpResponse:
    """Groups of tags that somebody may want gone, the dearest first, of what they may delete from."""
    row = cleaning.registry(request.actor, registry)
    page = wins.page(request, request.actor, row, wait=htmx.swapped(request) == "results")
    return htmx.render(request, "cleanup/insight.html", {"insight": page}, partials=["results"])


@read_only
def what_if(request: Request, registry: str) -> HttpResponse:
    """What would go if so many of the newest tags stayed, and what isn't older than so many days."""
    row = cleaning.registry(request.actor, registry)
    page = whatif.page(request, request.actor, row, wait=htmx.swapped(request) == "results")
    status = 422 if page.wrong else 200
    return htmx.render(request, "cleanup/what_if.html", {"what": page}, partials=["results"], status=status)
