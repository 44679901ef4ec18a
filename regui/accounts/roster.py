"""Who has an account here: people are added, disabled and enabled again, and each change is written down."""

import unicodedata
from collections.abc import Iterable

from allauth.account.adapter import get_adapter
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from regui.accounts import audit, grants, people, sessions
from regui.accounts.access import Actor
from regui.accounts.models import User


def named(name: str) -> User | None:
    """The person of that name, however it is capitalised; None when there is none."""
    return User.objects.filter(username__iexact=name).first()


def new_name(name: str) -> str:
    """The name as it is kept. ValidationError when nobody can have it, or somebody has."""
    name = unicodedata.normalize("NFKC", name).strip()
    limit = User._meta.get_field("username").max_length or 0
    if not name or len(name) > limit:
        raise ValidationError(f"A name has 1 to {limit} characters.")
    kept: str = get_adapter().clean_username(name)
    return kept


@transaction.atomic
def add(
    name: str,
    by: Actor,
    *,
    email: str = "",
    groups: Iterable[str] = (),
    admin: bool = False,
    password: str | None = None,
) -> User:
    """A new person: one who can't sign in before they set a password, unless one is given. ValidationError
    when the name or the address can't be."""
    if email:
        validate_email(email)
    user = User(username=new_name(name), email=email)
    user.set_password(password)
    user.save()
    audit.note(audit.What.PERSON_ADDED, by.name, by.address, user.username)
    join(user, groups, by)
    if admin:
        people.appoint(user, by.name)
        audit.note(audit.What.GRANT_ADDED, by.name, by.address, user.username, "admin of everything")
    return user


def join(user: User, names: Iterable[str], by: Actor) -> None:
    """Have the person in these groups, too; those that aren't there are made."""
    wanted = sorted(set(names) - set(user.groups.values_list("name", flat=True)))
    if not wanted:
        return
    user.groups.add(*(Group.objects.get_or_create(name=name)[0] for name in wanted))
    audit.note(audit.What.GROUPS_CHANGED, by.name, by.address, user.username, f"joined {', '.join(wanted)}")


def disable(user: User, by: Actor) -> bool:
    """Let the person sign in no more, and end their sessions; whether they could until now. What they were
    granted stays. LastAdministrator."""
    with grants.somebody_left():
        return change(user, active=False, by=by)


def enable(user: User, by: Actor) -> bool:
    """Let them sign in again; whether they couldn't until now."""
    return change(user, active=True, by=by)


@transaction.atomic
def change(user: User, *, active: bool, by: Actor) -> bool:
    if not User.objects.filter(pk=user.pk).exclude(is_active=active).update(is_active=active):
        return False
    user.is_active = active
    if not active:
        sessions.end_all(user)
    audit.note(
        audit.What.PERSON_CHANGED, by.name, by.address, user.username, "enabled" if active else "disabled"
    )
    return True
