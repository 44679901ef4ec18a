"""How django-allauth behaves here: nobody signs up by themselves, nobody is sent elsewhere, and what makes a
second factor lies sealed."""

from collections.abc import Iterator
from typing import Any

import qrcode  # type: ignore[import-untyped]  # it has no types
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString

from regui import secrets
from regui.accounts import audit
from regui.accounts.models import User
from regui.accounts.ways import OwnWay
from regui.sealed import SECOND_FACTORS

DISABLED = "the account is disabled"
WRONG = "The name or the password is wrong."
# What is said after something was done, by the template that allauth would say it with.
SAID = {
    "account/messages/logged_out.txt": "You have signed out.",
    "account/messages/password_changed.txt": "Your password is changed. Everywhere else you are signed out.",
    "mfa/messages/totp_activated.txt": "From now on signing in asks for a code, too.",
    "mfa/messages/totp_deactivated.txt": "The authenticator app is no longer asked for.",
    "mfa/messages/webauthn_added.txt": "The passkey is added.",
    "mfa/messages/webauthn_removed.txt": "The passkey is removed.",
}
WAYS = {
    "reauthenticate": "Use your password instead",
    "mfa_reauthenticate": "Use a code instead",
    "mfa_reauthenticate:webauthn": "Use a passkey instead",
}


class Adapter(OwnWay, DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Of accounts."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": WRONG,
        "email_password_mismatch": WRONG,
        "too_many_login_attempts": "Too many wrong attempts. Wait five minutes, then try again.",
        "rate_limited": "Too many attempts. Wait a minute, then try again.",
        "incorrect_password": "The password is wrong.",
        "enter_current_password": "This is not your current password.",
        "username_blacklisted": "Nobody can have this name.",
        "username_taken": "Somebody has this name.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: people are added by who administers regui, or come from a directory."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Whether one may be sent there afterwards: to a path of this site alone."""
        return url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def forgive(self, request: HttpRequest, user: User) -> None:
        """Forget the wrong passwords that were tried for a person: they have a new one."""
        for login in filter(None, [user.username, user.email]):
            self._delete_login_attempts_cached_email(request, username=login)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Say it in our words; what has none isn't worth saying."""
        if words := message or SAID.get(message_template or ""):
            messages.add_message(request, level, words, extra_tags=extra_tags)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """The ways in which they can say once more who they are, in our words."""
        ways: list[dict[str, str]] = super().get_reauthentication_methods(user)
        return [way | {"description": WAYS[way["id"]]} for way in ways]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """The page for who may not sign in any more, though they are who they say."""
        if "password" not in request.POST:  # else `signals.failed` has noted it
            address = self.get_client_ip(request)
            audit.note(audit.What.SIGN_IN_FAILED, user.username, address, detail=DISABLED)
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response


class Factors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Of second factors."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This is wrong, or was used before.",
    }

    def encrypt(self, text: str) -> str:
        return secrets.seal(text, SECOND_FACTORS)

    def decrypt(self, encrypted_text: str) -> str:
        """What was sealed. What no key opens any more is as good as a secret that nobody knows."""
        try:
            return secrets.unseal(encrypted_text, SECOND_FACTORS)
        except secrets.Unopened:
            return str(generate_totp_secret())  # no code fits it

    def _get_user_identifier(self, user: User) -> str:
        """What the person is called in an authenticator app, and where passkeys are kept."""
        return user.username

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002 — allauth's word
        """What a new passkey is called that its owner gives no name."""
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"

    def build_totp_svg(self, url: str) -> SafeString:
        """The address as a QR code, to stand in a page: without a width or colours of its own."""
        code = qrcode.QRCode(border=4)
        code.add_data(url)
        matrix = code.get_matrix()
        return format_html(
            '<svg class="qr" viewBox="0 0 {0} {0}" role="img" aria-label="QR code"'
            ' shape-rendering="crispEdges"><path d="{1}"/></svg>',
            len(matrix),
            "".join(strokes(matrix)),
        )


def strokes(matrix: list[list[bool]]) -> Iterator[str]:
    """The dark squares as steps of an SVG path, those beside each other in one."""
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            run = next((i for i, dark in enumerate(row[x:]) if dark != row[x]), len(row) - x)
            if row[x]:
                yield f"M{x} {y}h{run}v1h-{run}z"
            x += run
