"""The journal, and one action of it."""

from django.db.models import Count, Q
from django.http import Http404, HttpResponse

from regui.accounts import access
from regui.actions import journal, kinds, plans, sight
from regui.actions.models import Action, Item
from regui.index import search
from regui.web import forms, htmx, told
from regui.web.http import Request, read_only
from regui.web.paging import paginate

# Seconds between two looks at an action that hasn't ended.
AGAIN = 2


@read_only
def activity(request: Request) -> HttpResponse:
    """The journal: what was done, by whom, when, and how it ended; newest first, as CSV too."""
    access.look(request.actor, "the activity here")
    wanted = forms.wanted(request.GET, keys=search.NAMED)
    state = request.GET.get("state", "")
    every = journal.visible(request.actor)
    found = journal.found(request.actor, wanted.query)
    if wanted.kind in told.KINDS:
        found = found.filter(kind=wanted.kind)
    if state in Action.State.values:
        found = found.filter(state=state)
    if request.GET.get("format") == "csv":
        answer = HttpResponse(
            told.lines(found.iterator(500), request.actor), content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = 'attachment; filename="activity.csv"'
        return answer
    page = paginate(request, found.with_first_items(told.FIRST))
    context = {
        "page": page,
        "rows": told.rows(page, request.actor),
        "wanted": wanted,
        "state": state,
        "kinds": told.KINDS.items(),
        "states": told.STATES.items(),
        "filtered": bool(wanted.query or wanted.kind or state),
        "total": every.count(),
    }
    return htmx.render(request, "actions/activity.html", context, partials=("results",))


@read_only
def detail(request: Request, pk: str) -> HttpResponse:
    """One action: how far it is, and what became of each of its steps."""
    action = journal.visible(request.actor).prefetch_related(None).filter(pk=pk).first()
    if action is None:
        raise Http404("No such action.")
    action = sight.action(request.actor, action)
    steps = action.items.exclude(do=plans.GOES_ALONG)
    count = steps.aggregate(total=Count("pk"), ended=Count("pk", filter=~Q(result="")))
    may = request.actor.may(kinds.RIGHTS[action.kind], action.registry, action.repository)
    page = paginate(request, action.items.all())
    context = {
        "action": action,
        "told": told.Told(action, request.actor),
        "page": page,
        "items": sight.items(request.actor, action, page),
        "done": count["ended"],
        "total": count["total"],
        "failed": Item.Result.FAILED,
        "may_stop": action.is_open and not action.stop and may,
        "may_retry": not action.is_open and may,
        "undone_by": Action.objects.filter(undoes=pk).order_by("-started_at").first(),
        "again": AGAIN,
    }
    return htmx.render(request, "actions/detail.html", context, partials=("results",))
