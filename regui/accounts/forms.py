"""Forms of signing in that can't be as django-allauth has them."""

from typing import Any

from allauth.core import context
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from django import forms

from regui import secrets
from regui.accounts.models import User
from regui.sealed import SECOND_FACTORS


class ActivateTOTP(ActivateTOTPForm):  # type: ignore[misc]  # allauth has no types
    """The first code of an authenticator app. Its secret waits in the session until then: sealed, for
    sessions lie in the database."""

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        # Past the parent's, which puts a secret there in clear.
        forms.Form.__init__(self, *args, **options)
        self.user = user
        self.secret = pending() if self.is_bound else ""
        if not self.secret:
            self.secret = generate_totp_secret()
            context.request.session[SECRET_SESSION_KEY] = secrets.seal(self.secret, SECOND_FACTORS)


def pending() -> str:
    """The secret that this session waits to see a code of; empty when there is none, or none that opens."""
    try:
        return secrets.unseal(context.request.session.get(SECRET_SESSION_KEY, ""), SECOND_FACTORS)
    except secrets.Unopened:
        return ""
