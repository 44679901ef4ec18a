"""People and groups as administrators look after them. Whom another place vouches for, and which groups it
puts them in, that place says again at their next sign-in."""

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from regui.accounts import arrivals, audit, grants, roster
from regui.accounts.access import Actor
from regui.accounts.grants import Wrong
from regui.accounts.models import Identity, User

LOCAL = "local"
LONGEST_GROUP = 150


def add(name: str, email: str, by: Actor) -> User:
    """A new person, who can't sign in before they set a password. Wrong."""
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise Wrong("email", "must be an address, or be left empty") from error
    try:
        User.username_validator(name)
    except ValidationError as error:
        raise Wrong("name", "may have letters, digits and @ . + - _ only") from error
    if len(name) > (User._meta.get_field("username").max_length or 0):
        raise Wrong("name", "is too long")
    if name.lower() in arrivals.NOBODYS or User.objects.filter(username__iexact=name).exists():
        raise Wrong("name", "is somebody's already")
    try:
        return roster.add(name, by, email=email)
    except ValidationError as error:
        raise Wrong("name", "can't be anybody's here") from error


def source(user: User) -> str:
    """Where the person comes from, in a word: `LOCAL` unless another place vouches for them."""
    identity: Identity | None = getattr(user, "identity", None)  # which raises where there is none
    return str(identity.get_source_display()) if identity else LOCAL


def given(user: User) -> set[str]:
    """The names of those of their groups that another place put them in, and will again."""
    identity: Identity | None = getattr(user, "identity", None)
    return set(identity.groups.values_list("name", flat=True)) if identity else set()


def make(name: str, by: Actor) -> Group:
    """A new group. Wrong."""
    if not name or len(name) > LONGEST_GROUP:
        raise Wrong("name", f"must have 1 to {LONGEST_GROUP} characters")
    group, new = Group.objects.get_or_create(name=name)
    if not new:
        raise Wrong("name", "is a group's already")
    audit.note(audit.What.GROUPS_CHANGED, by.name, by.address, name, "made")
    return group


def put(group: Group, user: User, by: Actor) -> bool:
    """Have the person in the group; whether they weren't. LastAdministrator: what a group was granted may
    outweigh what made them one."""
    with grants.somebody_left():
        if user.groups.filter(pk=group.pk).exists():
            return False
        user.groups.add(group)
        audit.note(audit.What.GROUPS_CHANGED, by.name, by.address, user.username, f"joined {group.name}")
    return True


def take(group: Group, user: User, by: Actor) -> bool:
    """Have them in it no more; whether they were. LastAdministrator."""
    with grants.somebody_left():
        if not user.groups.filter(pk=group.pk).exists():
            return False
        user.groups.remove(group)
        audit.note(audit.What.GROUPS_CHANGED, by.name, by.address, user.username, f"left {group.name}")
    return True


def remove(group: Group, by: Actor) -> None:
    """Let go of the group, and with it of what it was granted. LastAdministrator."""
    with grants.somebody_left():
        for row in group.grants.select_related("user", "group"):
            grants.remove(row, by)
        audit.note(audit.What.GROUPS_CHANGED, by.name, by.address, group.name, "removed")
        group.delete()
