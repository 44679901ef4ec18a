"""`regui retain [REGISTRY] [POLICY …]`: clean up by policies now, or say what that would do."""

import sys
import threading
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from regui.accounts import access
from regui.actions.models import PolicyRow, Run
from regui.actions.plans import shortened
from regui.actions.retention import book, leaving, rights, runs, told
from regui.index.models import Registry
from regui.management import foreground, references
from regui.management.speaking import DONE, DROPS, FAILED, PERSON, Refusal
from regui.management.speaking import Command as Speaking
from regui.web.templatetags.regui import size
from regui.web.words import counted

State, Trigger = Run.State, Run.Trigger
# What became of a run that nobody here goes on with.
LEFT = "Nothing went on for a minute and a half. A worker, or the next regui retain, goes on with it."
# Of several runs, the status that matters most comes first.
FIRST = (FAILED, PERSON, DROPS, DONE)
NONE_OF_THEIRS = "{} may see only policies of their own, and there are none."
WIDER = "A token with a wider scope could."


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
        there = self.entered(options["registry"])
        found = [row for registry in there for row in book.visible(self.actor, registry)]
        if not found and not all(rights.sees_all(self.actor, registry) for registry in there):
            raise Refusal(NONE_OF_THEIRS.format(self.actor.name), code="forbidden", hint=WIDER)
        rows = [row for row in found if options["policies"] or not row.paused]
        names = [row.name for row in rows]
        for name in options["policies"]:
            if name not in names:
                only = f", only {', '.join(names)}" if names else ""
                raise Refusal(f"There is no policy named {name}{only}.", code="not-found")
        return [row for row in rows if not options["policies"] or row.name in options["policies"]]

    def entered(self, name: str | None) -> list[Registry]:
        """The registry of that name, or without one all of whose policies they may look at some. Raises as
        `chosen`: to see nothing is not the same as that there is nothing."""
        if name:
            registry = references.registry(self.actor, name)
            rights.enter(self.actor, registry)
            return [registry]
        there = list(access.registries(self.actor))
        if not there and not self.actor.trusted:
            raise Refusal(f"{self.actor.name} may see no registry.", code="forbidden", hint=WIDER)
        may = [one for one in there if rights.may_enter(self.actor, one)]
        if there and not may:
            rights.enter(self.actor, there[0])
        return may

    def run(self, row: PolicyRow, options: dict[str, Any], stop: threading.Event) -> Run:
        """The run of one policy, as it ended or asks or was left to a worker, once it was told of."""
        dry = options["dry_run"]
        begun = runs.begin(row, self.actor, Trigger.COMMAND, timezone.now(), dry=dry)
        run = foreground.carry_out_run(begun, self.actor, stop)
        if run.decided_at:
            self.tell(run)
        if run.state == State.ASKING and options["yes"] and not stop.is_set():
            approved = runs.approve(run, self.actor, timezone.now())
            run = foreground.carry_out_run(approved, self.actor, stop)
        self.conclude(run)
        return run

    def tell(self, run: Run) -> None:
        """Say what a run found."""
        self.say(f"{run.registry}/{run.policy}", "bold")
        where = counted(run.repositories, "repository", "repositories")
        self.say(f"  {counted(run.tags, 'tag')} in {where}: {run.keeps:,} stay, {run.drops:,} go")
        freed = f", frees at most {size(run.frees)}" if run.frees is not None else ""
        self.say(f"  {counted(run.manifests, 'digest')} go, {run.untagged:,} of them without a tag{freed}")
        hidden = 0
        for part in run.parts.all():
            if self.actor.may(access.Right.SEE, run.registry, part.repository):
                self.part(leaving.Outcome(part, over=run.went is not None))
            else:
                hidden += 1
        if hidden:
            self.say(f"  and {counted(hidden, 'repository', 'repositories')} that you may not see")

    def part(self, found: leaving.Outcome) -> None:
        """Say what goes of one repository, or went, and what was left, and why."""
        part, went = found.part, found.went
        everything = ", all of them" if part.tags and part.tags == len(went) else ""
        self.say(f"  {part.repository}: {len(went):,} of {counted(part.tags, 'tag')}{everything}")
        for tag, digest, reason in went:
            self.say(f"    {tag} ({shortened(digest)}) {reason}")
        for digest in found.bare:
            self.say(f"    {digest} has no tag")
        for tag, digest, reason in found.left:
            self.say(f"    {tag or digest} is left, {reason}")

    def conclude(self, run: Run) -> None:
        """Say how a run ended."""
        if run.went is not None and (run.drops or run.untagged):
            self.say(
                f"  Dropped {run.went:,} of {run.drops:,} tags, left {run.left:,}; deleted {run.deleted:,} "
                f"digests, which frees {size(run.freed)}."
            )
        for part in run.parts.exclude(reason=""):
            if self.actor.may(access.Right.SEE, run.registry, part.repository):
                self.complain(f"{part.repository}: {part.reason}")
        if run.state == State.DONE:
            self.say("  Done." if run.drops or run.untagged else "  There is nothing to do.", "green")
        elif run.state == State.ASKING:
            self.complain(f"{run.policy} waits for a person. {run.reason} --yes approves it.")
        elif run.is_open:
            self.complain(f"{run.policy}: left to a worker: {LEFT}")
        elif run.state != State.DRY:
            self.complain(f"{run.policy}: {run.get_state_display()}. {run.reason}".rstrip())


def status_of(run: Run) -> int:
    """The exit status that says how a run ended."""
    if run.state == State.DRY:
        return DROPS if run.drops or run.untagged else DONE
    return {State.DONE: DONE, State.ASKING: PERSON}.get(State(run.state), FAILED)
