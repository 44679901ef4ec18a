"""People whom another place vouches for: known again by what they are there, added when they are new."""

import logging
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from regui.accounts import audit, groups
from regui.accounts.models import Identity, User
from regui.mapping import NONE, Mapping

log = logging.getLogger(__name__)

Source = Identity.Source
# What the journal calls others than people.
NOBODYS = frozenset({"anonymous", "settings", "unknown"})


class Refused(Exception):
    """They may not come in; the words say why, to the person themselves."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody as a source tells of them. `subject` is what they are there for good, `name` what they are to
    be called here; `theirs` are the names of their groups there, and `mapping` what those are here."""

    source: Identity.Source
    subject: str
    name: str
    email: str = ""
    theirs: Iterable[str] = ()
    mapping: Mapping = NONE


def arrive(newcomer: Newcomer, address: str) -> User:
    """The person, with their groups as the source says. Refused when they can't be called so, or when the
    account is disabled.

    A name that somebody has is refused, not shared and not altered: an account is nobody's for a name that is
    written the same elsewhere, and a second one with a number behind it would look like the first in a
    journal.
    """
    identity = known(newcomer) or added(newcomer, address)
    user = identity.user
    if not user.is_active:
        raise Refused(f"The account {user.username} is disabled here.")
    groups.follow(identity, newcomer.theirs, newcomer.mapping, address)
    email = usable(newcomer.email)
    if email and email != user.email:
        user.email = email
        user.save(update_fields=["email"])
    # Who signs in says by which way; see `ways`.
    user.arrived_by = newcomer.source  # type: ignore[attr-defined]
    return user


def known(newcomer: Newcomer) -> Identity | None:
    found = Identity.objects.filter(source=newcomer.source, subject=newcomer.subject)
    return found.select_related("user").first()


def added(newcomer: Newcomer, address: str) -> Identity:
    """A new person with that identity. Refused when they can't be called so."""
    name = checked(newcomer.name)
    try:
        with transaction.atomic():
            user = User(username=name, email=usable(newcomer.email))
            user.set_unusable_password()
            user.save()
            identity = Identity.objects.create(user=user, source=newcomer.source, subject=newcomer.subject)
            audit.note(audit.What.PERSON_ADDED, f"from:{newcomer.source}", address, name)
    except IntegrityError:  # another request was faster
        if same := known(newcomer):
            return same
        raise taken(name) from None
    log.info("%s is new here, by %s", name, newcomer.source)
    return identity


def checked(name: str) -> str:
    """The name as it is kept; Refused when nobody can be called so, or somebody is."""
    name = unicodedata.normalize("NFKC", name)
    try:
        User.username_validator(name)
    except ValidationError:
        raise Refused(f"“{name[:50]}” can't be a name here: letters, digits and @ . + - _ can.") from None
    if len(name) > (User._meta.get_field("username").max_length or 0) or name.lower() in NOBODYS:
        raise Refused(f"“{name[:50]}” can't be a name here.")
    if User.objects.filter(username__iexact=name).exists():
        raise taken(name)
    return name


def taken(name: str) -> Refused:
    return Refused(
        f"The name {name} belongs to another account here, which isn't yours by signing in this way. "
        "If it is yours, sign in as before; else ask whoever administers regui."
    )


def usable(email: str) -> str:
    """The address when it is one; empty otherwise."""
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email
