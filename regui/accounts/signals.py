"""What Django and django-allauth tell of people who sign in and out, written into the journal of access.

Nothing that somebody typed goes there but the name of a person there is: in the field for the name stands a
password now and then.
"""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Q
from django.http import HttpRequest

from regui.accounts import audit, sessions
from regui.accounts.adapter import DISABLED
from regui.accounts.models import User

UNKNOWN = "unknown"
FACTORS = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


def listen() -> None:
    """Hear all of it from now on."""
    user_logged_in.connect(signed_in, dispatch_uid="journal")
    user_logged_out.connect(signed_out, dispatch_uid="journal")
    user_login_failed.connect(failed, dispatch_uid="journal")
    mfa.authentication_failed.connect(factor_failed, dispatch_uid="journal")
    account.password_changed.connect(password_changed, dispatch_uid="journal")
    mfa.authenticator_added.connect(factor_added, dispatch_uid="journal")
    mfa.authenticator_removed.connect(factor_removed, dispatch_uid="journal")
    mfa.authenticator_reset.connect(factor_renewed, dispatch_uid="journal")


def address(request: HttpRequest | None) -> str:
    return str(request.META.get("REMOTE_ADDR", "")) if request else ""


def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    audit.note(audit.What.SIGNED_IN, user.username, address(request))
    sessions.is_late(request.session.session_key or "")


def signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user:
        audit.note(audit.What.SIGNED_OUT, user.username, address(request))


def failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    name = credentials.get("username") or credentials.get("email") or ""
    known = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name))
    user = known.first() if name else None
    why = "no such person" if not user else "wrong password" if user.is_active else DISABLED
    audit.note(audit.What.SIGN_IN_FAILED, user.username if user else UNKNOWN, address(request), detail=why)


def factor_failed(request: HttpRequest, user: User, **_: Any) -> None:
    audit.note(audit.What.SIGN_IN_FAILED, user.username, address(request), detail="wrong code")


def password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    audit.note(audit.What.PASSWORD_CHANGED, user.username, address(request), user.username)


def factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        authenticator.wrap().validate_code(request.POST.get("code", ""))  # a code counts once, this one too
    changed(request, user, f"added: {FACTORS[authenticator.type]}")


def factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    changed(request, user, f"removed: {FACTORS[authenticator.type]}")


def factor_renewed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    changed(request, user, f"made anew: {FACTORS[authenticator.type]}")


def changed(request: HttpRequest, user: User, detail: str) -> None:
    audit.note(audit.What.SECOND_FACTOR_CHANGED, user.username, address(request), user.username, detail)
