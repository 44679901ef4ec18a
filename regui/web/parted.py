"""What a run found in each repository, and what became of it there, to who may see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import F, Func, IntegerField, Q, QuerySet

from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions import kinds, plans, undo
from regui.actions.models import Action, Part, Remains, Run
from regui.actions.retention.leaving import Outcome
from regui.index.models import Registry
from regui.web import told

# How many tags of a repository stand in a list of repositories, and how many repositories are named.
FIRST, NAMED = 10, 20


class Length(Func):
    """How long the list in a field is."""

    function = "JSON_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_ARRAY_LENGTH")


class Line(NamedTuple):
    """A tag with its digest, and why it goes, or was left; a digest that no tag led to has none."""

    tag: str
    digest: str
    reason: str
    left: bool = False


@dataclass(frozen=True)
class Row:
    """What a run found in one repository, and what became of it there: the action that did it, the latest
    that takes that back, and of how many manifests the registry was found to have lost content since. `over`
    says that the run has ended."""

    part: Part
    action: Action | None
    undone_by: Action | None = None
    lost: int = 0
    over: bool = False

    @cached_property
    def outcome(self) -> Outcome:
        return Outcome(self.part, self.over)

    @cached_property
    def lines(self) -> list[Line]:
        """The tags: what was left comes first, then what went, or is to go."""
        left = [Line(*line, True) for line in self.outcome.left if line[0]]
        return left + [Line(*line) for line in self.outcome.went]

    @property
    def loose(self) -> list[Line]:
        """The digests that no tag led to: those that were left, then those that went, or are to go."""
        left = [Line(*line, True) for line in self.outcome.left if not line[0]]
        return left + [Line("", one, "untagged") for one in self.outcome.bare]

    @property
    def left(self) -> int:
        """How many tags were left though the run had found them to go."""
        return sum(1 for line in self.lines if line.left)

    @property
    def drops(self) -> int:
        """How many tags went, or are to go."""
        return len(self.lines) - self.left

    @property
    def bare(self) -> int:
        """How many manifests without a tag went, or are to go."""
        return len(self.outcome.bare)

    @property
    def first(self) -> list[Line]:
        """The first of the tags."""
        return self.lines[:FIRST]

    @property
    def more(self) -> int:
        return max(len(self.lines) - FIRST, 0)

    @property
    def is_emptied(self) -> bool:
        """Whether no tag is left in it."""
        return 0 < self.part.tags <= self.drops

    @property
    def undoable(self) -> bool:
        """Whether there is something to take back that nobody is taking back already."""
        if self.action is None or self.action.state not in undo.UNDOABLE:
            return False
        return self.undone_by is None or not self.undone_by.is_open

    @property
    def result(self) -> str:
        """What became of it, in a word; empty where nothing did."""
        if self.action is not None:
            return told.STATES.get(Action.State(self.action.state), self.action.state)
        return "skipped" if self.part.reason else ""

    def became(self, line: Line) -> str:
        """What became of a line of it, in a word."""
        return "left" if line.left and self.action is not None else self.result


@dataclass(frozen=True)
class Parts:
    """The repositories in which a run drops anything, as who looks may know them."""

    run: Run
    registry: Registry
    actor: Actor

    @cached_property
    def seen(self) -> set[str] | None:
        """The names of those that they may see; None for all."""
        if access.sees_all(self.actor, self.registry):
            return None
        names = self.run.parts.values_list("repository", flat=True)
        return access.names_seen(self.actor, self.registry, names)

    @property
    def every(self) -> QuerySet[Part]:
        rows = Part.objects.filter(run=self.run)
        return rows if self.seen is None else rows.filter(repository__in=self.seen)

    @cached_property
    def total(self) -> int:
        return self.every.count()

    @cached_property
    def hidden(self) -> int:
        """How many there are besides that they may not see."""
        return 0 if self.seen is None else self.run.parts.count() - self.total

    @property
    def whole(self) -> bool:
        """Whether they may know what all of it comes to."""
        return not self.hidden and (self.seen is None or self.run.actor == self.actor.name)

    @cached_property
    def done(self) -> int:
        """In how many of them nothing is left to do."""
        return self.every.filter(done=True).count()

    @cached_property
    def skipped(self) -> int:
        """In how many of them nothing was done, nor will be."""
        over = Q() if self.run.went is not None else Q(done=True)
        return self.every.filter(over, action="").exclude(reason="").count()

    @cached_property
    def emptied(self) -> list[str]:
        """The names of those in which no tag would be left."""
        rows = self.every.annotate(drops=Length("dropped")).filter(tags__gt=0, drops__gte=F("tags"))
        return list(rows.values_list("repository", flat=True)[: NAMED + 1])

    @cached_property
    def undoable(self) -> int:
        """In how many of them they may take it back."""
        if not self.actor.ever(kinds.RIGHTS[plans.UNDO]):
            return 0
        mine = self.every.exclude(action="").values("action")
        done = Action.objects.filter(pk__in=mine, state__in=undo.UNDOABLE)
        names = done.exclude(pk__in=Action.objects.open().exclude(undoes="").values("undoes"))
        return sum(map(self.may_undo, names.values_list("repository", flat=True)))

    def may_undo(self, repository: str) -> bool:
        return self.actor.may(kinds.RIGHTS[plans.UNDO], self.registry.name, repository)

    @cached_property
    def undoing(self) -> dict[str, int]:
        """How many of the actions that take parts of it back are in each state, in words."""
        mine = self.every.exclude(action="").values("action")
        found: dict[str, int] = {}
        for state in Action.objects.filter(undoes__in=mine).values_list("state", flat=True):
            words = told.STATES[Action.State(state)]
            found[words] = found.get(words, 0) + 1
        return found

    def rows(self, some: Iterable[Part]) -> list[Row]:
        """Those as a page shows them: three queries."""
        parts = list(some)
        keys = [part.action for part in parts if part.action]
        actions = {one.pk: one for one in Action.objects.filter(pk__in=keys).defer("plan")}
        undoing = Action.objects.filter(undoes__in=keys).defer("plan").order_by("started_at")
        latest = {one.undoes: one for one in undoing}
        lost: dict[str, int] = {}
        remains = Remains.objects.filter(item__action__in=keys).exclude(gone=[])
        for key in remains.values_list("item__action", flat=True):
            lost[key] = lost.get(key, 0) + 1
        over = self.run.went is not None
        return [
            Row(part, actions.get(part.action), latest.get(part.action), lost.get(part.action, 0), over)
            for part in parts
        ]
