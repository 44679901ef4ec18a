"""`regui undo ID`: take an action back, or a whole run of a policy; an action that hasn't begun is merely
stopped."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from regui.accounts import access
from regui.actions import documents, journal, plans, undo
from regui.actions.models import Action, Part, Run
from regui.actions.plans import Plan
from regui.actions.retention import leaving, told
from regui.index import fetch
from regui.management import foreground, whole
from regui.management.changing import Changing
from regui.management.references import action, permit
from regui.management.speaking import DONE, FAILED, Refusal

State = Action.State


class Command(Changing):
    help = "Take an action, or a whole run of a policy, back, as far as the registry still has what it takes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", metavar="ID", help="as regui activity, or the run's page, shows it")

    def change(self, options: dict[str, Any]) -> int:
        if run := whole.found(self.actor, options["id"]):
            return self.run(run, options)
        found = action(self.actor, options["id"])
        if found.state == State.WAITING and not options["dry_run"]:
            permit(self.actor, found, found.kind)
            found = journal.cancel(found, timezone.now())
        if found.state == State.CANCELLED:
            self.answer(documents.of_action(found))
            self.say("Stopped before it began: nothing was changed.")
            return DONE
        return super().change(options)

    def run(self, run: Run, options: dict[str, Any]) -> int:
        """Take a whole run back, once somebody agreed; the exit status."""
        parts = whole.coming(self.actor, run)
        self.say(f"Run of {run.policy} on {run.registry}, {run.started_at:%Y-%m-%d %H:%M} UTC", "bold")
        for part in parts:
            if self.sees(part, run):
                self.say(f"  {part.repository}: {len(leaving.Outcome(part).went):,} tags come back")
        if options["dry_run"]:
            self.answer({"version": 1, "run": told.of_run(run, self.actor)})
            return DONE
        self.ask("yes", options)
        with foreground.stoppable() as stop:
            run = whole.take_back(run, self.actor, stop)
        return self.ended(run, parts)

    def ended(self, run: Run, parts: list[Part]) -> int:
        """Say what came back of these parts; the exit status."""
        self.answer({"version": 1, "run": told.of_run(run, self.actor)})
        well = True
        for part in run.parts.filter(pk__in=[part.pk for part in parts]):
            action = Action.objects.filter(pk=part.undo).first()
            done = action is not None and action.state == State.DONE and not part.lost
            well = well and done
            if not done and self.sees(part, run):
                how = f"its undo {action.pk} is {action.state}. {action.reason}" if action else "not undone."
                self.complain(f"{part.repository}: {how} {part.lost}".rstrip())
        if well:
            self.say("Done. The policy waits for a person before it runs again.", "green")
        return DONE if well else FAILED

    def sees(self, part: Part, run: Run) -> bool:
        return self.actor.may(access.Right.SEE, run.registry, part.repository)

    def plan(self, options: dict[str, Any]) -> Plan:
        found = action(self.actor, options["id"])
        permit(self.actor, found, plans.UNDO)
        if found.is_open:
            raise Refusal(
                f"{found.pk} hasn't ended yet.", code="open", hint=f"See regui activity {found.pk}."
            )
        if found.state not in undo.UNDOABLE:
            raise Refusal(f"There is nothing to take back: {found.pk} is {found.state}.", code="not-undoable")
        return undo.look(found, budget=fetch.LONG_BUDGET)
