"""By which way somebody signs in: whom another place vouches for comes by way of that place alone, and no
longer than it was asked lately. A password or a passkey here would outlast their leaving it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from regui.accounts import audit
from regui.accounts.models import Identity, User

GetResponse = Callable[[HttpRequest], HttpResponse]
# Until when a session is good, in seconds since 1970.
UNTIL = "until"


class OwnWay:
    """For the adapter that django-allauth asks about each sign-in."""

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Nothing, when they come by their own way; else PermissionDenied with words for the person."""
        if why := barred(user):
            address = str(request.META.get("REMOTE_ADDR", ""))
            audit.note(audit.What.SIGN_IN_FAILED, user.username, address, detail=why)
            raise PermissionDenied(why)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)  # type: ignore[misc]
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)  # type: ignore[misc]
        identity = identity_of(user)
        if identity and (age := session_age(identity.source)):
            request.session[UNTIL] = (timezone.now() + age).timestamp()


def barred(user: User) -> str:
    """Why they may not come by the way they came; empty when they may."""
    identity = identity_of(user)
    if identity is None:
        return "" if settings.LOCAL_SIGN_IN else "Nobody signs in with an account of regui's own here."
    if getattr(user, "arrived_by", "") == identity.source:
        return ""
    return f"The account {user.username} signs in by {identity.get_source_display()} only."


def identity_of(user: User) -> Identity | None:
    return Identity.objects.filter(user=user).first()


def session_age(source: str) -> timedelta | None:
    """For how long a session is good before that place is asked again."""
    place = {Identity.Source.OIDC: settings.OIDC, Identity.Source.LDAP: settings.LDAP}.get(
        Identity.Source(source)
    )
    return place.session_age if place else None


def over(until: object, now: datetime) -> bool:
    """Whether a session with that end has come to it."""
    return isinstance(until, int | float) and now.timestamp() >= until


def ends(get_response: GetResponse) -> GetResponse:
    """Middleware, behind sessions: one whose time is over ends."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if over(request.session.get(UNTIL), timezone.now()):
            logout(request)
        return get_response(request)

    return middleware
