"""`regui person add|list|link|disable|enable [NAME]`: who has an account, from the machine itself."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from regui.accounts import audit, links, people, roster
from regui.accounts.access import Actor, Right
from regui.accounts.grants import LastAdministrator
from regui.accounts.local import local
from regui.accounts.models import User
from regui.management.speaking import Command as Speaking
from regui.management.speaking import Refusal


class Command(Speaking):
    help = "Add people, list them, make a link to set a password, disable and enable accounts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["add", "list", "link", "disable", "enable"])
        parser.add_argument("name", nargs="?", metavar="NAME", help="the person; not for list")
        parser.add_argument("--admin", action="store_true", help="add: they administer everything")
        parser.add_argument("--email", default="", help="add: an address they can sign in by, too")
        parser.add_argument(
            "--group", action="append", default=[], help="add: a group they belong to; may be given again"
        )
        parser.add_argument(
            "--drop-factors",
            action="store_true",
            help="link: take their passkeys, authenticator app and recovery codes away",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        what, name = options["what"], options["name"]
        self.actor = local()
        if (what == "list") == bool(name):
            raise usage("list goes without a name." if name else f"Say whom to {what}.")
        of_add = options["admin"] or options["email"] or options["group"]
        if (of_add and what != "add") or (options["drop_factors"] and what != "link"):
            raise usage("--admin, --email and --group go with add, --drop-factors with link.")
        if what == "list":
            self.list()
        elif what == "add":
            self.add(name, options)
        elif what == "link":
            self.link(name, drop=options["drop_factors"])
        else:
            self.change(name, what)

    def list(self) -> None:
        """Say who there is, one a line."""
        found = [document(user) for user in User.objects.order_by("username")]
        self.answer({"people": found})
        for one in found:
            marks = ["admin"] * one["admin"] + ["disabled"] * (not one["active"])
            words = [one["name"], one["email"], *marks, *(f"@{group}" for group in one["groups"])]
            self.say("  ".join(filter(None, words)))

    def add(self, name: str, options: dict[str, Any]) -> None:
        """Add them, and say the link by which they set their password."""
        try:
            user = roster.add(
                name,
                self.actor,
                email=options["email"],
                groups=options["group"],
                admin=options["admin"],
            )
        except ValidationError as error:
            raise usage(" ".join(error.messages)) from error
        self.linked(user, f"{user.username} is added. Within three days they set a password here, once:")

    def link(self, name: str, *, drop: bool) -> None:
        """Say a link by which they set a new password; with `drop` they need no second factor any more."""
        user = known(name)
        if not user.is_active:
            hint = "regui person enable lets them in."
            raise Refusal(f"{user.username} is disabled.", code="usage", hint=hint)
        if drop and Authenticator.objects.filter(user=user).delete()[0]:
            what = audit.What.SECOND_FACTOR_CHANGED
            audit.note(what, self.actor.name, about=user.username, detail="removed all")
        self.linked(user, f"Within three days {user.username} sets a password here, once:")

    def linked(self, user: User, words: str) -> None:
        link = links.absolute(links.to_password(user))
        self.answer({"person": document(user), "link": link})
        self.say(words)
        self.say(link)

    def change(self, name: str, what: str) -> None:
        """Disable or enable them."""
        change: Callable[..., bool] = roster.disable if what == "disable" else roster.enable
        user = known(name)
        try:
            changed = change(user, self.actor)
        except LastAdministrator as error:
            hint = "First make somebody else an admin of everything."
            raise Refusal(str(error), code="last-administrator", hint=hint) from error
        self.answer({"person": document(user), "changed": changed})
        self.say(f"{user.username} is {'' if changed else 'already '}{what}d")


def known(name: str) -> User:
    """The person of that name; Refusal when there is none."""
    user = roster.named(name)
    if user is None:
        raise Refusal(f"There is nobody named {name}.", code="not-found", hint="regui person list names all.")
    return user


def document(user: User) -> dict[str, Any]:
    """The person as JSON has them."""
    return {
        "name": user.username,
        "email": user.email,
        "groups": sorted(user.groups.values_list("name", flat=True)),
        # By what was granted, whatever visitors may.
        "admin": Actor(user.username, grants=people.grants_of(user)).governs(Right.ADMIN),
        "active": user.is_active,
        "second_factor": Authenticator.objects.filter(user=user).exists(),
        "signed_in_at": user.last_login.isoformat() if user.last_login else None,
    }


def usage(why: str) -> Refusal:
    """The end of a call that can't be meant."""
    return Refusal(why, code="usage", hint="regui person --help says how it is used.")
