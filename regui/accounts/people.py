"""People as those who ask: the grants that are theirs, and whom to ask for a right."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from regui.accounts import access
from regui.accounts.access import ANY, Actor, Holder, Right, Role
from regui.accounts.models import Grant, User
from regui.patterns import ANYWHERE

# How many people are named as those who could do something.
NAMED = 5


def everyone() -> Role:
    """What everybody is, signed in or not."""
    return Role(settings.ANONYMOUS_ROLE)


def actor_of(user: User, address: str = "") -> Actor:
    """The person as the one who asks, with all grants that are theirs. One query."""
    return Actor(user.username, everyone(), address, grants_of(user))


def grants_of(user: User) -> tuple[access.Grant, ...]:
    """A person's own grants, those of their groups and those of everyone; none for who may not sign in."""
    if not user.is_active:
        return ()
    theirs = Q(user=user) | Q(group__user=user) | Q(user=None, group=None)
    return plain(Grant.objects.filter(theirs).select_related("group", "user"))


def plain(rows: Iterable[Grant]) -> tuple[access.Grant, ...]:
    """The rows as the policy knows them."""
    return tuple(
        access.Grant(
            Role(row.role),
            row.registry,
            row.pattern,
            Holder.USER if row.user else Holder.GROUP if row.group else Holder.EVERYONE,
            row.user.username if row.user else row.group.name if row.group else "",
        )
        for row in rows
    )


def administrator(*, but: User | None = None) -> User | None:
    """Somebody who may sign in and administers everything, `but` this one; None when there is nobody."""
    given = Grant.objects.filter(role=Role.ADMIN.value, registry=ANY, pattern=ANYWHERE)
    some = User.objects.filter(is_active=True).order_by("pk")
    if not given.filter(user=None, group=None).exists():
        some = some.filter(Q(grants__in=given) | Q(groups__grants__in=given)).distinct()
    if but:
        some = some.exclude(pk=but.pk)
    for user in some.iterator():
        if Actor(user.username, grants=grants_of(user)).governs(Right.ADMIN):
            return user
    return None


def may_still(name: str, right: Right, registry: str, repository: str) -> bool:
    """Whether who asked for something earlier has that right over the repository to this day, by the name in
    the journal: a person by what is granted to them now, also when they came with a token. Robots, visitors
    and the command line are no people; what they were once allowed goes on."""
    user = User.objects.filter(username=name.partition(" (")[0]).first()
    return user is None or actor_of(user).may(right, registry, repository)


def nobody() -> bool:
    """Whether nobody who may sign in administers everything: as it is at first, and where those whom other
    places know came before any administrator."""
    return administrator() is None


def appoint(user: User, by: str) -> None:
    """Make them an administrator of everything; `by` is an actor's name."""
    Grant.objects.get_or_create(
        user=user,
        group=None,
        registry=ANY,
        pattern=ANYWHERE,
        role=Role.ADMIN.value,
        defaults={"created_at": timezone.now(), "created_by": by},
    )


def who_could(right: Right, registry: str = ANY, name: str = "") -> list[str]:
    """Names of some people who have that right there, to be asked for it: five at most, by name."""
    roles = [role.value for role in Role if right in access.RIGHTS[role]]
    grants = Grant.objects.filter(role__in=roles)
    if registry != ANY:
        grants = grants.filter(registry__in=[ANY, registry])
    some = User.objects.filter(is_active=True)
    if not grants.filter(user=None, group=None).exists():
        some = some.filter(Q(grants__in=grants) | Q(groups__grants__in=grants)).distinct()
    found = []
    for user in some.order_by("username").iterator():
        actor = actor_of(user)
        if could(actor, right, registry, name):
            found.append(user.username)
            if len(found) == NAMED:
                break
    return found


def could(actor: Actor, right: Right, registry: str, name: str) -> bool:
    if registry == ANY:
        return actor.governs(right)
    if right is Right.ADMIN and not name:
        return actor.administers(registry)
    return actor.may(right, registry, name)
