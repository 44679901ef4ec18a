"""The commands that change a registry: they show a plan, have it agreed to, and carry it out."""

import sys
import threading
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TransferSpeedColumn,
)

from regui import oci
from regui.accounts.access import Actor
from regui.actions import documents, plans, run
from regui.actions.models import Action
from regui.actions.plans import Check, Plan
from regui.index import fetch
from regui.management import foreground, telling
from regui.management.speaking import DONE, FAILED, PERSON, STALE, Command, Refusal
from regui.web import told, words

State = Action.State
STEPS: tuple[ProgressColumn, ...] = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
BYTES = (*STEPS[:2], DownloadColumn(), TransferSpeedColumn())
# So many steps are over before a bar could be read.
FEW = 3
OVERRIDE = "--override REASON goes over what is running, for who administers the registry."
LATER = "A worker, or the next start of regui, goes on with it; regui activity {} shows how it stands."


class Changing(Command, ABC):
    """A command that changes something; its own is `plan`."""

    scoped = True
    # Whether it takes something away, which may be in use.
    deletes = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser: ArgumentParser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--dry-run", action="store_true", help="only show what it would touch")
        parser.add_argument("--yes", action="store_true", help="don't ask; needed without a terminal")
        parser.add_argument(
            "--break-indexes",
            action="store_true",
            help="go on though indexes with a tag would lack an image afterwards",
        )
        if self.deletes:
            parser.add_argument(
                "--override",
                metavar="REASON",
                default="",
                help="delete also what is running somewhere, and write down why; for who administers it",
            )
        return parser

    @abstractmethod
    def plan(self, options: dict[str, Any]) -> Plan:
        """The plan that was asked for. Raises `Refusal` or `oci.Error`."""

    def handle(self, *args: Any, **options: Any) -> None:
        if status := self.change(options):
            sys.exit(status)

    def change(self, options: dict[str, Any]) -> int:
        """Show the plan, have it agreed to, and carry it out; the exit status."""
        plan = self.plan(options)
        for line in telling.plan(plan):
            self.say(*line)
        obstacle = unchecked(plan.check) if not plan.check.complete else self.broken(plan, options)
        if options["dry_run"]:
            self.answer(documents.of_plan(plan))
            if obstacle:
                self.complain(f"{obstacle} {obstacle.hint}")
            return obstacle.returncode if obstacle else FAILED if self.lacks(plan) else DONE
        if obstacle:
            raise obstacle
        return self.done(plan, options) if plan.steps else self.nothing(plan)

    def lacks(self, plan: Plan) -> bool:
        """Whether something that was asked for can't be done."""
        return bool(plan.lost)

    def broken(self, plan: Plan, options: dict[str, Any]) -> Refusal | None:
        """What stands against a plan that breaks indexes, when nobody can be asked or has agreed."""
        if not plan.breaks or options["break_indexes"] or (self.asks and not options["yes"]):
            return None
        return breaks(plan)

    @property
    def asks(self) -> bool:
        """Whether somebody sits there who has seen the plan and can answer."""
        return sys.stdin.isatty() and self.console.file.isatty()

    def agree(self, plan: Plan, options: dict[str, Any]) -> None:
        """Nothing, once somebody agreed. Raises `Refusal`."""
        self.ask("break" if plan.breaks and not options["break_indexes"] else "yes", options)

    def ask(self, word: str, options: dict[str, Any]) -> None:
        """Nothing, once somebody said that word. Raises `Refusal`."""
        if options["yes"]:
            return
        if not self.asks:
            hint = "Look at it with --dry-run; --yes agrees to it."
            raise Refusal("Nobody agreed to this.", code="not-agreed", status=PERSON, hint=hint)
        try:
            said = self.console.input(f'Type "{word}" to go on: ').strip()
        except (EOFError, KeyboardInterrupt):
            said = ""
        if said != word:
            raise Refusal("Nothing was changed.", code="declined")

    def nothing(self, plan: Plan) -> int:
        """Say that there is nothing to do; the exit status. Raises `Refusal` where that is because of what is
        protected."""
        if plan.refused:
            raise protected(plan)
        state = State.FAILED if plan.lost else State.DONE
        self.answer(documents.of_plan(plan) | {"state": state.value, "dry_run": False})
        self.say("There is nothing that can be done." if plan.lost else "There is nothing to do.")
        return FAILED if plan.lost else DONE

    def done(self, plan: Plan, options: dict[str, Any]) -> int:
        """Have the plan agreed to and carry it out; the exit status."""
        self.agree(plan, options)
        with foreground.stoppable() as stop:
            ended = self.watched(begun(plan, self.actor), len(plan.steps), stop)
        self.tell(ended)
        well = ended.state == State.DONE and not self.lacks(plan)
        if ended.state == State.DONE and not well:
            self.complain("Not all that was asked for could be done:", plan.lost)
        return DONE if well else FAILED

    def watched(self, action: Action, steps: int, stop: threading.Event) -> Action:
        """The action as it ended, with a bar at a terminal: of bytes where some are sent, else of steps."""
        sends = action.bytes_total
        dull = not self.console.is_terminal or (steps < FEW and not sends)
        columns, total = (BYTES, sends) if sends else (STEPS, steps)
        with Progress(*columns, console=self.console, transient=not sends, disable=dull) as progress:
            bar = progress.add_task(words.verb(action), total=total, completed=0 if sends else -1)

            def step() -> None:
                if not sends:
                    progress.advance(bar)

            def moved(one: Action) -> None:
                if sends:
                    progress.update(bar, completed=one.bytes_done)

            return foreground.carry_out(action, stop, step, moved)

    def tell(self, action: Action) -> None:
        """Say how the action ended."""
        for line in telling.items(action.items.all()):
            self.say(*line)
        self.answer(documents.of_action(action))
        if action.state == State.DONE:
            back = "" if action.kind == plans.UNDO else f" regui undo {action.pk} takes it back."
            self.say(f"Done.{back}", "green")
        elif action.is_open:
            self.complain(f"Nobody knows yet how this ends. {action.reason} {LATER.format(action.pk)}")
        else:
            how = told.STATES[State(action.state)].capitalize()
            self.complain(f"{how}: {action.reason} {action.hint}".rstrip(" :"))


