"""The journal of access: who came in, and what was done to who may do what."""

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.cache import never_cache

from regui.accounts import access, audit
from regui.web import entries, htmx
from regui.web.entries import Row, Wanted
from regui.web.http import Request, read_only
from regui.web.paging import by_key


@never_cache
@read_only
def index(request: Request) -> HttpResponse:
    """The entries, newest first, as CSV too."""
    access.audits(request.actor)
    wanted = Wanted.read(request.GET.dict())
    found = audit.found(wanted.who, wanted.what, wanted.day)
    if request.GET.get("format") == "csv":
        answer = HttpResponse(entries.lines(found), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="access.csv"'
        return answer
    total = audit.found().count()
    page = by_key(request, found, total if not wanted else None)
    context = {
        "page": page,
        "rows": [Row(entry) for entry in page],
        "wanted": wanted,
        "kinds": entries.KINDS,
        "total": total,
        "keep": settings.AUDIT_KEEP,
    }
    return htmx.render(request, "access/journal.html", context, partials=("results",))
