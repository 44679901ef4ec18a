"""A policy as its page tells it: each rule with the number that reasons speak of, and when it runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from cronsim import CronSim

from regui.accounts.access import Actor
from regui.actions.models import PolicyRow, Run
from regui.actions.models.policies import RunQuerySet
from regui.actions.retention import rights, runs
from regui.index.models import Registry
from regui.retention import reading, schedule
from regui.retention.policy import DROP, Policy
from regui.web import ran

# How many of the next times, and of the latest runs, are shown.
TIMES, RUNS = 3, 10


@dataclass(frozen=True)
class Line:
    """A rule by its number."""

    number: int
    keeps: bool
    words: str


@dataclass(frozen=True)
class Words:
    """A policy in words."""

    policy: Policy

    @property
    def lines(self) -> list[Line]:
        rules = enumerate(self.policy.rules, 1)
        return [Line(number, rule.keeps, ran.capital(str(rule))) for number, rule in rules]

    @property
    def drops_the_rest(self) -> bool:
        """Whether a tag goes of which no rule speaks."""
        return self.policy.otherwise == DROP

    @property
    def untagged(self) -> str:
        """After how long a manifest without a tag goes; empty for never."""
        return reading.exact(self.policy.untagged) if self.policy.untagged else ""

    @property
    def schedule(self) -> str:
        """When it runs: "at 03:00 every day"; empty without a schedule."""
        said = CronSim(self.policy.schedule, datetime.now(UTC)).explain() if self.policy.schedule else ""
        return f"{said[:1].lower()}{said[1:]}"


@dataclass(frozen=True)
class Page:
    """A policy with its runs, for who may see it."""

    row: PolicyRow
    actor: Actor
    registry: Registry
    now: datetime

    @cached_property
    def words(self) -> Words:
        return Words(self.row.policy)

    @property
    def next(self) -> Sequence[datetime]:
        """When it runs next; nothing for one that rests."""
        return [] if self.row.paused else schedule.upcoming(self.words.policy.schedule, self.now, TIMES)

    @cached_property
    def may_change(self) -> bool:
        return rights.may_change(self.actor, self.row)

    @property
    def every(self) -> RunQuerySet:
        """Those of its runs that the actor may see."""
        return runs.visible(self.actor, self.registry).filter(policy=self.row.name)

    @cached_property
    def runs(self) -> list[ran.Told]:
        """The latest of its runs."""
        return ran.rows(self.actor, self.registry, self.every[:RUNS])

    @cached_property
    def asking(self) -> ran.Told | None:
        """The run that waits for a person, whatever was tried since."""
        shown = [one for one in self.runs if one.asks]
        if not shown and len(self.runs) == RUNS:
            shown = ran.rows(self.actor, self.registry, self.every.filter(state=Run.State.ASKING)[:1])
        return shown[0] if shown else None

    @property
    def going(self) -> ran.Told | None:
        """The run that is under way."""
        return next((one for one in self.runs if one.is_open), None)

    @cached_property
    def let_go(self) -> Run | None:
        """The latest run that somebody approved."""
        return self.every.exclude(approved_by="").order_by("-approved_at").first()

    @cached_property
    def undone(self) -> Run | None:
        """The run that somebody took back, where it waits to be approved again for that."""
        if not self.row.was_approved:
            return None
        run = self.every.exclude(undo_at=None).order_by("-undo_at").first()
        if run is None or run.undo_at is None or run.fingerprint != self.row.policy.fingerprint:
            return None
        again = self.let_go and self.let_go.approved_at and self.let_go.approved_at > run.undo_at
        return None if again else run
