"""What becomes of each tag of a repository, and why.

Keep always wins: a tag that any keep rule speaks of stays, whatever else is said of it, and so does one of
which a keep rule can't tell for lack of a date. A drop rule that can't tell says nothing: what becomes of
the tag is for the others, or for `otherwise`. A tag that couldn't be read is dropped by its name alone: by a
rule that asks for nothing else, or because no rule looks at tags of that name.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from regui.retention.policy import DROP, Policy
from regui.retention.rules import Found, Rule
from regui.retention.tags import Moment, Tag

# How a verdict came about.
RULE, UNSURE, OTHERWISE, PROTECTED, USED = "rule", "unsure", "otherwise", "protected", "in use"


class Verdict(NamedTuple):
    """What becomes of a tag. `rule` is the number of the rule behind it, from 1 on, 0 for none; `policy`
    names another policy whose rule it is."""

    keep: bool
    how: str
    rule: int = 0
    policy: str = ""


class Other(NamedTuple):
    """A keep rule of another policy that is about the same repository: it holds here, too."""

    policy: str
    number: int
    rule: Rule


@dataclass(frozen=True)
class Decision:
    """The verdicts on the tags of one repository, in their order, and what each rule found."""

    policy: Policy
    tags: Sequence[Tag]
    moment: Moment
    verdicts: Sequence[Verdict]
    others: tuple[Other, ...]
    found: tuple[Found, ...]

    @property
    def dropped(self) -> list[Tag]:
        return [tag for tag, verdict in zip(self.tags, self.verdicts, strict=True) if not verdict.keep]

    @property
    def counts(self) -> Counter[Verdict]:
        """How many tags each verdict is on."""
        return Counter(self.verdicts)

    def reason(self, place: int) -> str:
        """The reason of the verdict on the tag at that place: "kept: rule 2, newest 5 of `v*` (3rd)"."""
        tag, verdict = self.tags[place], self.verdicts[place]
        said = "kept" if verdict.keep else "dropped"
        if verdict.how == OTHERWISE:
            return f"{said}: no rule speaks of it"
        if verdict.how in {PROTECTED, USED}:
            return f"{said}: {tag.protected if verdict.how == PROTECTED else tag.used}"
        which = f"rule {verdict.rule}{f' of {verdict.policy}' if verdict.policy else ''}"
        rule, found = self._behind(verdict)
        if verdict.how == UNSURE:
            return f"{said}: {which} can't tell: {rule.doubt(tag)}"
        return f"{said}: {which}, {rule.why(tag, found.ranks.get(place, 0), self.moment)}"

    def _behind(self, verdict: Verdict) -> tuple[Rule, Found]:
        if not verdict.policy:
            return self.policy.rules[verdict.rule - 1], self.found[verdict.rule - 1]
        for other, found in zip(self.others, self.found[len(self.policy.rules) :], strict=True):
            if (other.policy, other.number) == (verdict.policy, verdict.rule):
                return other.rule, found
        raise LookupError(verdict)


def keepers(policy: Policy, all_of_them: Iterable[Policy], repository: str) -> tuple[Other, ...]:
    """The keep rules of the other policies that are about that repository. Where a policy comes in several
    forms, the rules of each are numbered on from those of the one before."""
    last: Counter[str] = Counter()
    found = []
    for one in all_of_them:
        if one.name != policy.name and one.covers(repository):
            numbered = enumerate(one.rules, last[one.name] + 1)
            found += [Other(one.name, number, rule) for number, rule in numbered if rule.keeps]
            last[one.name] += len(one.rules)
    return tuple(found)


def decide(policy: Policy, tags: Sequence[Tag], moment: Moment, others: tuple[Other, ...] = ()) -> Decision:
    """What becomes of these tags, which are all of one repository that the policy is about (without those
    that speak about others: signatures and the like go and stay with their subject)."""
    found = tuple(rule.find(tags, moment) for rule in (*policy.rules, *(one.rule for one in others)))
    verdicts: list[Verdict] = [Verdict(policy.otherwise != DROP, OTHERWISE)] * len(tags)
    own = list(zip(policy.rules, found, strict=False))
    numbered = [(number, rule, one) for number, (rule, one) in enumerate(own, 1)]
    # What comes later outweighs what came before; of two alike, the first rule is the one that is named.
    if policy.otherwise != DROP:  # where a rule that drops may be in doubt without any keeping the more
        for number, _, one in reversed(numbered):
            lay(verdicts, one.unsure, Verdict(True, UNSURE, number))
    for number, rule, one in reversed(numbered):
        if not rule.keeps:
            lay(verdicts, one.matched, Verdict(False, RULE, number))
    keeping = [(Verdict(True, UNSURE, number), one) for number, rule, one in numbered if rule.keeps]
    beside = list(zip(others, found[len(policy.rules) :], strict=True))
    keeping += [(Verdict(True, UNSURE, other.number, other.policy), one) for other, one in beside]
    for verdict, one in reversed(keeping):
        lay(verdicts, one.unsure, verdict)
    for verdict, one in reversed(keeping):
        lay(verdicts, one.matched, verdict._replace(how=RULE))
    for place, tag in enumerate(tags):
        if tag.used:
            verdicts[place] = Verdict(True, USED)
        elif tag.protected:
            verdicts[place] = Verdict(True, PROTECTED)
    return Decision(policy, tags, moment, verdicts, others, found)


def percent(drops: int, tags: int) -> int:
    """How many of a hundred tags go, rounded up: one is not none, and more than a limit is so in words."""
    return -(-100 * drops // tags) if tags else 0


def lay(verdicts: list[Verdict], places: Iterable[int], verdict: Verdict) -> None:
    for place in places:
        verdicts[place] = verdict
