"""The first administrator: made by who has the link that regui prints, or named in the settings."""

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from regui.accounts import people, roster
from regui.accounts.access import Actor
from regui.accounts.models import User
from regui.env import refuse

# Any fixed number will do, as long as nobody else in the database uses it: "first" in ASCII.
ADVISORY_LOCK = 0x6669727374


class Late(Exception):
    """Somebody was faster."""


@transaction.atomic
def make(name: str, password: str, by: Actor) -> User:
    """The administrator, from then on the only one. `Late` when there is one already, ValidationError
    when the name can't be."""
    if connection.vendor == "postgresql":
        # SQLite lets only one transaction write anyway.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
    if not people.nobody():
        raise Late
    return roster.add(name, by, password=password, admin=True)


def from_settings() -> bool:
    """Make the administrator that the settings name, unless there is somebody of that name; whether one was
    made. ImproperlyConfigured when the name or the password can't be."""
    name, password = settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD
    if not name or roster.named(name):
        return False
    try:
        get_adapter().clean_password(password, User(username=name))
    except ValidationError as error:
        raise refuse("REGUI_ADMIN_PASSWORD", words(error)) from None
    try:
        roster.add(name, Actor("settings"), password=password, admin=True)
    except IntegrityError:  # a process that started together with this one made it
        return False
    except ValidationError as error:
        raise refuse("REGUI_ADMIN_USERNAME", words(error)) from None
    return True


def words(error: ValidationError) -> str:
    """What is wrong, for a line that ends with a full stop."""
    return " ".join(error.messages).rstrip(".")
