"""What the page of one's own account shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from allauth.mfa.models import Authenticator

from regui.accounts import sessions
from regui.accounts.access import ANY, Actor, Grant, Holder, Role
from regui.accounts.models import User
from regui.accounts.sessions import Session
from regui.patterns import ANYWHERE
from regui.web import browsers
from regui.web.http import Request

Type = Authenticator.Type
ALLOWS = {
    Role.NONE: "nothing",
    Role.AUDITOR: "see all, and who did what",
    Role.READER: "see",
    Role.DEVELOPER: "see, set tags, copy",
    Role.MAINTAINER: "see, set tags, copy, delete, restore",
    Role.ADMIN: "do everything",
}


@dataclass(frozen=True)
class Shown:
    """A session with its browser in words."""

    session: Session

    @property
    def browser(self) -> str:
        return browsers.words(self.session.browser)

    @property
    def icon(self) -> str:
        return browsers.icon(self.session.browser)


@dataclass(frozen=True)
class Held:
    """A grant of theirs, in words."""

    grant: Grant

    @property
    def allows(self) -> str:
        return ALLOWS[self.grant.role]

    @property
    def whose(self) -> str:
        """To whom it was given."""
        match self.grant.kind:
            case Holder.USER:
                return "given to you"
            case Holder.GROUP:
                return f"given to the group {self.grant.holder}"
        return "given to everyone who signs in"

    @property
    def every(self) -> bool:
        """Whether it speaks of every repository."""
        return self.grant.pattern == ANYWHERE

    @property
    def anywhere(self) -> bool:
        """Whether it speaks of every registry."""
        return self.grant.registry == ANY


@dataclass(frozen=True)
class Account:
    """A person, with what they may do, how they sign in and where they are signed in."""

    user: User
    actor: Actor
    sessions: Sequence[Shown]

    @property
    def grants(self) -> list[Held]:
        """What was granted to them, the most particular first, as it counts."""
        return [Held(grant) for grant in (*self.actor.weighed, *self.actor.adding)]

    @property
    def anyway(self) -> str:
        """What everybody may do here, signed in or not; empty when that is nothing."""
        return ALLOWS[self.actor.role] if self.actor.role is not Role.NONE else ""

    @property
    def others(self) -> bool:
        """Whether they are signed in elsewhere, too."""
        return any(not one.session.current for one in self.sessions)

    @cached_property
    def groups(self) -> list[str]:
        return sorted(self.user.groups.values_list("name", flat=True))

    @cached_property
    def factors(self) -> list[Authenticator]:
        return list(Authenticator.objects.filter(user=self.user).order_by("created_at"))

    @property
    def app(self) -> Authenticator | None:
        """The authenticator app, if they have one."""
        return next((one for one in self.factors if one.type == Type.TOTP), None)

    @property
    def passkeys(self) -> list[Authenticator]:
        return [one for one in self.factors if one.type == Type.WEBAUTHN]

    @property
    def codes_left(self) -> int | None:
        """How many recovery codes are unused; None when they have none."""
        codes = next((one for one in self.factors if one.type == Type.RECOVERY_CODES), None)
        return len(codes.wrap().get_unused_codes()) if codes else None

    @property
    def secures(self) -> bool:
        """Whether they can change their second factors: they must be able to say once more who they are."""
        return self.user.has_usable_password() or bool(self.factors)


def of(request: Request) -> Account:
    """The account of who asks, who has signed in."""
    user = cast("User", request.user)
    return Account(user, request.actor, [Shown(one) for one in sessions.of(user, request)])
