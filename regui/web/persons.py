"""People and groups as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from regui.accounts import access, grants, members, people
from regui.accounts.access import Actor
from regui.accounts.models import Token, User
from regui.web.explained import Mine

# What counts as a second factor: recovery codes only stand in for one.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def listed(words: str) -> QuerySet[User]:
    """People by name, with whether they have a second factor: those with these words in their name, e-mail
    address or groups."""
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
    rows = User.objects.annotate(factor=Exists(factors)).select_related("identity").order_by("username")
    rows = rows.prefetch_related("groups")
    if words:
        inside = Q(username__icontains=words) | Q(email__icontains=words)
        rows = rows.filter(inside | Q(groups__in=Group.objects.filter(name__icontains=words))).distinct()
    return rows


def groups(words: str) -> QuerySet[Group]:
    """Groups by name, with how many people are in them and how much they were granted."""
    rows = Group.objects.annotate(
        people=Count("user", distinct=True), granted=Count("grants", distinct=True)
    ).order_by("name")
    return rows.filter(name__icontains=words) if words else rows


@dataclass(frozen=True)
class Listed:
    """A person in the list."""

    user: User

    @property
    def source(self) -> str:
        return members.source(self.user)

    @property
    def factor(self) -> bool:
        return bool(getattr(self.user, "factor", False))


@dataclass(frozen=True)
class Membership:
    """A group that a person is in; `given` says that another place put them there."""

    group: Group
    given: bool


@dataclass(frozen=True)
class Person:
    """A person with all there is to know about what they may do."""

    user: User

    @property
    def source(self) -> str:
        return members.source(self.user)

    @cached_property
    def mine(self) -> Mine:
        """What they may do; what they might, if they weren't disabled."""
        having = grants.of_people(User.objects.filter(pk=self.user.pk))[self.user.pk]
        return Mine(Actor(self.user.username, people.everyone(), grants=having))

    @cached_property
    def memberships(self) -> Sequence[Membership]:
        given = members.given(self.user)
        rows = self.user.groups.order_by("name")
        return [Membership(group, group.name in given) for group in rows]

    @property
    def others(self) -> QuerySet[Group]:
        """The groups they aren't in."""
        return Group.objects.exclude(user=self.user).order_by("name")

    @property
    def factor(self) -> bool:
        return bool(Authenticator.objects.filter(user=self.user, type__in=FACTORS).exists())

    @property
    def sessions(self) -> int:
        return int(UserSession.objects.filter(user=self.user).count())

    @property
    def tokens(self) -> QuerySet[Token]:
        return self.user.tokens.filter(revoked_at=None).order_by("name")

    @property
    def last_admin(self) -> bool:
        return grants.last_admin(self.user)


@dataclass(frozen=True)
class Grouped:
    """A group with who is in it and what it was granted."""

    group: Group

    @property
    def people(self) -> QuerySet[User]:
        return self.group.user_set.order_by("username")

    @property
    def grants(self) -> list[access.Grant]:
        mine = (grant for grant in grants.of_group(self.group) if grant.kind is access.Holder.GROUP)
        return sorted(mine, key=lambda grant: grant.weight, reverse=True)
