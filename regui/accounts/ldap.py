"""Signing in with the password of an LDAP directory. Imported only where one is set: python-ldap is an
extra."""

import logging
from typing import Any

import ldap
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django_auth_ldap import backend, config
from django_auth_ldap.backend import LDAPBackend

from regui.accounts import arrivals
from regui.accounts.arrivals import Newcomer, Refused, Source
from regui.accounts.models import User
from regui.directories import Ldap

log = logging.getLogger(__name__)

GROUP_TYPES = {
    "groupofnames": config.GroupOfNamesType,
    "groupofuniquenames": config.GroupOfUniqueNamesType,
    "posix": config.PosixGroupType,
    "activedirectory": config.NestedActiveDirectoryGroupType,
}
SILENT = (
    "The directory doesn't answer, so whether that is right isn't known. "
    "People with a password of their own here can still sign in."
)
# On the request, once the directory has failed it.
FAILED = "directory_failed"


class Directory(LDAPBackend):  # type: ignore[misc]  # django-auth-ldap has no types
    """Asks the directory, and takes in whom it vouches for."""

    def __init__(self) -> None:
        assert settings.LDAP
        self.place: Ldap = settings.LDAP
        self.settings = options(self.place)

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The person; None when the directory says no, or nothing. An empty password is never asked about: to
        a directory it is no sign-in at all, and right for everybody."""
        name = username or kwargs.get("email")
        if not name or not password or "\0" in name + password:
            return None
        try:
            user: User | None = super().authenticate(request, username=name, password=password)
        except Refused as refusal:
            if request:
                messages.error(request, str(refusal))
            raise PermissionDenied from None  # nobody else is to be asked
        if user is None and request and getattr(request, FAILED, False):
            messages.error(request, SILENT)
        return user

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[User, bool]:
        """The person of that entry, whose password was right. Their name is the directory's own, not as it
        was typed, which may differ in capitals and blanks. Refused when they may not come in."""
        names = ldap_user.attrs.get(self.place.name_attribute) or [""]
        theirs = sorted(ldap_user.group_names) if self.place.group_base else []
        allowed = self.place.allowed_groups
        if allowed and not set(theirs) & set(allowed):
            raise Refused(
                "The password is right, but you may not come in here: you are in none of the groups that "
                "whoever runs regui lets in."
            )
        newcomer = Newcomer(
            Source.LDAP,
            names[0].lower(),
            names[0],
            (ldap_user.attrs.get("mail") or [""])[0],
            theirs,
            self.place.groups,
        )
        address = ldap_user._request.META.get("REMOTE_ADDR", "") if ldap_user._request else ""
        return arrivals.arrive(newcomer, str(address)), False

    def get_user(self, user_id: int) -> User | None:
        """The person of a session, unless their account is disabled."""
        return User.objects.filter(pk=user_id, is_active=True).first()


def options(place: Ldap) -> config.LDAPSettings:
    """What django-auth-ldap goes by."""
    below = ldap.SCOPE_SUBTREE
    groups = config.LDAPSearch(place.group_base, below, place.group_filter) if place.group_base else None
    return config.LDAPSettings(
        "AUTH_LDAP_",
        {
            "SERVER_URI": place.url,
            "BIND_DN": place.bind_dn,
            "BIND_PASSWORD": place.bind_password,
            "USER_SEARCH": config.LDAPSearch(place.user_base, below, place.user_filter),
            "GROUP_SEARCH": groups,
            "GROUP_TYPE": GROUP_TYPES[place.group_type](name_attr="cn"),
            "START_TLS": place.start_tls,
            "ALWAYS_UPDATE_USER": False,
            "CONNECTION_OPTIONS": connection(place),
        },
    )


def connection(place: Ldap) -> dict[int, Any]:
    """How long to wait, and whom to trust. It leads nowhere else, whatever the directory refers to."""
    seconds = place.timeout.total_seconds()
    found: dict[int, Any] = {
        ldap.OPT_NETWORK_TIMEOUT: seconds,
        ldap.OPT_TIMEOUT: seconds,
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
    }
    if place.ca_file:
        found[ldap.OPT_X_TLS_CACERTFILE] = place.ca_file
    # Last: it makes what was said of TLS count.
    return found | {ldap.OPT_X_TLS_NEWCTX: 0}


def failed(request: HttpRequest | None = None, exception: object = None, **_: Any) -> None:
    """The directory didn't answer, or not regui itself: remembered for who is waiting to be told."""
    if request is not None:
        setattr(request, FAILED, True)


backend.ldap_error.connect(failed, dispatch_uid="regui")
