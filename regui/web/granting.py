"""Grants as their page shows them and takes them: in the order in which they win, and from a form."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.contrib.auth.models import Group

from regui import patterns
from regui.accounts import access, explaining, grants
from regui.accounts.access import ANY, Holder, Role
from regui.accounts.grants import Wanted, Wrong
from regui.accounts.models import Grant, User
from regui.web.forms import cleaned

Holding = TypeVar("Holding", User, Group)

PERSON, GROUP, EVERYONE, VISITOR = "person", "group", "everyone", "visitor"
HOLDERS = {PERSON: "A person", GROUP: "A group", EVERYONE: "Everyone who signed in"}
# What each role comes to, for who chooses one.
ROLES = {
    Role.READER: "reader: sees",
    Role.DEVELOPER: "developer: sees, sets tags, copies",
    Role.MAINTAINER: "maintainer: deletes and restores, too",
    Role.ADMIN: "admin: may everything",
    Role.AUDITOR: "auditor: sees, adds to other grants",
    Role.NONE: "none: hides",
}
ICONS = {Holder.USER: "circle-user", Holder.GROUP: "users", Holder.EVERYONE: "users"}
# How many names are offered while one types.
OFFERED = 200
OFFERED_ONLY = "must be one of those offered"


@dataclass(frozen=True)
class Form:
    """A grant as somebody typed it."""

    kind: str = PERSON
    who: str = ""
    registry: str = ANY
    pattern: str = ""
    role: str = Role.READER.value

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "Form":
        return cls(**{name: cleaned(fields.get(name, "")) for name in cls.__dataclass_fields__})

    def wanted(self) -> Wanted:
        """The grant that is meant. Wrong when there can't be one."""
        if self.kind not in HOLDERS:
            raise Wrong("kind", OFFERED_ONLY)
        holder = whom(self.kind, self.who)
        found = Wanted(
            role=self.role,
            registry=self.registry or ANY,
            pattern=self.pattern or patterns.ANYWHERE,
            user=holder if isinstance(holder, User) else None,
            group=holder if isinstance(holder, Group) else None,
        )
        found.check()
        return found


@dataclass(frozen=True)
class Row:
    """A grant in the list."""

    row: Grant
    grant: access.Grant

    @property
    def icon(self) -> str:
        return ICONS[self.grant.kind]

    @property
    def holder(self) -> str:
        return explaining.holder(self.grant)

    @property
    def everywhere(self) -> bool:
        return self.grant.registry == ANY

    @property
    def adds(self) -> bool:
        """Whether it adds to the others instead of winning over them."""
        return self.grant.role is Role.AUDITOR

    @property
    def literals(self) -> int:
        return patterns.literals(self.grant.pattern)


@dataclass(frozen=True)
class Filter:
    """Which grants are wanted: to whom they were given, of which registry, and over which repository."""

    holder: str = ""
    on: str = ""
    covers: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "Filter":
        return cls(**{name: cleaned(fields.get(name, "")) for name in cls.__dataclass_fields__})

    def __bool__(self) -> bool:
        return bool(self.holder or self.on or self.covers)

    def takes(self, row: Row) -> bool:
        grant = row.grant
        return (
            self.holder.lower() in row.holder.lower()
            and (not self.on or grant.reaches(self.on))
            and (not self.covers or self.covers in grant.pattern or self.covered(grant.pattern))
        )

    def covered(self, pattern: str) -> bool:
        return patterns.covers_repository(pattern, self.covers.strip("/"))


def wanted(which: Filter) -> tuple[list[Grant], int]:
    """The grants that are wanted, in the order in which they win, and how many there are in all."""
    every = [Row(*pair) for pair in grants.in_order()]
    return [row.row for row in every if which.takes(row)], len(every)


def rows(found: Iterable[Grant]) -> list[Row]:
    """The grants as the list shows them."""
    return [Row(row, grants.plain(row)) for row in found]


def whom(kind: str, name: str) -> User | Group | None:
    """The person or the group of that name; None for everyone. Wrong when nobody is meant."""
    if kind == PERSON:
        return known(User.objects.filter(username=name).first(), name, "person")
    if kind == GROUP:
        return known(Group.objects.filter(name=name).first(), name, "group")
    if kind in {EVERYONE, VISITOR} and name:
        raise Wrong("who", "is left empty when it is for no one person or group")
    if kind in {EVERYONE, VISITOR}:
        return None
    raise Wrong("kind", OFFERED_ONLY)


def known(found: Holding | None, name: str, what: str) -> Holding:
    if found is None:
        raise Wrong("who", f"must name a {what}{f': there is none named {name}' if name else ''}")
    return found


def names() -> Mapping[str, Sequence[str]]:
    """Names to be offered: of people and of groups."""
    return {
        "people": list(User.objects.order_by("username").values_list("username", flat=True)[:OFFERED]),
        "groups": list(Group.objects.order_by("name").values_list("name", flat=True)[:OFFERED]),
    }


def fault(error: Wrong) -> dict[str, str]:
    """What is wrong, by field, as a sentence."""
    return {error.field: f"This {error}."}


def is_key(text: str) -> bool:
    """Whether a form's text can be a row's key."""
    return text.isascii() and text.isdecimal() and len(text) < 19
