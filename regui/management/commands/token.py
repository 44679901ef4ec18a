"""`regui token make|list|revoke`: tokens of robots and of people, by whoever owns the machine."""

import argparse
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from regui.accounts import tokens, wishes
from regui.accounts.access import ANY
from regui.accounts.models import Token, TokenQuerySet, User
from regui.accounts.wishes import Wish
from regui.index.models import Registry
from regui.management import speaking
from regui.management.speaking import Refusal
from regui.patterns import ANYWHERE

# What the parts of a wish are called on a command line.
OPTIONS = {
    "name": "NAME",
    "role": "--role",
    "registry": "--registry",
    "pattern": "--pattern",
    "life": "--expires",
}


class Command(speaking.Command):
    help = "Make, list and revoke tokens: of robots, or with --owner of a person."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", metavar="make|list|revoke", required=True)
        make = verb(verbs, "make", "make a token and print its secret, this once")
        make.add_argument("name", metavar="NAME", help="what the journal calls it")
        make.add_argument("--role", required=True, help=", ".join(role.value for role in wishes.ROLES))
        make.add_argument("--registry", default=ANY, metavar="NAME", help="only there; else in every one")
        make.add_argument(
            "--pattern", default=ANYWHERE, metavar="PATTERN", help="only for these repositories: team/**"
        )
        make.add_argument(
            "--expires", default="90d", metavar="AFTER", help="30d, 12h or never; 90d if unsaid"
        )
        make.add_argument("--owner", metavar="PERSON", help="theirs, so it does no more than they may")
        found = verb(verbs, "list", "list the tokens that weren't revoked")
        found.add_argument("--owner", metavar="PERSON", help="only theirs")
        found.add_argument("--robots", action="store_true", help="only robots")
        gone = verb(verbs, "revoke", "let a token open nothing any more")
        gone.add_argument("id", metavar="ID", help="its number, or how it begins, as regui token list shows")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.TOKEN:
            why = "Tokens aren't made, listed or revoked by a token."
            raise Refusal(why, code="forbidden", hint="Unset REGUI_TOKEN.")
        {"make": self.make, "list": self.list, "revoke": self.revoke}[options["verb"]](options)

    def make(self, options: dict[str, Any]) -> None:
        """Make one, and print its secret and nothing else on standard output."""
        owner = person(options["owner"])
        wish = Wish(
            options["name"], options["role"], options["registry"], options["pattern"], options["expires"]
        )
        there = Registry.objects.filter(active=True).values_list("name", flat=True)
        if faults := wishes.faults(wish, owner, wishes.ROLES, list(there)):
            part, why = next(iter(faults.items()))
            raise Refusal(f"{OPTIONS[part]}: {why}", code="usage", hint="regui token make --help says more.")
        now = timezone.now()
        token, secret = tokens.make(owner, wish.name, wish.scope, self.actor, now, wish.until(now))
        self.answer(as_json(token) | {"token": secret})
        if not self.as_json:
            self.stdout.write(secret)
        self.stderr.write(speaking.plain(f"{line(token, now)}\nIt is shown this once."))

    def list(self, options: dict[str, Any]) -> None:
        """List those there are, a line for each."""
        now = timezone.now()
        rows = listed()
        if options["owner"]:
            rows = rows.filter(owner=person(options["owner"]))
        if options["robots"]:
            rows = rows.filter(owner=None)
        found = list(rows)
        self.answer({"items": [as_json(token) for token in found]})
        if not self.as_json:
            for token in found:
                self.say(line(token, now))

    def revoke(self, options: dict[str, Any]) -> None:
        """Revoke one."""
        wanted = options["id"].removesuffix("…")
        number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19 else 0
        found = list(listed().filter(pk=number) or listed().filter(hint=wanted))
        if len(found) != 1:
            why = "Several tokens begin so" if found else "There is no such token"
            raise Refusal(f"{why}: {wanted}.", code="not-found", hint="regui token list has their numbers.")
        done = tokens.revoke(found[0], self.actor, timezone.now())
        self.answer(as_json(found[0]) | {"changed": done})
        self.say(f"{tokens.called(found[0])} opens nothing any more")


def verb(verbs: Any, name: str, what: str) -> argparse.ArgumentParser:
    """The parser of one of the verbs. What stands behind a verb is its own, so it takes `--json` too."""
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=what, description=what, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one object")
    return parser


def person(name: str | None) -> User | None:
    """The person of that name; None when none is named. Raises `Refusal` when there is none such."""
    if name is None:
        return None
    found = User.objects.filter(username=name).first()
    if found is None:
        raise Refusal(f"There is nobody named {name}.", code="not-found", hint="Check the spelling.")
    return found


def listed() -> TokenQuerySet:
    return Token.objects.filter(revoked_at=None).select_related("owner").order_by("-created_at", "-pk")


def line(token: Token, now: datetime) -> str:
    """A token in one line."""
    ends = "never expires"
    if token.expires_at:
        ends = f"{'expired' if token.has_expired(now) else 'expires'} {token.expires_at:%Y-%m-%d %H:%M}"
    used = f"used {token.used_at:%Y-%m-%d %H:%M} from {token.used_from}" if token.used_at else "never used"
    scope = tokens.in_words(tokens.scope_of(token))
    return f"{token.pk}  {token.hint}…  {tokens.called(token)}  {scope}  {ends}  {used}"


def as_json(token: Token) -> dict[str, Any]:
    """A token for a program, without its secret."""
    moments = ("created_at", "expires_at", "used_at")
    return {
        "id": token.pk,
        "name": token.name,
        "owner": token.owner.username if token.owner else None,
        "hint": token.hint,
        "role": token.role,
        "registry": token.registry,
        "pattern": token.pattern,
        "created_by": token.created_by,
        "used_from": token.used_from,
    } | {name: at.isoformat() if (at := getattr(token, name)) else None for name in moments}
