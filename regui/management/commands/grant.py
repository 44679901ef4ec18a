"""`regui grant add|list|remove`: who may do what."""

from typing import Any

from django.core.management.base import CommandParser

from regui import patterns
from regui.accounts import explaining, grants
from regui.accounts.access import ANY, Role
from regui.accounts.grants import LastAdministrator, Wanted, Wrong
from regui.accounts.local import local
from regui.accounts.models import Grant
from regui.management import holders
from regui.management.speaking import Command as Speaking
from regui.management.speaking import Refusal
from regui.web import granting


class Command(Speaking):
    help = "Give a role over repositories to a person, a group or everyone; take it away; list them all."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # Else an option between them would end what stands without one.
        parser.parse_args = parser.parse_intermixed_args
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=("add", "list", "remove"))
        parser.add_argument("role", nargs="?", metavar="ROLE", help=", ".join(role.value for role in Role))
        parser.add_argument(
            "repositories", nargs="?", help="a pattern of repositories: team/app, team/**; all when left out"
        )
        holders.add_arguments(parser)
        parser.add_argument("--registry", default="", metavar="NAME", help="in this one only; else in any")

    def handle(self, *args: Any, **options: Any) -> None:
        holder = holders.named(options)
        if options["verb"] == "list":
            if options["role"]:
                raise usage("A list takes no role.")
            self.listed(holder, options["registry"])
            return
        if holder is None or not options["role"]:
            raise usage("Say which role, and for whom: --person, --group or --everyone.")
        try:
            wanted = granting.Form(
                *holder, options["registry"], options["repositories"] or "", options["role"]
            ).wanted()
            self.change(wanted, adding=options["verb"] == "add")
        except Wrong as error:
            raise holders.refused(error) from error
        except LastAdministrator as error:
            hint = "First make somebody else an admin of everything."
            raise Refusal(str(error), code="last-administrator", hint=hint) from error

    def change(self, wanted: Wanted, *, adding: bool) -> None:
        """Give it or take it away, and say whether that changed anything."""
        actor = local()
        row = found(wanted)
        if adding and row is None:
            grants.add(wanted, actor)
        elif row and not adding:
            grants.remove(row, actor)
        changed = (row is None) == adding
        plain = grants.plain(made(wanted))
        self.answer(holders.as_json(plain) | {"changed": changed})
        as_before = "was granted already" if adding else "was not granted"
        said = ("granted" if adding else "taken away") if changed else as_before
        self.say(f"{explaining.said(plain)} for {explaining.holder(plain)}: {said}")

    def listed(self, holder: tuple[str, str] | None, registry: str) -> None:
        """Say the grants in the order in which they win, one a line."""
        rows = [(row, plain) for row, plain in grants.in_order() if not registry or plain.reaches(registry)]
        if holder:
            rows = [pair for pair in rows if (holders.KINDS[pair[1].kind], pair[1].holder) == holder]
        self.answer(
            {
                "grants": [
                    holders.as_json(plain) | {"by": row.created_by, "at": row.created_at.isoformat()}
                    for row, plain in rows
                ]
            }
        )
        for row, plain in rows:
            self.say(f"{explaining.said(plain)} for {explaining.holder(plain)}  by {row.created_by}")


def found(wanted: Wanted) -> Grant | None:
    """The row of that grant, when there is one."""
    return Grant.objects.filter(
        user=wanted.user,
        group=wanted.group,
        registry=wanted.registry,
        pattern=wanted.pattern,
        role=wanted.role,
    ).first()


def made(wanted: Wanted) -> Grant:
    """A row that says the same."""
    return Grant(
        user=wanted.user,
        group=wanted.group,
        registry=wanted.registry or ANY,
        pattern=wanted.pattern or patterns.ANYWHERE,
        role=wanted.role,
    )


def usage(why: str) -> Refusal:
    """The end of a call that can't be meant."""
    return Refusal(why, code="usage", hint="regui grant --help says how it is used.")
