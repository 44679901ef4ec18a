"""Runs of policies as their pages tell them, each to who may know it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count, Exists, OuterRef

from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions.models import Action, Part, Run
from regui.actions.retention import rights
from regui.index.models import Registry
from regui.retention import deciding
from regui.retention.deciding import OTHERWISE, PROTECTED, UNSURE, USED, Verdict
from regui.retention.policy import Policy

State, Trigger = Run.State, Run.Trigger

STATES = {
    State.WAITING: "waiting",
    State.DECIDING: "looking",
    State.ASKING: "waits for you",
    State.RUNNING: "running",
    State.DONE: "done",
    State.PARTIAL: "partly done",
    State.FAILED: "failed",
    State.CANCELLED: "stopped",
    State.DRY: "dry run",
}
# What a run that has decided did with what it found.
DID = frozenset({State.RUNNING, State.DONE, State.PARTIAL})
TRIGGERS = {
    Trigger.SCHEDULE: "by its schedule",
    Trigger.FIRST: "because it was saved",
    Trigger.PERSON: "by {}",
    Trigger.COMMAND: "from the command line by {}",
}
SOMEBODY = "somebody"
# A rule that lacks a date, or the like.
DOUBT = " can't tell"
UNTOLD = "Why is told to who may see all that it is about."


@dataclass(frozen=True)
class Back:
    """How far a run is taken back: of so many actions, how many are undone and how many being undone."""

    actions: int
    undone: int
    open: int

    @property
    def words(self) -> str:
        """It in a word or two; empty when nothing of it came back."""
        if self.open:
            return "being taken back"
        if not self.undone:
            return ""
        return "taken back" if self.undone == self.actions else "partly taken back"


@dataclass(frozen=True)
class Bar:
    """How many tags one verdict is on, and what that is in words."""

    keeps: bool
    words: str
    tags: int


@dataclass(frozen=True)
class Told:
    """A run for whoever looks at it. `whole` says whether they may know what it came to, over all that it is
    about, `others` which other policies they may be told of by name; `back` is there when somebody takes it
    back, or has."""

    run: Run
    actor: Actor
    whole: bool
    others: Collection[str] = ()
    back: Back | None = None

    @property
    def state(self) -> str:
        if self.is_back:
            return self.back_words
        if self.run.state == State.ASKING and not self.may_decide:
            return "waits for a person"
        return STATES[State(self.run.state)]

    @property
    def by(self) -> str:
        """What began it."""
        # Who approved it is who it acts for since.
        actor = SOMEBODY if self.run.approved_by else self.run.actor
        return TRIGGERS[Trigger(self.run.trigger)].format(self.run.begun_by or actor)

    @property
    def is_open(self) -> bool:
        """Whether a worker has it, so that it looks different in a moment."""
        return self.run.is_open or self.returns

    @property
    def returns(self) -> bool:
        """Whether it is being taken back: not all of that was asked for yet, or is done."""
        asked = self.run.undo_at is not None and self.run.undone_at is None
        return asked or (self.back is not None and self.back.open > 0)

    @property
    def back_words(self) -> str:
        """How far it is taken back, in a word or two; empty where nobody does."""
        if self.returns:
            return "being taken back"
        return self.back.words if self.back else ""

    @property
    def is_back(self) -> bool:
        """Whether it, or a part of it, came back or is coming: then its state says so."""
        return bool(self.back_words)

    @property
    def asks(self) -> bool:
        return self.run.state == State.ASKING

    @property
    def decided(self) -> bool:
        """Whether there is anything to tell of what it found."""
        return self.run.decided_at is not None

    @property
    def only_looked(self) -> bool:
        """Whether nothing was changed, so that it says what would be."""
        return self.run.state not in DID and not self.run.approved_by and not self.ended

    @property
    def ended(self) -> bool:
        """Whether it is known what it did in the end, so that it says that."""
        return self.run.went is not None

    @cached_property
    def may_decide(self) -> bool:
        """Whether they may let it go ahead, end it, or take it back."""
        return rights.may_change(self.actor, self.run)

    @property
    def reason(self) -> str:
        return self.run.reason if self.whole else UNTOLD if self.run.reason else ""

    @property
    def share(self) -> str:
        """What part of the tags goes, in percent."""
        return f"{deciding.percent(self.run.drops, self.run.tags)} %"

    @cached_property
    def policy(self) -> Policy:
        """The policy as it was."""
        return Policy.read(self.run.document)

    @property
    def bars(self) -> list[Bar]:
        """The counts of each verdict, what drops first, the most first."""
        rows = [(Verdict(*given), tags) for *given, tags in self.run.counts]
        rows.sort(key=lambda row: (row[0].keep, -row[1], row[0].rule))
        return [Bar(verdict.keep, self.words(verdict), tags) for verdict, tags in rows]

    def words(self, verdict: Verdict) -> str:
        """Why a verdict is what it is."""
        if verdict.how in {OTHERWISE, PROTECTED, USED}:
            return {OTHERWISE: "No rule speaks of it", PROTECTED: "Protected", USED: "In use"}[verdict.how]
        doubt = DOUBT if verdict.how == UNSURE else ""
        if verdict.policy:
            named = f"Rule {verdict.rule} of {verdict.policy}"
            return (named if verdict.policy in self.others else "A rule of another policy") + doubt
        return f"Rule {verdict.rule}{doubt}: {self.policy.rules[verdict.rule - 1]}"


def rows(actor: Actor, registry: Registry, some: Iterable[Run]) -> list[Told]:
    """Runs of that registry for a list."""
    every, found = access.sees_all(actor, registry), list(some)
    back = backs(found)
    return [Told(run, actor, every or run.actor == actor.name, back=back.get(run.pk)) for run in found]


def backs(some: Iterable[Run]) -> dict[str, Back]:
    """How far those of the runs are taken back that somebody wants back, by their keys: one query if any."""
    keys = [run.pk for run in some if run.undo_at]
    if not keys:
        return {}
    undone = Action.objects.filter(pk=OuterRef("action"), state=Action.State.UNDONE)
    undoing = Action.objects.open().filter(undoes=OuterRef("action"))
    rows = Part.objects.filter(run__in=keys).exclude(action="").order_by().values_list("run")
    counts = rows.annotate(
        total=Count("pk"),
        undone=Count("pk", filter=Exists(undone)),
        undoing=Count("pk", filter=Exists(undoing)),
    )
    return {key: Back(*numbers) for key, *numbers in counts}


def capital(words: str) -> str:
    """The words as a sentence begins."""
    return f"{words[:1].upper()}{words[1:]}"


STATE_CHOICES: Sequence[tuple[str, str]] = [
    (state.value, "waits for a person" if state == State.ASKING else words) for state, words in STATES.items()
]
