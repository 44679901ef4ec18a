"""The history of a repository: every move of its tags."""

from datetime import UTC, date, datetime, time

from django.http import Http404, HttpResponse

from regui.accounts import access
from regui.index import fetch, search
from regui.index import history as moves
from regui.web import forms, htmx, story
from regui.web.catalog import namespace
from regui.web.http import Request, read_only
from regui.web.paging import paginate


@read_only
def index(request: Request, registry: str, name: str) -> HttpResponse:
    """When its tags came, moved and left, newest first; filtered by tag, digest and day. What is remembered
    outlives the repository. 404 when nothing is."""
    row = access.registry(request.actor, registry)
    repository = access.repository(request.actor, row, name)
    wanted = forms.wanted(request.GET, keys=search.NAMED)
    since = day(request.GET.get("since", ""))
    page = paginate(request, moves.of_repository(repository, moves.Wanted(wanted.query, since)))
    filtered = wanted.filtered or since is not None
    if repository.pk is None and not page and not filtered:
        raise Http404(f"Nothing is known of a repository named {name}.")
    context = {
        "repository": repository,
        "namespace": namespace(name),
        "events": story.tell(repository, list(page)),
        "page": page,
        "wanted": wanted,
        "since": since,
        "filtered": filtered,
        "reading": fetch.remembered(repository),
        "may_push": request.actor.may(access.Right.PUSH, row.name, name),
    }
    return htmx.render(request, "history/index.html", context, partials=["results"])


def day(text: str) -> datetime | None:
    """The beginning, in UTC, of a day written 2026-08-31; None for anything else."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return None
