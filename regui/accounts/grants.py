"""Grants as they are given and taken away: each change is written down, and none may leave nobody who
administers everything."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from regui import patterns
from regui.accounts import access, audit, people
from regui.accounts.access import ANY, Actor, Right, Role
from regui.accounts.explaining import said
from regui.accounts.models import Grant, User
from regui.index.models import Registry


class Wrong(ValueError):
    """What is asked for can't be meant; the words end a sentence about `field`."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class LastAdministrator(Exception):
    """Afterwards nobody would administer everything, so that nobody could let anybody in."""

    def __init__(self) -> None:
        super().__init__("Nobody would administer everything any more, so nothing was changed.")


@dataclass(frozen=True)
class Wanted:
    """A grant that somebody asks for. Without a user or a group it is for everyone."""

    role: str
    registry: str = ANY
    pattern: str = patterns.ANYWHERE
    user: User | None = None
    group: Group | None = None

    def check(self) -> None:
        """Nothing, or Wrong."""
        if self.role not in {role.value for role in Role}:
            raise Wrong("role", f"must be one of {', '.join(role.value for role in Role)}")
        if self.registry != ANY and not Registry.objects.filter(name=self.registry, active=True).exists():
            raise Wrong("registry", f"must be * or a registry: there is none named {self.registry}")
        try:
            patterns.check_repositories(self.pattern)
        except ValueError as error:
            raise Wrong("pattern", str(error)) from error


def add(wanted: Wanted, by: Actor) -> Grant | None:
    """The new grant; None when it was there already. Wrong, and LastAdministrator: a grant that is closer to
    somebody than what made them administrator counts before that."""
    wanted.check()
    with somebody_left():
        row, new = Grant.objects.get_or_create(
            user=wanted.user,
            group=wanted.group,
            registry=wanted.registry,
            pattern=wanted.pattern,
            role=wanted.role,
            defaults={"created_at": timezone.now(), "created_by": by.name},
        )
        if new:
            audit.note(audit.What.GRANT_ADDED, by.name, by.address, row.holder, said(plain(row)))
    return row if new else None


def remove(row: Grant, by: Actor) -> None:
    """Take it away. LastAdministrator."""
    with somebody_left():
        audit.note(audit.What.GRANT_REMOVED, by.name, by.address, row.holder, said(plain(row)))
        Grant.objects.filter(pk=row.pk).delete()  # the row itself stays of use when this is undone


def plain(row: Grant) -> access.Grant:
    """The row as the policy knows it."""
    (found,) = people.plain([row])
    return found


@contextmanager
def somebody_left() -> Iterator[None]:
    """What is done within is undone, by LastAdministrator, when it takes the last person away who administers
    everything. Who may everything without having signed in doesn't count: that is the settings' doing, and
    ends with it."""
    with transaction.atomic():
        # One such change at a time, or two that spare each other's last would take both.
        list(Grant.objects.select_for_update().filter(role=Role.ADMIN.value).order_by("pk").values("pk"))
        before = people.administrator() is not None
        yield
        if before and people.administrator() is None:
            raise LastAdministrator


def last_admin(user: User) -> bool:
    """Whether this person administers everything, and nobody else does."""
    alone = people.administrator(but=user) is None
    return alone and Actor(user.username, grants=people.grants_of(user)).governs(Right.ADMIN)


def in_order() -> list[tuple[Grant, access.Grant]]:
    """All grants in the order in which they win, those of auditors, which only add, at the end."""
    rows = list(Grant.objects.select_related("user", "group").order_by("pk"))
    pairs = list(zip(rows, people.plain(rows), strict=True))
    return sorted(pairs, key=lambda pair: (pair[1].role is not Role.AUDITOR, pair[1].weight), reverse=True)


def of_people(users: QuerySet[User]) -> dict[int, tuple[access.Grant, ...]]:
    """The grants of each of these people, by key, whether they may sign in or not. Three queries."""
    mine: dict[int, list[access.Grant]] = {pk: [] for pk in users.values_list("pk", flat=True)}
    theirs: dict[int, list[access.Grant]] = {}
    every: list[access.Grant] = []
    rows = list(Grant.objects.select_related("user", "group"))
    for row, grant in zip(rows, people.plain(rows), strict=True):
        if row.user_id is not None:
            mine.get(row.user_id, []).append(grant)
        elif row.group_id is not None:
            theirs.setdefault(row.group_id, []).append(grant)
        else:
            every.append(grant)
    joined = User.groups.through.objects.filter(group__in=list(theirs), user__in=users)
    for user, group in joined.values_list("user_id", "group_id"):
        mine[user] += theirs[group]
    return {pk: (*found, *every) for pk, found in mine.items()}


def shared(users: QuerySet[User]) -> tuple[dict[int, frozenset[int]], dict[int, access.Grant]]:
    """The same as numbers: those of each person, by key, and what grant each number stands for. Where there
    are many people, sets of numbers are quicker to compare."""
    having = of_people(users)
    numbers: dict[access.Grant, int] = {}
    held = {
        pk: frozenset(numbers.setdefault(one, len(numbers)) for one in mine) for pk, mine in having.items()
    }
    return held, {number: one for one, number in numbers.items()}


def of_group(group: Group | None) -> tuple[access.Grant, ...]:
    """What somebody has of whom only this group is known; without one, who has signed in at all."""
    having = Q(user=None, group=None) | (Q(group=group) if group else Q(pk=None))
    return people.plain(Grant.objects.filter(having).select_related("user", "group"))


def able(right: Right, registry: str, name: str) -> dict[access.Grant | None, list[str]]:
    """Everybody who has that right over the repository of that name: their names, by the grant that gives it;
    None stands for what everybody is."""
    found: dict[access.Grant | None, list[str]] = {}
    known: dict[frozenset[int], access.Decision] = {}
    users = User.objects.filter(is_active=True).order_by("username")
    held, every = shared(users)
    here = frozenset(number for number, one in every.items() if one.covers(registry, name))
    for pk, username in users.values_list("pk", "username"):
        those = held[pk] & here
        if those not in known:
            actor = Actor("", people.everyone(), grants=tuple(every[number] for number in those))
            known[those] = actor.decide(registry, name)
        if right in known[those].rights:
            found.setdefault(giving(right, known[those]), []).append(username)
    return found


def giving(right: Right, decision: access.Decision) -> access.Grant | None:
    """The grant that gives the right; None when it is what everybody is."""
    winner: Iterable[access.Grant] = (decision.winner,) if decision.winner else ()
    return next((grant for grant in (*winner, *decision.adds) if grant.allows(right)), None)
