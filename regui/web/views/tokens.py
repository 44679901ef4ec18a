"""Tokens: one's own, robots', and for administrators everybody's."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from regui.accounts import access, tokens
from regui.accounts.models import User
from regui.web import htmx, keyring
from regui.web.forms import cleaned
from regui.web.http import Request, read_only
from regui.web.keyring import Form, Keyring
from regui.web.paging import paginate


@never_cache
@read_only
def index(request: Request) -> HttpResponse:
    """One's own tokens, with a form for one more."""
    return page(own(request), own(request).form())


@never_cache
@require_POST
def make(request: Request) -> HttpResponse:
    """Make a token of one's own, and show its secret this once; 422 when the form asks for none."""
    return made(own(request))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: Request, number: int) -> HttpResponse:
    """Ask whether a token of one's own is to go, and let it."""
    return gone(own(request), number)


@never_cache
@read_only
def robots(request: Request) -> HttpResponse:
    """Robots and everybody's tokens, with a form for one more robot."""
    return page(everybody(request), everybody(request).form())


@never_cache
@require_POST
def make_robot(request: Request) -> HttpResponse:
    """Make a robot, and show its secret this once; 422 when the form asks for none."""
    return made(everybody(request))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_any(request: Request, number: int) -> HttpResponse:
    """Ask whether anybody's token is to go, and let it."""
    return gone(everybody(request), number)


def own(request: Request) -> Keyring:
    return Keyring(request, person(request))


def everybody(request: Request) -> Keyring:
    person(request)
    access.site_admin(request.actor)
    return Keyring(request, None)


def person(request: Request) -> User:
    """Who has signed in. A visitor is asked to, whatever visitors may: somebody has to answer for a token."""
    if not isinstance(request.user, User):
        raise access.Forbidden(request.actor, access.Right.SEE, "tokens, which are somebody's")
    return request.user


def page(ring: Keyring, form: Form, status: int = 200) -> HttpResponse:
    """The list, unless there is something wrong with the form, and the form."""
    wanted = cleaned(ring.request.GET.get("q", ""))
    found = paginate(ring.request, ring.found(wanted))
    context = {
        "ring": ring,
        "form": form,
        "page": found,
        "rows": keyring.listed(found, timezone.now()),
        "q": wanted,
        "may_govern": ring.request.actor.may(access.Right.ADMIN),
    }
    return htmx.render(ring.request, "tokens/index.html", context, partials=["results"], status=status)


def made(ring: Keyring) -> HttpResponse:
    """The secret of the token that was asked for; or the form with what is wrong about that."""
    form = ring.form(ring.request.POST)
    if form.faults:
        return page(ring, form, status=422)
    now, wish = timezone.now(), form.wish
    token, secret = tokens.make(ring.owner, wish.name, wish.scope, ring.request.actor, now, wish.until(now))
    context = {"ring": ring, "row": keyring.Row(token, now), "secret": secret}
    return htmx.render(ring.request, "tokens/made.html", context)


def gone(ring: Keyring, number: int) -> HttpResponse:
    """The page that asks, or the way back to the list without the token."""
    now, token = timezone.now(), ring.rows.filter(pk=number).first()
    if token is None:
        raise Http404("No such token, or it was revoked already.")
    if ring.request.method != "POST":
        context = {"ring": ring, "row": keyring.Row(token, now)}
        return htmx.render(ring.request, "tokens/revoke.html", context)
    tokens.revoke(token, ring.request.actor, now)
    messages.success(ring.request, f"{tokens.called(token)} opens nothing any more.")
    return HttpResponseRedirect(ring.address, status=303)
