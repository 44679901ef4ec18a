"""Grants: who may do what, why, and who could."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from regui.accounts import access, effects, grants, people
from regui.accounts.access import Right
from regui.accounts.explaining import WORDS
from regui.accounts.grants import LastAdministrator, Wrong
from regui.accounts.models import Grant
from regui.web import granting, htmx
from regui.web.answers import RIGHTS, Question
from regui.web.explained import said
from regui.web.granting import Filter, Form, Row
from regui.web.http import Request, read_only
from regui.web.paging import paginate


@never_cache
@read_only
def index(request: Request) -> HttpResponse:
    """The grants in the order in which they win, forms for more, and the answer to what was asked."""
    access.audits(request.actor)
    return page(request, Form(), {})


@never_cache
@require_POST
def add(request: Request) -> HttpResponse:
    """Give a role; 422 when the form says none, 409 when it would leave nobody who administers everything."""
    access.site_admin(request.actor)
    form = Form.read(request.POST.dict())
    try:
        row = grants.add(form.wanted(), request.actor)
    except Wrong as error:
        return page(request, form, granting.fault(error), status=422)
    except LastAdministrator as error:
        return page(request, form, {"last": f"{error} {CLOSER}"}, status=409)
    messages.success(request, said(row) if row else "That was granted already.")
    return HttpResponseRedirect(reverse("access") + "#grants", status=303)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: Request, pk: int) -> HttpResponse:
    """Ask before a grant is taken away, with what changes for whom; then take it away."""
    access.site_admin(request.actor)
    row = Grant.objects.select_related("user", "group").filter(pk=pk).first()
    if row is None:
        raise Http404("No such grant.")
    refused = ""
    if request.method == "POST":
        try:
            grants.remove(row, request.actor)
        except LastAdministrator as error:
            refused = str(error)
        else:
            messages.success(request, f"Taken away: {said(row)}")
            return HttpResponseRedirect(reverse("access") + "#grants", status=303)
    shown = Row(row, grants.plain(row))
    context = {"shown": shown, "effects": effects.of_removing(row), "refused": refused}
    return htmx.render(request, "access/remove.html", context, status=409 if refused else 200)


CLOSER = (
    "It would outweigh what makes the last administrators ones, for it is closer to them: first make one of "
    "them admin in their own name."
)


def page(request: Request, form: Form, faults: Mapping[str, str], status: int = 200) -> HttpResponse:
    wanted = Filter.read(request.GET.dict())
    found, total = granting.wanted(wanted)
    shown = paginate(request, found)
    context = {
        "page": shown,
        "rows": granting.rows(shown),
        "total": total,
        "wanted": wanted,
        "question": Question.read(request.GET.dict()),
        "form": form,
        "faults": faults,
        "holders": granting.HOLDERS,
        "askers": granting.HOLDERS | {granting.VISITOR: "A visitor"},
        "roles": [(role.value, words) for role, words in granting.ROLES.items()],
        "rights": [(key, WORDS[right]) for key, right in RIGHTS.items()],
        "names": granting.names(),
        "everybody": people.everyone(),
        "may_change": request.actor.governs(Right.ADMIN),
    }
    return htmx.render(request, "access/index.html", context, partials=("results",), status=status)
