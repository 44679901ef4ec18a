"""`regui policies list|export|import`: policies as code."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from regui.accounts import access
from regui.actions.models import PolicyRow
from regui.actions.retention import book, rights
from regui.management import references, speaking, taking
from regui.management.speaking import Refusal
from regui.management.taking import Taken
from regui.retention import documents
from regui.retention.documents import Wrong


class Command(speaking.Command):
    help = "List policies that clean up, write them to a file, and take them up from one."
    scoped = True

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", metavar="list|export|import", required=True)
        listed = verb(verbs, "list", "list policies, a line for each")
        listed.add_argument("registry", nargs="?", metavar="REGISTRY", help="only of this one")
        out = verb(verbs, "export", "write policies as YAML")
        out.add_argument("registry", nargs="?", metavar="REGISTRY", help="only of this one")
        out.add_argument("--output", metavar="FILE", help="where to; else to standard output")
        taken = verb(verbs, "import", "take policies up from YAML: all of a file or nothing")
        taken.add_argument("file", metavar="FILE", help="- for standard input")
        taken.add_argument("--dry-run", action="store_true", help="only show what that would do")
        taken.add_argument(
            "--prune",
            action="store_true",
            help="remove what else there is in the registries that the file names",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        {"list": self.list, "export": self.export, "import": self.take_up}[options["verb"]](options)

    def rows(self, options: dict[str, Any]) -> Sequence[PolicyRow]:
        """The policies that are asked for. Raises like `references.registry`, and `access.Forbidden` for
        whom policies of the registry they name are nothing to see."""
        if options["registry"]:
            registry = references.registry(self.actor, options["registry"])
            rights.enter(self.actor, registry)
            return list(book.visible(self.actor, registry))
        rows = access.registries(self.actor)
        return [row for registry in rows for row in book.visible(self.actor, registry)]

    def list(self, options: dict[str, Any]) -> None:
        """List them."""
        rows = self.rows(options)
        self.answer({"items": [as_json(row) for row in rows]})
        if not self.as_json:
            for row in rows:
                self.say(line(row))
            if not rows:
                self.complain("There is no policy to list.")

    def export(self, options: dict[str, Any]) -> None:
        """Write them down: to a file, or nothing else to standard output."""
        policies = [row.policy for row in self.rows(options)]
        text, name = documents.write(policies), options["output"]
        if name:
            try:
                Path(name).write_text(text, encoding="utf-8")
            except OSError as error:
                raise Refusal(f"{name} can't be written: {error.strerror}.", code="usage") from error
            self.say(f"{name} has {len(policies):,} {'policy' if len(policies) == 1 else 'policies'}")
        self.answer({"policies": [policy.plain() for policy in policies]})
        if not name and not self.as_json:
            self.stdout.write(text, ending="")

    def take_up(self, options: dict[str, Any]) -> None:
        """Take up what is in the file."""
        dry = options["dry_run"]
        try:
            document = documents.load(content(options["file"]))
            found = taking.take(document, self.actor, timezone.now(), prune=options["prune"], dry_run=dry)
        except Wrong as error:
            raise refused(error) from error
        self.answer({"dry_run": dry} | found.document)
        self.tell(found, dry=dry)

    def tell(self, found: Taken, *, dry: bool) -> None:
        """Say what was done, a line for each policy that it was done to."""
        would = "would be " if dry else ""
        for name in found.added:
            self.say(f"{name} {would}added")
        for name, differs in found.changed.items():
            self.say(f"{name} {would}changed")
            for value, (before, after) in differs.items():
                self.say(f"  {value}: {said(before)} → {said(after)}")
        for name in found.removed:
            self.say(f"{name} {would}removed")
        if found.unchanged:
            self.say(f"{len(found.unchanged):,} unchanged")
        if (found.added or found.changed) and not dry:
            self.say("What is new, or does something else now, waits for somebody to look at its dry run.")


def verb(verbs: Any, name: str, what: str) -> argparse.ArgumentParser:
    """The parser of one of the verbs. What stands behind a verb is its own, so it takes `--json` too."""
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=what, description=what, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one object")
    return parser


def content(name: str) -> bytes:
    """What is in the file, and not much more than may be. Raises `Refusal`."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(documents.LARGEST + 1)
        with Path(name).open("rb") as file:
            return file.read(documents.LARGEST + 1)
    except OSError as error:
        raise Refusal(f"{name} can't be read: {error.strerror}.", code="usage") from error


def refused(error: Wrong) -> Refusal:
    """The refusal of a document, line by line."""
    return Refusal(
        "Nothing was taken up: the document can't be meant.",
        code="invalid",
        details={"problems": [one._asdict() for one in error.problems]},
        lines=[str(one) for one in error.problems],
    )


def said(value: Any) -> str:
    """A value of a policy in a line; rules and patterns one after the other."""
    if value is None:
        return "unsaid"
    if not isinstance(value, list):
        return str(value)
    parts = [
        " ".join(f"{k} {said(v)}" for k, v in one.items()) if isinstance(one, dict) else one for one in value
    ]
    return "; ".join(parts) or "none"


def line(row: PolicyRow) -> str:
    """A policy in one line."""
    policy = row.policy
    when = f"at {policy.schedule}" if policy.schedule else "without a schedule"
    state = "paused" if row.paused else "in force" if row.is_approved else "not approved"
    return f"{row}  {', '.join(policy.repositories)}  {len(policy.rules):,} rules  {when}  {state}"


def as_json(row: PolicyRow) -> dict[str, Any]:
    """A policy for a program, with how it stands."""
    return {
        "policy": row.policy.plain(),
        "owner": row.owner,
        "paused": row.paused,
        "approved": row.is_approved,
        "next_at": row.next_at.isoformat() if row.next_at else None,
        "changed_by": row.changed_by,
        "changed_at": row.changed_at.isoformat(),
    }
