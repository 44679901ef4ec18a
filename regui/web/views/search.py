"""The search over everything someone may see; its palette part answers while one types."""

from django.http import HttpResponse

from regui.accounts import access
from regui.web import finding, forms, htmx
from regui.web.http import Request, read_only


@read_only
def page(request: Request) -> HttpResponse:
    """What the words find, group by group; what can be asked, without any."""
    access.look(request.actor, "the registries here")
    wanted = forms.wanted(request.GET, (), "")
    swapped = htmx.swapped(request)
    first = finding.PALETTE if swapped == "palette-found" else finding.FIRST
    visible = access.everywhere(request.actor)
    found = finding.Finding(request.actor, visible, wanted.query, request.GET, first)
    context = {"wanted": wanted, "finding": found}
    return htmx.render(request, "search/index.html", context, partials=["results", "palette-found"])
