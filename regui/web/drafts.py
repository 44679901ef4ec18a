"""A policy as it stands in the form: what was typed, whether it means anything or not yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict

from regui.retention import rules
from regui.retention.policy import DROP, LIMIT, MOST_RULES, Policy
from regui.retention.reading import Invalid, Path, written
from regui.web.ruling import KINDS, Kind

FIELDS = ("name", "note", "repositories", "otherwise", "untagged", "schedule", "limit")
# Of one field. More than any of them takes: what is too long is to be told, not cut to fit.
LONGEST = 4000
# What stands for a field that is wrong while the others are looked at.
HARMLESS: Mapping[str, Any] = {"name": "a", "repositories": "**", "rules": (), "otherwise": DROP}
UP, DOWN, REMOVE, ADD, SCHEDULE = "up", "down", "remove", "add", "schedule"

Faults = Mapping[Path, str]


@dataclass(frozen=True)
class RuleDraft:
    """A rule in the form. `key` tells it from the others, wherever it is moved."""

    key: str
    kind: Kind
    typed: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False

    def plain(self) -> dict[str, str]:
        given = {ask.name: self.typed.get(ask.name, "") for ask in self.kind.asks}
        return {self.kind.verb: self.kind.kind} | {name: one for name, one in given.items() if one}


@dataclass(frozen=True)
class Draft:
    """The fields as text, and the rules in their order."""

    name: str = ""
    note: str = ""
    repositories: str = ""
    otherwise: str = ""
    untagged: str = ""
    schedule: str = ""
    limit: str = str(LIMIT)
    rules: tuple[RuleDraft, ...] = ()

    @classmethod
    def of(cls, policy: Policy) -> "Draft":
        """A policy, ready to be changed."""
        return cls(
            name=policy.name,
            note=policy.note,
            repositories=", ".join(policy.repositories),
            otherwise=policy.otherwise,
            untagged=written(policy.untagged) if policy.untagged else "",
            schedule=policy.schedule,
            limit=str(policy.limit),
            rules=tuple(of_rule(str(key), rule) for key, rule in enumerate(policy.rules, 1)),
        )

    @classmethod
    def posted(cls, form: QueryDict) -> "Draft":
        """What was sent. A rule of a kind that there isn't is none."""
        return cls(
            **{name: cleaned(form.get(name, "")) for name in FIELDS},
            rules=tuple(
                RuleDraft(
                    key, kind, {ask.name: cleaned(form.get(f"{key}-{ask.name}", "")) for ask in kind.asks}
                )
                for key in dict.fromkeys(form.getlist("rule")[: MOST_RULES + 1])
                if key.isascii() and key.isdecimal() and len(key) < 6
                if (kind := KINDS.get(form.get(f"{key}-kind", "")))
            ),
        )

    @classmethod
    def filled(cls, address: QueryDict) -> "Draft":
        """What a link fills in; the limit is the usual one unless it says another."""
        draft = cls.posted(address)
        return replace(draft, limit=draft.limit or str(LIMIT))

    def plain(self, registry: str) -> dict[str, Any]:
        """The plain values that it stands for."""
        given: dict[str, Any] = {name: getattr(self, name) for name in FIELDS}
        return given | {"registry": registry, "rules": [rule.plain() for rule in self.rules]}

    def read(self, registry: str) -> tuple[Policy | None, Faults]:
        """The policy, or else all that is wrong with it, by where."""
        plain = self.plain(registry)
        try:
            return Policy.read(plain), {}
        except Invalid as error:
            faults = {error.path: error.message}
        for number, rule in enumerate(plain["rules"]):
            try:
                rules.read(rule, ("rules", number))
            except Invalid as error:
                faults[error.path] = error.message
        return None, faults | rest(plain)

    def changed(self, does: str, what: str, more: str = "") -> "Draft":
        """The draft after a button of the form: a rule moved, taken out, or added, a schedule chosen. `what`
        is the rule's key, or the schedule, and `more` the kind to add."""
        if does == SCHEDULE:
            return replace(self, schedule=cleaned(what))
        if does == ADD and (kind := KINDS.get(more)) and len(self.rules) <= MOST_RULES:
            key = str(1 + max((int(rule.key) for rule in self.rules), default=0))
            return replace(self, rules=(*self.rules, RuleDraft(key, kind, kind.begins, fresh=True)))
        place = next((place for place, rule in enumerate(self.rules) if rule.key == what), None)
        if place is None:
            return self
        left = [*self.rules[:place], *self.rules[place + 1 :]]
        if does in {UP, DOWN}:
            left.insert(max(place - 1, 0) if does == UP else place + 1, self.rules[place])
        return replace(self, rules=tuple(left)) if does in {UP, DOWN, REMOVE} else self


def rest(plain: Mapping[str, Any]) -> dict[Path, str]:
    """What is wrong with the fields besides the rules, one after the other."""
    found: dict[Path, str] = {}
    given = dict(plain) | {"rules": ()}
    for _ in FIELDS:
        try:
            Policy.read(given)
        except Invalid as error:
            place = error.path[0]
            if place not in FIELDS:  # that there is no rule is told by the whole, if it is so
                break
            found[error.path] = error.message
            given[str(place)] = HARMLESS.get(str(place), "")
        else:
            break
    return found


def of_rule(key: str, rule: rules.Rule) -> RuleDraft:
    """A rule in the form; what goes without saying isn't said."""
    kind = KINDS[f"{rule.verb} {rule.kind}"]
    plain = rule.plain()
    typed = {
        ask.name: ", ".join(one) if isinstance(one, list) else str(one)
        for ask in kind.asks
        if (one := plain.get(ask.name, ask.usual)) != ""
    }
    return RuleDraft(key, kind, typed)


def cleaned(text: str) -> str:
    """What was typed, without what no database takes."""
    return text.replace("\0", "").strip()[:LONGEST]
