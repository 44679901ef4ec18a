"""People of the tests: Alice administers, Bob reads, Charlie is a stranger."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, override_settings
from django.utils import timezone

from regui.accounts import access, cookies, tokens
from regui.accounts.access import ANY, Actor, Role
from regui.accounts.models import Grant, User
from regui.patterns import ANYWHERE

# Queries that each request of somebody who signed in takes: the session, the person, their grants.
ASKING = 3


def person(name: str) -> User:
    """The person of that name, made when they aren't there yet; they sign in without a password."""
    return User.objects.get_or_create(username=name)[0]


def grant(
    role: Role,
    pattern: str = ANYWHERE,
    *,
    user: User | None = None,
    group: Group | None = None,
    registry: str = ANY,
) -> Grant:
    """That role for a person, for a group, or for everyone."""
    return Grant.objects.create(
        user=user,
        group=group,
        registry=registry,
        pattern=pattern,
        role=role.value,
        created_at=timezone.now(),
        created_by="alice",
    )


def token(
    role: Role,
    pattern: str = ANYWHERE,
    *,
    owner: User | None = None,
    registry: str = ANY,
    name: str = "ci",
    until: datetime | None = None,
) -> str:
    """The secret of a new token of that person, or of a robot."""
    scope = access.Grant(role, registry, pattern)
    return tokens.make(owner, name, scope, Actor("alice"), timezone.now(), until)[1]


def enter(client: Client, user: User) -> None:
    """From now on that browser is the person's, as if they had signed in."""
    # The test client knows nothing of a signature.
    if settings.SESSION_COOKIE_NAME in client.cookies:
        client.cookies[settings.SESSION_COOKIE_NAME] = session_key(client)
    client.force_login(user, "regui.accounts.passwords.Passwords")
    client.cookies[settings.SESSION_COOKIE_NAME] = cookies.sealed(session_key(client))


def session_key(client: Client) -> str:
    """The key of the session that the browser's cookie opens; the cookie itself where it opens none."""
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    return cookies.opened(value) or value


def session_of(client: Client) -> SessionBase:
    """What the site keeps in the browser's session, which is begun if there is none."""
    if settings.SESSION_COOKIE_NAME in client.cookies:
        return SessionStore(session_key(client))
    begun = SessionStore()
    begun.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookies.sealed(str(begun.session_key))
    return begun


class SignedIn(Client):
    """A browser in which a person has signed in, where visitors may nothing."""

    def __init__(self, name: str, *grants: tuple[Role, str], **defaults: Any) -> None:
        """The person is made, with these grants of any registry."""
        super().__init__(**defaults)
        self.person = person(name)
        for role, pattern in grants:
            grant(role, pattern, user=self.person)
        enter(self, self.person)

    def request(self, **request: Any) -> Any:
        with override_settings(ANONYMOUS_ROLE="none"):
            return super().request(**request)


PASSWORD = "correct horse battery"


def with_password(name: str, email: str = "") -> User:
    """The person of that name, who signs in by `PASSWORD`."""
    user = person(name)
    user.set_password(PASSWORD)
    user.email = email
    user.save()
    return user


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> Any:
    """What the sign-in page answers to a name and a password."""
    return client.post("/-/account/sign-in/", {"login": name, "password": password, **more})
