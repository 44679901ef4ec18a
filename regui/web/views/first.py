"""The page that makes the first administrator, for who has the link that regui printed as it started.

The link leads on to an address without its secret, which waits in the session: addresses end up in logs.
"""

from allauth.account.forms import SetPasswordForm
from allauth.account.utils import perform_login
from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from regui.accounts import first, links, roster
from regui.accounts.models import User
from regui.web import errors, htmx
from regui.web.http import Request

GONE = errors.Problem(
    410,
    "This link is no good any more",
    "It opens until somebody administers regui, and for three days.",
    "If nobody does yet, start regui again: it prints another one.",
    icon="link",
)


# Where a link's secret waits in the session.
KEY = "first"


class First(SetPasswordForm):  # type: ignore[misc]  # allauth has no types
    """A name and a password, twice."""

    username = forms.CharField()

    def clean_username(self) -> str:
        name: str = roster.new_name(self.cleaned_data["username"])
        # The password may not be like it.
        self.user.username = name
        return name

    field_order = ["username", "password1", "password2"]


@require_safe
def arrive(request: Request, secret: str) -> HttpResponse:
    """On to the form, for who has a good link."""
    if not links.is_first(secret):
        return errors.respond(request, GONE)
    request.session[KEY] = secret
    return HttpResponseRedirect(reverse("first"))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: Request) -> HttpResponse:
    """Make the administrator, and sign them in."""
    if not links.is_first(request.session.get(KEY, "")):
        return errors.respond(request, GONE)
    form = First(data=request.POST or None, user=User())
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return htmx.render(request, "account/first.html", {"form": form}, status=status)
    name, password = form.cleaned_data["username"], form.cleaned_data["password1"]
    try:
        user = first.make(name, password, request.actor)
    except first.Late:
        return errors.respond(request, GONE)
    del request.session[KEY]
    answer: HttpResponse = perform_login(request, user, redirect_url=reverse("home"))
    return answer
