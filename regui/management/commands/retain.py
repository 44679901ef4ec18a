"""`regui retain [REGISTRY] [POLICY …]`: clean up by policies now, or say what that would do."""

import sys
import threading
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from regui.accounts import access
from regui.actions.models import Part, PolicyRow, Run
from regui.actions.plans import shortened
from regui.actions.retention import book, rights, runs, told, turns
from regui.index.models import Registry
from regui.management import foreground, references
from regui.management.speaking import DONE, DROPS, FAILED, PERSON, Refusal
from regui.management.speaking import Command as Speaking
from regui.web.templatetags.regui import size

State, Trigger = Run.State, Run.Trigger
# Seconds between two looks at a run that a worker has.
LOOK = 0.5
# Of several runs, the status that matters most comes first.
FIRST = (FAILED, PERSON, DROPS, DONE)


class Command(Speaking):
    help = "Clean up by the policies that were approved, now; or only say what would go, and why."
    scoped = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", metavar="REGISTRY", nargs="?", help="without one, all of them")
        parser.add_argument(
            "policies", metavar="POLICY", nargs="*", help="a policy; without any, all that aren't paused"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would go, and why")
        parser.add_argument(
            "--yes", action="store_true", help="approve what was never approved, or drops more than its limit"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with foreground.stoppable() as stop:
            ended = [self.run(row, options, stop) for row in self.chosen(options) if not stop.is_set()]
        self.answer({"version": 1, "runs": [told.of_run(run, self.actor) for run in ended]})
        if not ended:
            self.say("There is no policy to run.")
        status = min((status_of(run) for run in ended), key=FIRST.index, default=DONE)
        if status:
            sys.exit(status)

    def chosen(self, options: dict[str, Any]) -> list[PolicyRow]:
        """The policies that are meant. Raises `Refusal` for one that isn't there, and Forbidden."""
        if not options["registry"]:
            there: Iterable[Registry] = access.registries(self.actor)
            rows = [row for one in there for row in book.visible(self.actor, one).filter(paused=False)]
        else:
            registry = references.registry(self.actor, options["registry"])
            rights.enter(self.actor, registry)
            found = book.visible(self.actor, registry)
            rows = list(found if options["policies"] else found.filter(paused=False))
        names = [row.name for row in rows]
        for name in options["policies"]:
            if name not in names:
                only = f", only {', '.join(names)}" if names else ""
                raise Refusal(f"There is no policy named {name}{only}.", code="not-found")
        return [row for row in rows if not options["policies"] or row.name in options["policies"]]

    def run(self, row: PolicyRow, options: dict[str, Any], stop: threading.Event) -> Run:
        """The run of one policy, as it ended or asks, once it was told of."""
        dry = options["dry_run"]
        run = self.wait(runs.begin(row, self.actor, Trigger.COMMAND, timezone.now(), dry=dry), stop)
        self.tell(run)
        if run.state == State.ASKING and options["yes"] and not stop.is_set():
            run = self.wait(runs.approve(run, self.actor, timezone.now()), stop)
        self.conclude(run)
        return run

    def wait(self, run: Run, stop: threading.Event) -> Run:
        """The run, gone on with until it has ended or asks, by us or by a worker that was faster."""
        while run.is_open:
            if stop.is_set() and not run.stop:
                run = runs.decline(run, self.actor, timezone.now())
            mine = turns.claim(run, timezone.now())
            run = runs.carry_out(mine) if mine else Run.objects.get(pk=run.pk)
            if run.is_open:
                stop.wait(LOOK)
        return run

    def tell(self, run: Run) -> None:
        """Say what a run found."""
        self.say(f"{run.registry}/{run.policy}", "bold")
        self.say(
            f"  {run.tags:,} tags in {run.repositories:,} repositories: {run.keeps:,} stay, {run.drops:,} go"
        )
        freed = f", frees at most {size(run.frees)}" if run.frees is not None else ""
        self.say(f"  {run.manifests:,} digests go, {run.untagged:,} of them without a tag{freed}")
        hidden = 0
        for part in run.parts.all():
            if self.actor.may(access.Right.SEE, run.registry, part.repository):
                self.part(part)
            else:
                hidden += 1
        if hidden:
            self.say(f"  and {hidden:,} repositories that you may not see")

    def part(self, part: Part) -> None:
        """Say what goes of one repository, and why."""
        everything = ", all of them" if part.tags and part.tags == len(part.dropped) else ""
        self.say(f"  {part.repository}: {len(part.dropped):,} of {part.tags:,} tags{everything}")
        for tag, digest, reason in part.dropped:
            self.say(f"    {tag} ({shortened(digest)}) {reason}")
        for digest in part.untagged:
            self.say(f"    {digest} has no tag")

    def conclude(self, run: Run) -> None:
        """Say how a run ended."""
        for part in run.parts.exclude(reason=""):
            if self.actor.may(access.Right.SEE, run.registry, part.repository):
                self.complain(f"{part.repository}: {part.reason}")
        if run.state == State.DONE:
            self.say("  Done." if run.drops or run.untagged else "  There is nothing to do.", "green")
        elif run.state == State.ASKING:
            self.complain(f"{run.policy} waits for a person. {run.reason} --yes approves it.")
        elif run.state != State.DRY:
            self.complain(f"{run.policy}: {run.get_state_display()}. {run.reason}".rstrip())


def status_of(run: Run) -> int:
    """The exit status that says how a run ended."""
    if run.state == State.DRY:
        return DROPS if run.drops or run.untagged else DONE
    return {State.DONE: DONE, State.ASKING: PERSON}.get(State(run.state), FAILED)
