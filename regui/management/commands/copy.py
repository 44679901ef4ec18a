"""`regui copy main team/app:1.0 other prod/app:1.0`: copy a manifest to another repository."""

import getpass
import json
import sys
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from regui import oci
from regui.accounts import access
from regui.accounts.access import Actor, Right, Role
from regui.actions import copying, run
from regui.actions.kinds import NOW
from regui.actions.models import Action
from regui.actions.plans import Plan, shortened
from regui.index.models import Repository

FAILED, REFUSED, PERSON, STALE = 1, 2, 3, 4
COLUMNS = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())


class Command(BaseCommand):
    help = (
        "Copy a tag, or a digest, with all it contains and what speaks about it. Exits with 0 when it is "
        "done, 1 when not all of it could be, 2 when it can't be asked for so, 3 when a person has to agree, "
        "4 when a registry changed meanwhile."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", metavar="REGISTRY")
        parser.add_argument("reference", metavar="REFERENCE", help="such as team/app:1.0")
        parser.add_argument("to_registry", metavar="REGISTRY", help="where it goes")
        parser.add_argument("to", metavar="REPOSITORY[:TAG]", help="its name there; without a tag, the same")
        parser.add_argument(
            "--platform",
            action="append",
            default=[],
            metavar="OS/ARCH",
            help="of an index only this, and others that are named so",
        )
        parser.add_argument(
            "--no-referrers", action="store_true", help="leave signatures, SBOMs and attestations behind"
        )
        parser.add_argument("--dry-run", action="store_true", help="only show what it would take")
        parser.add_argument("--yes", action="store_true", help="don't ask; needed without a terminal")
        parser.add_argument("--json", action="store_true", help="print one object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        self.console = Console(
            file=sys.stderr if options["json"] else sys.stdout, markup=False, highlight=False
        )
        self.actor = Actor(f"local:{getpass.getuser()}", Role.ADMIN)
        try:
            plan = self.plan(options)
            self.show(plan)
            if not plan.check.complete:
                raise CommandError(
                    f"not everything could be checked: {plan.check.problem}", returncode=FAILED
                )
            if not plan.steps and plan.lost:
                raise CommandError("it can't be copied as it is", returncode=REFUSED)
            found = plan.as_json() if options["dry_run"] else self.done(plan, ask=not options["yes"])
        except (oci.InvalidName, oci.NotFound) as error:
            raise CommandError(str(error), returncode=REFUSED) from error
        except oci.Error as error:
            raise CommandError(f"{error} {error.hint}", returncode=FAILED) from error
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2, sort_keys=True))
        if found.get("state", Action.State.DONE) != Action.State.DONE:
            raise CommandError(found["reason"] or f"it is {found['state']}", returncode=FAILED)

    def plan(self, options: dict[str, Any]) -> Plan:
        """The plan that was asked for."""
        name, reference = parted(options["reference"])
        to, tag = parted(options["to"])
        tag = tag or ("" if oci.is_digest(reference) else reference)
        if not reference or not tag or oci.is_digest(tag):
            raise CommandError("say which tag: team/app:1.0", returncode=REFUSED)
        return copying.look(
            self.repository(options["registry"], name, Right.SEE),
            reference,
            self.repository(options["to_registry"], to, Right.PUSH),
            tag,
            platforms=options["platform"],
            referrers=not options["no_referrers"],
            max_age=NOW,
        )

    def repository(self, registry: str, name: str, right: Right) -> Repository:
        known = {row.name: row for row in access.registries(self.actor)}
        if registry not in known:
            raise CommandError(
                f"there is no registry named {registry}, only {', '.join(known)}", returncode=REFUSED
            )
        return access.repository(self.actor, known[registry], oci.check_repository(name), right)

    def show(self, plan: Plan) -> None:
        """Say what the plan would do."""
        say = partial(self.console.print, soft_wrap=True)
        say(f"{plan.registry}/{plan.repository}:{plan.named[0]} will be on {plan.digest}")
        for tag in plan.tags:
            say(f"  {tag.name} is on {shortened(tag.digest)} there now")
        for one in plan.copied:
            say(f"  {one.role} {shortened(one.digest)} {one.tag or one.platform}".rstrip())
        for line in plan.lost:
            say(f"  {line}", style="yellow")
        load = plan.load
        say(f"  {load.sent:,} bytes to send, {load.mounted:,} to mount, {load.there:,} there already")

    def done(self, plan: Plan, *, ask: bool) -> dict[str, Any]:
        """What became of the plan, once somebody has agreed to it."""
        if ask and not (sys.stdin.isatty() and self.console.is_terminal):
            raise CommandError("nobody agreed to this: --yes does", returncode=PERSON)
        if ask and self.console.input('Type "yes" to go on: ').strip() != "yes":
            raise CommandError("nothing was changed", returncode=REFUSED)
        try:
            action = run.start(plan, self.actor)
        except run.Stale as error:
            raise CommandError(str(error), returncode=STALE) from error
        with Progress(*COLUMNS, console=self.console, disable=not self.console.is_terminal) as progress:
            bar = progress.add_task(plan.repository, total=action.bytes_total or None)

            def watch(one: Action) -> None:
                progress.update(bar, completed=one.bytes_done)

            ended = run.carry_out(action, watch=watch)
        return {
            "action": ended.pk,
            "state": str(ended.state),
            "reason": ended.reason,
            "digest": ended.digest,
            "bytes": ended.bytes_done,
        }


def parted(text: str) -> tuple[str, str]:
    """A repository's name, and its tag or digest; empty when there is none."""
    name, _, digest = text.partition("@")
    if digest:
        return name, oci.Digest.parse(digest)
    before, _, tag = text.rpartition(":")
    return (before, tag) if before and "/" not in tag else (text, "")
