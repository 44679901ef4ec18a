"""People: who has an account, where they come from, and what they may do."""

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from regui.accounts import access, links, members, roster
from regui.accounts.access import Right
from regui.accounts.grants import LastAdministrator, Wrong
from regui.accounts.models import User
from regui.web import granting, htmx, persons
from regui.web.forms import cleaned
from regui.web.http import Request, read_only
from regui.web.paging import paginate
from regui.web.persons import Listed, Person


@never_cache
@read_only
def index(request: Request) -> HttpResponse:
    """Everybody who has an account, by name."""
    access.audits(request.actor)
    return page(request, {}, {})


@never_cache
@require_POST
def add(request: Request) -> HttpResponse:
    """Add a person, and show the link by which they set a password this once; 422 when they can't be called
    so."""
    access.site_admin(request.actor)
    form = {name: cleaned(request.POST.get(name, "")) for name in ("name", "email")}
    try:
        user = members.add(form["name"], form["email"], request.actor)
    except Wrong as error:
        return page(request, form, granting.fault(error), status=422)
    messages.success(request, f"{user.username} was added.")
    return shown(request, user, link=links.to_password(user))


@never_cache
@read_only
def detail(request: Request, pk: int) -> HttpResponse:
    """One person."""
    access.audits(request.actor)
    return shown(request, known(pk))


@never_cache
@require_POST
def link(request: Request, pk: int) -> HttpResponse:
    """Make a link by which the person sets a password, and show it this once."""
    access.site_admin(request.actor)
    user = known(pk)
    return shown(request, user, link=links.to_password(user))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def disable(request: Request, pk: int) -> HttpResponse:
    """Ask before somebody may sign in no more; then end their sessions, too."""
    access.site_admin(request.actor)
    user, refused = known(pk), ""
    if request.method == "POST":
        try:
            roster.disable(user, request.actor)
        except LastAdministrator as error:
            refused = str(error)
        else:
            messages.success(request, f"{user.username} is disabled, and signed out everywhere.")
            return to(user)
    context = {"person": Person(user), "refused": refused}
    return htmx.render(request, "access/disable.html", context, status=409 if refused else 200)


@never_cache
@require_POST
def enable(request: Request, pk: int) -> HttpResponse:
    """Let somebody sign in again."""
    access.site_admin(request.actor)
    user = known(pk)
    roster.enable(user, request.actor)
    messages.success(request, f"{user.username} may sign in again.")
    return to(user)


@never_cache
@require_POST
def join(request: Request, pk: int) -> HttpResponse:
    """Put the person into a group."""
    access.site_admin(request.actor)
    user, group = known(pk), chosen(request)
    try:
        members.put(group, user, request.actor)
    except LastAdministrator as error:
        messages.error(request, str(error))
    return to(user)


@never_cache
@require_POST
def leave(request: Request, pk: int) -> HttpResponse:
    """Take the person out of a group."""
    access.site_admin(request.actor)
    user, group = known(pk), chosen(request)
    try:
        members.take(group, user, request.actor)
    except LastAdministrator as error:
        messages.error(request, str(error))
    return to(user)


def chosen(request: Request) -> Group:
    """The group that a form means; Http404 when there is none such."""
    text = request.POST.get("group", "")
    group = Group.objects.filter(pk=int(text)).first() if granting.is_key(text) else None
    if group is None:
        raise Http404("No such group.")
    return group


def known(pk: int) -> User:
    user = User.objects.filter(pk=pk).first()
    if user is None:
        raise Http404("No such person.")
    return user


def to(user: User) -> HttpResponse:
    return HttpResponseRedirect(reverse("person", args=[user.pk]), status=303)


def shown(request: Request, user: User, link: str = "") -> HttpResponse:
    """The person's page, with a link to be handed to them when one was made."""
    context = {
        "person": Person(user),
        "link": links.absolute(link, request.build_absolute_uri("/")) if link else "",
        "may_change": request.actor.governs(Right.ADMIN),
    }
    return htmx.render(request, "access/person.html", context)


def page(
    request: Request, form: Mapping[str, str], faults: Mapping[str, str], status: int = 200
) -> HttpResponse:
    words = cleaned(request.GET.get("q", ""))
    found = paginate(request, persons.listed(words))
    context = {
        "page": found,
        "rows": [Listed(user) for user in found],
        "total": User.objects.count(),
        "words": words,
        "form": form,
        "faults": faults,
        "may_change": request.actor.governs(Right.ADMIN),
    }
    return htmx.render(request, "access/people.html", context, partials=("results",), status=status)
