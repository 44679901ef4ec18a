"""Groups of people, to be granted things together."""

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from regui.accounts import access, members
from regui.accounts.access import Right
from regui.accounts.grants import LastAdministrator, Wrong
from regui.accounts.models import User
from regui.web import granting, htmx, persons
from regui.web.forms import cleaned
from regui.web.http import Request, read_only
from regui.web.paging import paginate
from regui.web.persons import Grouped


@never_cache
@read_only
def index(request: Request) -> HttpResponse:
    """The groups by name."""
    access.audits(request.actor)
    return page(request, {}, {})


@never_cache
@require_POST
def add(request: Request) -> HttpResponse:
    """Make a group; 422 when it can't be called so."""
    access.site_admin(request.actor)
    form = {"name": cleaned(request.POST.get("name", ""))}
    try:
        group = members.make(form["name"], request.actor)
    except Wrong as error:
        return page(request, form, granting.fault(error), status=422)
    messages.success(request, f"The group {group.name} was made.")
    return to(group)


@never_cache
@read_only
def detail(request: Request, pk: int) -> HttpResponse:
    """One group: who is in it, and what it was granted."""
    access.audits(request.actor)
    return shown(request, known(pk), "", {})


@never_cache
@require_POST
def put(request: Request, pk: int) -> HttpResponse:
    """Put somebody into it, by name; 422 when there is nobody of that name."""
    access.site_admin(request.actor)
    group, name = known(pk), cleaned(request.POST.get("who", ""))
    try:
        user = granting.whom(granting.PERSON, name)
        members.put(group, named(user), request.actor)
    except Wrong as error:
        return shown(request, group, name, granting.fault(error), status=422)
    except LastAdministrator as error:
        return shown(request, group, name, {"who": str(error)}, status=409)
    messages.success(request, f"{name} is in {group.name}.")
    return to(group)


@never_cache
@require_POST
def take(request: Request, pk: int) -> HttpResponse:
    """Take somebody out of it."""
    access.site_admin(request.actor)
    group, text = known(pk), request.POST.get("person", "")
    user = User.objects.filter(pk=int(text)).first() if granting.is_key(text) else None
    if user is None:
        raise Http404("No such person.")
    try:
        members.take(group, user, request.actor)
    except LastAdministrator as error:
        return shown(request, group, "", {"last": str(error)}, status=409)
    messages.success(request, f"{user.username} is no longer in {group.name}.")
    return to(group)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: Request, pk: int) -> HttpResponse:
    """Ask before a group goes, with what it was granted; then let go of it."""
    access.site_admin(request.actor)
    group, refused = known(pk), ""
    if request.method == "POST":
        try:
            members.remove(group, request.actor)
        except LastAdministrator as error:
            refused = str(error)
        else:
            messages.success(request, f"The group {group.name} is gone.")
            return HttpResponseRedirect(reverse("groups"), status=303)
    context = {"shown": Grouped(known(pk)), "refused": refused}
    return htmx.render(request, "access/ungroup.html", context, status=409 if refused else 200)


def named(found: User | Group | None) -> User:
    assert isinstance(found, User)
    return found


def known(pk: int) -> Group:
    group = Group.objects.filter(pk=pk).first()
    if group is None:
        raise Http404("No such group.")
    return group


def to(group: Group) -> HttpResponse:
    return HttpResponseRedirect(reverse("group", args=[group.pk]), status=303)


def shown(
    request: Request, group: Group, who: str, faults: Mapping[str, str], status: int = 200
) -> HttpResponse:
    grouped = Grouped(group)
    context = {
        "shown": grouped,
        "page": paginate(request, grouped.people),
        "who": who,
        "faults": faults,
        "names": granting.names(),
        "may_change": request.actor.governs(Right.ADMIN),
    }
    return htmx.render(request, "access/group.html", context, status=status)


def page(
    request: Request, form: Mapping[str, str], faults: Mapping[str, str], status: int = 200
) -> HttpResponse:
    words = cleaned(request.GET.get("q", ""))
    context = {
        "page": paginate(request, persons.groups(words)),
        "total": Group.objects.count(),
        "words": words,
        "form": form,
        "faults": faults,
        "may_change": request.actor.governs(Right.ADMIN),
    }
    return htmx.render(request, "access/groups.html", context, partials=("results",), status=status)
