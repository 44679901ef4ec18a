"""How our commands speak: to a person line by line; with `--json` to a program, by one object on standard
output, and to whoever watches on standard error. And what their exit status means.
"""

import logging
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.http import Http404
from rich.console import Console
from rich.text import Text

from regui import oci
from regui.accounts import access, people
from regui.accounts.access import Actor
from regui.accounts.local import BadToken, local
from regui.actions import documents

# DONE is for all of it and nothing less; FAILED for none or a part; REFUSED for what regui doesn't know or
# won't do; PERSON for what only a person can decide; STALE when the registry isn't as the plan says any more;
# DROPS when a dry run found something to drop, as diff says that two files differ.
DONE, FAILED, REFUSED, PERSON, STALE, DROPS = range(6)
NOBODY = "What REGUI_TOKEN holds opens nothing: it isn't known, is over, or was revoked."
ANOTHER = "Set it to a token that is good, or to nothing to act as this machine's user."
# What Django's commands take and ours have no use for.
UNUSED = {
    *("--version", "--verbosity", "--settings", "--pythonpath", "--skip-checks", "--force-color"),
    "--traceback",
}


class Refusal(CommandError):
    """What ends a command, in one sentence. `code` is a slug for programs, `hint` what a person can do,
    `details` what else a program may want to know, `lines` what people get to read of that."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = REFUSED,
        hint: str = "",
        details: Mapping[str, Any] | None = None,
        lines: Sequence[str] = (),
    ) -> None:
        super().__init__(message, returncode=status)
        self.code, self.hint, self.details, self.lines = code, hint, dict(details or {}), lines

    @property
    def document(self) -> dict[str, Any]:
        """The same as an object."""
        told = {"code": self.code, "message": str(self), "hint": self.hint, "details": self.details}
        return {"error": told}


def of_registry(error: oci.Error) -> Refusal:
    """What the registry said, or didn't: that something isn't there is an answer, anything else a failure."""
    if isinstance(error, oci.NotFound | oci.InvalidName):
        return Refusal(str(error), code=error.code, hint="Check the spelling.")
    return Refusal(str(error), code=error.code, status=FAILED, hint=error.hint)


def of_forbidden(error: access.Forbidden) -> Refusal:
    """What somebody may not do, with who could."""
    if isinstance(error, access.Unborne):
        why = (
            f"{error.registry} asks everybody who they are, and a token has no credentials of its own there."
        )
        return Refusal(why, code="needs-credentials", hint="Use regui's pages, or no token.")
    names = people.who_could(error.right, error.registry, error.name)
    hint = f"Ask somebody who could: {', '.join(names)}." if names else "A token with a wider scope could."
    return Refusal(str(error), code="forbidden", hint=hint, details={"who_could": names})


class Sitting(BaseCommand):
    """A command that knows who runs it. One that is `scoped` asks by itself for the rights that it takes; any
    other is for whoever may do everything, be it by a token."""

    requires_system_checks = []
    scoped = False
    actor: Actor

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            self.actor = local()
            if not self.scoped:
                access.site_admin(self.actor)
            return super().execute(*args, **options)
        except BadToken as error:
            raise Refusal(NOBODY, code="unauthorized", hint=ANOTHER) from error
        except access.Forbidden as error:
            raise of_forbidden(error) from error
        except Http404 as error:
            raise Refusal(
                str(error), code="not-found", hint="It may be gone, or not for you to see."
            ) from error


class Command(Sitting):
    """A command that says everything it has to say by `self.console`, and its result as `self.answer`s."""

    suppressed_base_arguments = UNUSED
    as_json = False
    console: Console

    def run_from_argv(self, argv: list[str]) -> None:
        """Run for the console script. What ends it is one line, or one object, and its status."""
        self.as_json = "--json" in argv
        logging.getLogger("regui").setLevel(logging.WARNING)  # a command itself says what it does
        try:
            # Unlike Django's own way this raises what is wrong with the arguments: that may become an object.
            parser = self.create_parser(argv[0], argv[1])
            options = vars(parser.parse_args(argv[2:]))
            self.execute(*options.pop("args", ()), **options)
        except CommandError as error:
            sys.exit(self.refused(error, f"{argv[0]} {argv[1]}"))
        finally:
            connections.close_all()

    def refused(self, error: CommandError, usage: str) -> int:
        """Say what went wrong; the exit status."""
        if not isinstance(error, Refusal):
            said = str(error).removeprefix("Error: ").rstrip(".")
            hint = f"{usage} --help says how it is used."
            error = Refusal(f"{said[:1].upper()}{said[1:]}.", code="usage", hint=hint)
        if self.as_json:
            sys.stdout.write(documents.text(error.document))
        hint = f" {error.hint}" if error.hint else ""
        self.complain(f"{error}{hint}", error.details.get("changed", error.lines))
        return error.returncode

    def complain(self, line: str, more: Iterable[str] = ()) -> None:
        """Print what is wrong on standard error, and a line for each thing more."""
        self.stderr.write(plain("\n  ".join([f"regui: {line}", *more])))

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """The parser with what every command of ours takes."""
        # No abbreviations: what a script has written would mean something else once there are more options.
        parser: ArgumentParser = super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one object on standard output, all else on standard error",
        )
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.as_json = options["json"]
        standard = options.get("stdout") or sys.stdout, options.get("stderr") or sys.stderr
        self.console = Console(
            file=standard[self.as_json],
            no_color=options["no_color"] or None,
            markup=False,
            highlight=False,
            emoji=False,
        )
        try:
            return super().execute(*args, **options)
        except oci.Error as error:
            raise of_registry(error) from error

    def say(self, line: str = "", style: str = "") -> None:
        """Print a line for people."""
        self.console.print(Text(plain(line), style), soft_wrap=True)

    def answer(self, document: Mapping[str, Any]) -> None:
        """Print the object that programs wait for; nothing without `--json`."""
        if self.as_json:
            self.stdout.write(documents.text(document))


def plain(text: str) -> str:
    """The text without what a terminal would obey: registries' own words may stand in it."""
    return "".join(one if one.isprintable() or one == "\n" else "�" for one in text)