def begun(plan: Plan, actor: Actor) -> Action:
    """The action, in the journal and claimed. Raises `Refusal` with nothing changed when the registry is no
    longer as the plan says, and any other `oci.Error`."""
    try:
        # Whoever came this far has agreed to all that the plan shows.
        return run.start(plan.agreed, actor, budget=fetch.LONG_BUDGET)
    except run.Unchecked as error:
        raise unchecked(error.plan.check) from error
    except run.Protected as error:
        raise protected(error.plan) from error
    except run.Breaks as error:
        raise breaks(error.plan) from error
    except run.Stale as error:
        raise stale(error.changed) from error
    except oci.NotFound as error:
        raise stale([str(error)]) from error


def unchecked(check: Check) -> Refusal:
    """Not all could be confirmed: the registry failed, which may pass; or what it says makes no sense, which
    somebody has to look at."""
    why = check.problem or f"{str(check).capitalize()}: the rest took too long."
    return Refusal(
        f"Not everything could be checked, so nothing was changed. {why}",
        code=check.code or "unchecked",
        status=FAILED if check.code else PERSON,
        hint=check.hint,
    )


def breaks(plan: Plan) -> Refusal:
    """Indexes would break."""
    named = "; ".join(", ".join(one.tags) for one in plan.breaks)
    return Refusal(
        f"Nothing was changed: it would break the index{'es' if len(plan.breaks) > 1 else ''} {named}.",
        code="breaks",
        status=PERSON,
        hint="--break-indexes agrees to that.",
        details={"breaks": [{"digest": one.digest, "tags": list(one.tags)} for one in plan.breaks]},
    )


def protected(plan: Plan) -> Refusal:
    """All that it could touch is protected."""
    said = [str(one) for one in plan.protected[:FEW]]
    more = len(plan.protected) - len(said)
    return Refusal(
        f"Nothing was changed. {' '.join(said)}{f' And {more:,} more are.' if more else ''}",
        code="protected",
        hint=OVERRIDE
        if all(one.in_use for one in plan.protected)
        else f"regui protect {plan.registry} --list shows the rules.",
        details={"protected": [asdict(one) for one in plan.protected]},
    )


def stale(changed: Sequence[str]) -> Refusal:
    """The registry is no longer as somebody agreed to."""
    return Refusal(
        "Nothing was changed: the registry is no longer as it was.",
        code="stale",
        status=STALE,
        hint="Make the plan anew.",
        details={"changed": list(changed)},
    )
