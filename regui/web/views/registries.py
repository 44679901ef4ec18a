"""The registries: with only one there is nothing to choose."""

from django.http import HttpResponse
from django.shortcuts import redirect

from regui.accounts import access
from regui.web import freshness, overview
from regui.web.connecting import Draft, Form
from regui.web.http import Request, read_only


@read_only
def index(request: Request) -> HttpResponse:
    """All registries with how they are; the only one's repositories straight away; how to set one up, if
    none."""
    access.look(request.actor, "the registries here")
    registries = list(access.registries(request.actor))
    if len(registries) == 1:
        return redirect("registry", registries[0].name)
    rows = overview.rows(request.actor, registries, freshness.max_age(request))
    reading = overview.reading(rows)
    state = [(row.registry.name, row.stats, row.reading.problem) for row in rows]
    may_add = request.actor.governs(access.Right.ADMIN)
    context = {
        "rows": rows,
        "reading": reading,
        "fresh": freshness.of(request, reading, state),
        "may_add": may_add,
        "draft": Draft(Form()) if may_add and not rows else None,
    }
    return freshness.render(request, "registries/index.html", context)
