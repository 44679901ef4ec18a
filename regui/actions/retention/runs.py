"""Runs of policies: begun by a schedule, a person or a command, decided, asked about when they would do much,
carried out one repository at a time as actions in the journal, told of, and taken back whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from regui.accounts.access import Actor
from regui.actions.models import Action, PolicyRow, Run
from regui.actions.models.policies import RunQuerySet
from regui.index.models import Registry


def begin(row: PolicyRow, actor: Actor, trigger: Run.Trigger, now: datetime, *, dry: bool = False) -> Run:
    """A run that waits for a worker, or for `carry_out`. A policy that nobody approved yet runs dry, and then
    waits for a person; so does one that would drop too much."""
    raise NotImplementedError


def carry_out(run: Run, stop: Callable[[], bool] = lambda: False) -> Run:
    """Go on with a run until it has ended or waits for a person, or `stop` says so: decide once, then take
    one repository after the other. Whoever calls has it by a claim."""
    raise NotImplementedError


def approve(run: Run, actor: Actor, now: datetime) -> Run:
    """Let a run that asks go on, or one of a policy that nobody had approved; with the rights of whoever does
    so from now on. What changed since it decided is decided anew, and never more dropped than was shown."""
    raise NotImplementedError


def decline(run: Run, actor: Actor, now: datetime) -> Run:
    """End a run that asks, or stop one that is under way before its next repository."""
    raise NotImplementedError


def undo(run: Run, actor: Actor, now: datetime) -> list[Action]:
    """Take all of a run back: an action for each of its repositories, waiting for a worker. Raises
    `access.Forbidden`."""
    raise NotImplementedError


def visible(actor: Actor, registry: Registry) -> RunQuerySet:
    """The runs whose policies this actor may see, or which acted for them."""
    raise NotImplementedError


@dataclass(frozen=True)
class Difference:
    """Tags, as (repository, tag, reason), that one run drops and the other doesn't."""

    newly: Sequence[tuple[str, str, str]]
    no_longer: Sequence[tuple[str, str, str]]


def compared(run: Run, before: Run) -> Difference:
    """What a run drops that the one before it didn't, and the other way round; without what it dropped."""
    raise NotImplementedError
