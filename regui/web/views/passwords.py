"""Passwords: one changes one's own, or sets it by a link that somebody made."""

from allauth.account.adapter import get_adapter
from allauth.account.forms import SetPasswordForm
from allauth.account.views import PasswordChangeView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from regui.accounts import audit, links
from regui.web import errors, htmx
from regui.web.http import Request

GONE = errors.Problem(
    410,
    "This link is no good any more",
    "Such a link opens for three days, and until the password is set or its owner signs in.",
    "Ask who gave it to you for another.",
    icon="link",
)


# Where what makes a link good waits in the session.
KEY = "password-link"


class Change(PasswordChangeView):  # type: ignore[misc]  # allauth has no types
    """A new password for who knows the one before; who has none here gets it elsewhere."""

    def dispatch(self, request: HttpRequest, *args: object, **more: object) -> HttpResponse:
        if request.user.is_authenticated and not request.user.has_usable_password():
            return errors.respond(request, ELSEWHERE)
        answer: HttpResponse = super().dispatch(request, *args, **more)
        return answer


ELSEWHERE = errors.Problem(
    409,
    "There is no password to change",
    "regui keeps none for you: you sign in by what another service says of you.",
    "Change it there.",
    icon="lock",
)
change = Change.as_view()


@require_safe
def arrive(request: Request, number: str, token: str) -> HttpResponse:
    """On to the form, for who has a good link: without what makes it one, for addresses end up in logs."""
    if links.whose(number, token) is None:
        return errors.respond(request, GONE)
    request.session[KEY] = [number, token]
    return HttpResponseRedirect(reverse("password-link"))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: Request) -> HttpResponse:
    """Set the password of the person that the link was made for; then they sign in with it."""
    user = links.whose(*request.session.get(KEY, ["", ""]))
    if user is None:
        return errors.respond(request, GONE)
    form = SetPasswordForm(data=request.POST or None, user=user)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return htmx.render(request, "account/link.html", {"form": form, "person": user}, status=status)
    form.save()
    get_adapter(request).forgive(request, user)
    del request.session[KEY]
    audit.note(
        audit.What.PASSWORD_CHANGED, user.username, request.actor.address, user.username, "set by a link"
    )
    messages.success(request, "Your password is set. Sign in with it.")
    return HttpResponseRedirect(reverse("account_login"), status=303)
