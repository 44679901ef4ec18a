"""What somebody wants of a new token, and what is wrong with that."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from regui.accounts import access
from regui.accounts.access import ANY, Actor, Right, Role
from regui.accounts.models import Token, User
from regui.accounts.tokens import LONGEST
from regui.env import parse_duration
from regui.patterns import ANYWHERE, check_repositories

NEVER = "never"
LIVES = ("30d", "90d", "365d")
UNITS = {"day": 86_400, "hour": 3600, "minute": 60, "second": 1}
ROLES = (Role.READER, Role.DEVELOPER, Role.MAINTAINER, Role.ADMIN, Role.AUDITOR)


@dataclass(frozen=True)
class Wish:
    """A token as it was asked for; `life` is a length of time such as `90d`, or `never` for one without
    end."""

    name: str = ""
    role: str = ""
    registry: str = ANY
    pattern: str = ANYWHERE
    life: str = ""

    @property
    def scope(self) -> access.Grant:
        """Of a wish without faults."""
        return access.Grant(Role(self.role), self.registry, self.pattern)

    def until(self, now: datetime) -> datetime | None:
        """When the token ends; None for never. Of a wish without faults."""
        return None if self.life == NEVER else now + parse_duration(self.life)


def faults(
    wish: Wish, owner: User | None, roles: Collection[Role], registries: Collection[str]
) -> dict[str, str]:
    """What is wrong with a wish for a token of that owner, or for a robot, in a sentence for each part of it:
    it may take one of these roles, in one of these registries or in any."""
    found = {
        "name": of_name(wish.name, owner),
        "role": "" if wish.role in {role.value for role in roles} else named("a role", roles),
        "registry": "" if wish.registry in {ANY, *registries} else "There is no registry of that name.",
        "pattern": of_pattern(wish.pattern),
        "life": of_life(wish.life),
    }
    return {part: why for part, why in found.items() if why}


def named(what: str, roles: Collection[Role]) -> str:
    return f"This must be {what}: {', '.join(role.value for role in roles)}."


def of_name(name: str, owner: User | None) -> str:
    if not (0 < len(name) <= LONGEST and name.isprintable()):
        return f"This must be 1 to {LONGEST} characters that can be printed."
    if Token.objects.filter(owner=owner, name=name, revoked_at=None).exists():
        return "There is one of that name already: revoke it first, or choose another."
    return ""


def of_pattern(pattern: str) -> str:
    try:
        check_repositories(pattern)
    except ValueError as error:
        return f"This {error}."
    return ""


def of_life(life: str) -> str:
    most = longest()
    if life == NEVER:
        return f"No token may live longer than {in_days(most)} here." if most else ""
    try:
        asked = parse_duration(life)
    except ValueError as error:
        return f"This {error}."
    if not asked:
        return "This must be longer than no time at all."
    return f"No token may live longer than {in_days(most)} here." if most and asked > most else ""


def longest() -> timedelta:
    """How long a token may live; zero for as long as anybody likes."""
    most: timedelta = settings.TOKEN_MAX_AGE
    return most


def lives() -> list[tuple[str, str]]:
    """The lengths of life to choose from, with the words for them."""
    most = longest()
    if not most:
        return [(life, in_days(parse_duration(life))) for life in LIVES] + [(NEVER, "never")]
    shorter = [life for life in LIVES if parse_duration(life) < most]
    return [(life, in_days(parse_duration(life))) for life in [*shorter, written(most)]]


def written(length: timedelta) -> str:
    """The length as the settings write it: `90d`."""
    count, unit = whole(length)
    return f"{count}{unit[0]}"


def in_days(length: timedelta) -> str:
    """The length in words: 90 days, 12 hours."""
    count, unit = whole(length)
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def whole(length: timedelta) -> tuple[int, str]:
    """The length in the largest unit that leaves nothing over."""
    seconds = int(length.total_seconds())
    unit = next(unit for unit, size in UNITS.items() if seconds % size == 0)
    return seconds // UNITS[unit], unit


def offered(actor: Actor) -> list[Role]:
    """The roles that a token of theirs could have: nothing beyond what they may do somewhere, or it would
    grow when they do."""
    own = {right for right in Right if actor.ever(right)}
    return [role for role in ROLES if access.RIGHTS[role] <= own]
