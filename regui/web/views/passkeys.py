"""Passkeys, where django-allauth's views don't do what is wanted: ours open the door alone, and lead to where
one was going."""

from typing import Any

from allauth.account.mixins import NextRedirectMixin
from allauth.account.models import Login
from allauth.core.internal import ratelimit
from allauth.mfa.webauthn.internal import auth, flows
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView
from django.http import HttpRequest, HttpResponse

from regui.web.errors import too_many


class Add(AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """A form to add a passkey, of the kind that is kept in the device and asks it who is there."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**more)
        context["js_data"] = {
            "creation_options": auth.begin_registration(self.request.user, passwordless=True)
        }
        return context


class SignIn(NextRedirectMixin, LoginWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """GET answers with what the browser asks a passkey, POST takes its answer."""

    def get(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        # Each question is a session of its own, so they are counted too.
        if not ratelimit.consume(request, app="allauth.mfa", action="webauthn_login", limit_get=True):
            return too_many(request)
        answer: HttpResponse = super().get(request, *args, **more)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        passkey = form.cleaned_data["credential"]
        login = Login(user=passkey.user, redirect_url=self.get_next_url())
        answer: HttpResponse = flows.perform_passwordless_login(self.request, passkey, login)
        return answer


add = Add.as_view()
sign_in = SignIn.as_view()
