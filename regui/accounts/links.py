"""Links that open once: for a person to set a password, and for the first one to become the administrator.

Nothing about them is kept. What such a link holds is signed, and depends on what it changes: it is no good
any more once that has happened.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from django.urls import reverse
from django.utils.http import base36_to_int, int_to_base36

from regui.accounts import people
from regui.accounts.models import User

FIRST = "regui.accounts.first"


class Passwords(PasswordResetTokenGenerator):
    """Tokens that are good for `PASSWORD_RESET_TIMEOUT`, until the password changes or its owner signs in."""

    key_salt = "regui.accounts.links"


passwords = Passwords()


def to_password(user: User) -> str:
    """The path of a page that sets this person's password, once."""
    return reverse("password-arrive", args=[int_to_base36(user.pk), passwords.make_token(user)])


def whose(number: str, token: str) -> User | None:
    """The person whose password a link sets; None when it is no good, or its person may not sign in."""
    try:
        user = User.objects.filter(pk=base36_to_int(number), is_active=True).first()
    except (ValueError, OverflowError):
        return None
    return user if user and passwords.check_token(user, token) else None


def to_first() -> str:
    """The path of a page that makes the first administrator. Each is another; those made before stay good."""
    secret = signing.dumps("first", salt=FIRST)
    return reverse("first-arrive", args=[secret])


def is_first(secret: str) -> bool:
    """Whether a link is good, which none is once there is an administrator."""
    try:
        signing.loads(secret, salt=FIRST, max_age=settings.PASSWORD_RESET_TIMEOUT)
    except signing.BadSignature:
        return False
    return people.nobody()


def absolute(path: str, address: str = "") -> str:
    """The path with the public address before it; without one with that address, or where regui is set to
    listen. A path already has what the site lies below."""
    origin = urlsplit(settings.URL or address or f"http://{settings.BIND}")
    return f"{origin.scheme}://{origin.netloc}{path}"
