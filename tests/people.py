"""People of the tests: Alice administers, Bob reads, Charlie is a stranger."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client, override_settings
from django.utils import timezone

from regui.accounts import access, tokens
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


class SignedIn(Client):
    """A browser in which a person has signed in, where visitors may nothing."""

    def __init__(self, name: str, *grants: tuple[Role, str], **defaults: Any) -> None:
        """The person is made, with these grants of any registry."""
        super().__init__(**defaults)
        self.person = person(name)
        for role, pattern in grants:
            grant(role, pattern, user=self.person)
        self.force_login(self.person, "regui.accounts.passwords.Passwords")

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
