"""The form of a policy as its page shows it: each field with what was typed and what is wrong with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from regui.actions.models import PolicyRow
from regui.index.models import Registry
from regui.retention.policy import Policy
from regui.retention.reading import Invalid, Path
from regui.web.drafts import Draft, Faults, RuleDraft
from regui.web.ruling import OFFERED, Ask, Kind
from regui.web.starting import SCHEDULES
from regui.web.upcoming import Upcoming, upcoming

TOP = {
    "name": "Name",
    "note": "Note",
    "repositories": "Repositories",
    "otherwise": "Other tags",
    "untagged": "Untagged manifests",
    "schedule": "Schedule",
    "limit": "Limit",
}

# What can be done to a rule: the button's verb, its sign, and its words.
MOVES = (("up", "arrow-up", "Move up"), ("down", "arrow-down", "Move down"), ("remove", "x", "Remove"))


@dataclass(frozen=True)
class Field:
    """One field: where it stands, what it asks, what is in it, and what is wrong with that."""

    name: str
    ask: Ask
    value: str
    fault: str = ""

    @property
    def id(self) -> str:
        return f"f-{self.name}"

    @property
    def fault_id(self) -> str:
        return f"{self.id}-fault"

    @property
    def hint_id(self) -> str:
        return f"{self.id}-hint"


@dataclass(frozen=True)
class RuleForm:
    """A rule: its number, its fields, and what is wrong with it as a whole."""

    number: int
    draft: RuleDraft
    fields: Sequence[Field]
    fault: str
    is_first: bool
    is_last: bool

    @property
    def kind(self) -> Kind:
        return self.draft.kind

    @property
    def main(self) -> list[Field]:
        return [one for one in self.fields if not one.ask.more]

    @property
    def more(self) -> list[Field]:
        return [one for one in self.fields if one.ask.more]

    @property
    def opened(self) -> bool:
        """Whether something is said, or wrong, in what few need."""
        return any(one.fault or one.value not in {"", one.ask.usual} for one in self.more)


@dataclass(frozen=True)
class Wrong:
    """A fault for a list of them: what it is about, and where to mend it."""

    where: str
    what: str
    id: str


@dataclass(frozen=True)
class Newer:
    """The policy as somebody saved it after the form was opened. `differs` names where they do."""

    row: PolicyRow
    differs: Sequence[str]


@dataclass(frozen=True)
class Form:
    """The whole form. `said` is whether faults stand beside their fields: not while somebody only begins.
    `original` is the name of the policy that is changed, empty for a new one, and `mark` what it was when the
    form was opened; `newer` is what is there instead, for who has to choose."""

    registry: Registry
    draft: Draft
    now: datetime
    original: str = ""
    said: bool = False
    more: Faults = field(default_factory=dict)
    mark: str = ""
    newer: Newer | None = None

    @cached_property
    def read(self) -> tuple[Policy | None, Faults]:
        return self.draft.read(self.registry.name)

    @property
    def policy(self) -> Policy | None:
        return self.read[0]

    @property
    def faults(self) -> Faults:
        return {**self.read[1], **self.more}

    @property
    def shown(self) -> Faults:
        return self.faults if self.said else {}

    @cached_property
    def top(self) -> dict[str, Field]:
        """The fields besides the rules, by name."""
        return {
            name: Field(name, Ask(name, label), getattr(self.draft, name), self.fault((name,)))
            for name, label in TOP.items()
        }

    @cached_property
    def rules(self) -> list[RuleForm]:
        drafts = self.draft.rules
        return [
            RuleForm(
                place + 1,
                rule,
                list(self.fields(place, rule)),
                self.fault(("rules", place)),
                place == 0,
                place == len(drafts) - 1,
            )
            for place, rule in enumerate(drafts)
        ]

    @property
    def rules_fault(self) -> str:
        return self.fault(("rules",))

    @property
    def offered(self) -> object:
        return OFFERED

    @property
    def moves(self) -> object:
        return MOVES

    @property
    def upcoming(self) -> Upcoming | None:
        return upcoming(self.draft.schedule, self.now)

    @property
    def schedules(self) -> Sequence[tuple[str, str]]:
        return SCHEDULES

    @property
    def wrong(self) -> list[Wrong]:
        """All that is wrong, in the form's order as far as that goes."""
        return [self.listed(path, said) for path, said in self.faults.items()]

    def blaming(self, error: Invalid) -> "Form":
        """The form with one more fault."""
        return replace(self, more={error.path: error.message})

    def beside(self, row: PolicyRow) -> "Form":
        """The form next to what somebody saved meanwhile."""
        there, here = row.policy, self.policy
        names = ["rules", *TOP]
        differs = [name for name in names if here and getattr(there, name) != getattr(here, name)]
        labels = [TOP.get(name, "Rules").lower() for name in differs]
        return replace(self, newer=Newer(row, labels))

    def fields(self, place: int, rule: RuleDraft) -> Iterator[Field]:
        for ask in rule.kind.asks:
            fault = self.fault(("rules", place, ask.name))
            yield Field(f"{rule.key}-{ask.name}", ask, rule.typed.get(ask.name, ""), fault)

    def fault(self, path: Path) -> str:
        """What is wrong there, as a sentence beside the field; nothing while that isn't to be said."""
        return beside(path, self.shown.get(path, ""))

    def listed(self, path: Path, said: str) -> Wrong:
        match path:
            case ("rules", int(place), *rest) if place < len(self.draft.rules):
                rule = self.draft.rules[place]
                label = next((ask.label for ask in rule.kind.asks if [ask.name] == rest), "")
                where = f"Rule {place + 1}{f', {label.lower()}' if label else ''}"
                name = f"{rule.key}-{rest[0]}" if label else f"{rule.key}-rule"
                return Wrong(where, beside(path, said), f"f-{name}")
            case (str(name), *_) if name in TOP:
                return Wrong(TOP[name], beside(path, said), f"f-{name}")
        return Wrong("Rules", beside(path, said), "rules")


def beside(path: Path, said: str) -> str:
    """The sentence without the name that the field has in a document: its label stands above it."""
    name = str(path[-1]) if path else ""
    return f"This{said.removeprefix(name)}" if name and said.startswith(f"{name} ") else said
