"""`regui undo ID`: take an action back; one that hasn't begun is merely stopped."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from regui.actions import documents, journal, plans, undo
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.index import fetch
from regui.management.changing import Changing
from regui.management.references import action, permit
from regui.management.speaking import DONE, Refusal

State = Action.State


class Command(Changing):
    help = "Take an action back, as far as the registry still has what it takes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", metavar="ID", help="as regui activity shows it")

    def change(self, options: dict[str, Any]) -> int:
        found = action(self.actor, options["id"])
        if found.state == State.WAITING and not options["dry_run"]:
            permit(self.actor, found, found.kind)
            found = journal.cancel(found, timezone.now())
        if found.state == State.CANCELLED:
            self.answer(documents.of_action(found))
            self.say("Stopped before it began: nothing was changed.")
            return DONE
        return super().change(options)

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
