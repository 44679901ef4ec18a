"""Why somebody may do what they may in one place, in sentences. What the policy decided comes in, words come
out; nothing is decided here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from regui.accounts.access import ANY, RIGHTS, Actor, Decision, Grant, Holder, Right, Role
from regui.patterns import literals

# What can be done with a repository, and how that is said.
WORDS = {Right.SEE: "see", Right.PUSH: "set tags", Right.DELETE: "delete", Right.ADMIN: "administer"}
BEFORE = {
    Holder.USER: "one for a person counts before one for a group or for everyone",
    Holder.GROUP: "one for a group counts before one for everyone",
}


@dataclass(frozen=True)
class Verdict:
    """Whether they have a right, and why."""

    right: Right
    allowed: bool
    why: str

    @property
    def word(self) -> str:
        return WORDS[self.right]


@dataclass(frozen=True)
class Outweighed:
    """A grant that covers the place too, and why it doesn't count."""

    grant: Grant
    why: str


@dataclass(frozen=True)
class Answer:
    """What somebody may do with a repository, and why. `notes` are what adds to the grant that counts, or
    takes from it."""

    headline: str
    verdicts: tuple[Verdict, ...]
    reason: str
    winner: Grant | None
    outweighed: tuple[Outweighed, ...]
    notes: tuple[str, ...]


def explain(actor: Actor, registry: str, name: str, who: str = "") -> Answer:
    """What this actor may do with the repository of that name, be it there or not; `who` is what sentences
    call them."""
    decision = actor.decide(registry, name)
    return Answer(
        headline=headline(who or actor.name, decision.rights, f"{registry}/{name}"),
        verdicts=tuple(verdict(actor, decision, right, registry, name) for right in WORDS),
        reason=reason(decision, f"{registry}/{name}"),
        winner=decision.winner,
        outweighed=outweighed(decision),
        notes=tuple(notes(actor, decision, registry, name)),
    )


def headline(who: str, rights: Iterable[Right], place: str) -> str:
    """The answer in one sentence: bob can see main/team/app and set tags there, but not delete."""
    can = [right for right in WORDS if right in rights]
    if not can:
        return f"{who} can't see {place}: to them it isn't there."
    done = [f"see {place}", *(WORDS[right] for right in can[1:])]
    there = " there" if len(can) > 1 else ""
    cannot = [word for right, word in WORDS.items() if right not in rights]
    rest = f", but not {listed(cannot, 'or')}" if cannot else ""
    return f"{who} can {listed(done)}{there}{rest}."


def listed(words: Sequence[str], last: str = "and") -> str:
    """The words with commas between them: a, b and c."""
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final


def verdict(actor: Actor, decision: Decision, right: Right, registry: str, name: str) -> Verdict:
    """Whether that right follows, from what it does, or why it doesn't."""
    if right in decision.rights:
        return Verdict(right, allowed=True, why=giver(actor, decision, right))
    free = replace(actor, cap=None).decide(registry, name).rights if actor.cap else frozenset()
    if right in free:
        return Verdict(right, allowed=False, why="the token's scope doesn't allow it")
    winner = decision.winner
    if winner is None:
        return Verdict(right, allowed=False, why="no grant gives it")
    if winner.role is Role.NONE:
        return Verdict(right, allowed=False, why="the grant that counts hides the repository")
    return Verdict(right, allowed=False, why=f"{a(winner.role)} may not")


def giver(actor: Actor, decision: Decision, right: Right) -> str:
    """From what they have a right that they have."""
    if decision.winner and decision.winner.allows(right):
        return f"as {decision.winner.role.value} of {decision.winner.pattern}"
    adding = next((grant for grant in decision.adds if grant.allows(right)), None)
    if adding:
        return f"as auditor of {adding.pattern}, which adds to the rest"
    return f"everybody is {a(actor.role)} here"


def reason(decision: Decision, place: str) -> str:
    """Which grant counts, and of how many."""
    if decision.winner is None:
        other = " but an auditor's" if decision.adds else ""
        return f"No grant{other} covers {place}."
    count = len(decision.others) + 1
    if count == 1:
        return f"One grant covers {place}, and counts:"
    return f"{count} grants cover {place}. The most particular one counts:"


def outweighed(decision: Decision) -> tuple[Outweighed, ...]:
    if decision.winner is None:
        return ()
    return tuple(Outweighed(grant, rule(decision.winner, grant)) for grant in decision.others)


def rule(winner: Grant, other: Grant) -> str:
    """Why the other grant counts less, by the first thing in which they differ."""
    if literals(winner.pattern) != literals(other.pattern):
        less = characters(other, "only ")
        return f"{winner.pattern} spells out {characters(winner)}, {other.pattern} {less}"
    if (winner.registry == ANY) != (other.registry == ANY):
        return f"the grant that counts names the registry {winner.registry}, this one means any"
    if winner.kind != other.kind:
        return BEFORE[winner.kind]
    if winner.role is not other.role:
        return f"{winner.role.value} is the higher role"
    return "it says no less, but one is enough"


def characters(grant: Grant, before: str = "") -> str:
    count = literals(grant.pattern)
    return f"{before}{count} character{'' if count == 1 else 's'}" if count else "none"


def notes(actor: Actor, decision: Decision, registry: str, name: str) -> Iterable[str]:
    """What else goes into it than the grant that counts."""
    for grant in decision.adds:
        yield f"{sentence(grant)} That adds seeing it to whatever counts."
    if RIGHTS[actor.role]:
        yield f"Everybody is {a(actor.role)} here, signed in or not: REGUI_ANONYMOUS_ROLE says so."
    if actor.cap:
        scope = said(actor.cap)
        outside = "" if actor.cap.covers(registry, name) else ", which this isn't"
        yield f"The token leaves of that what {a(actor.cap.role)} may: it is for {scope}{outside}."


def sentence(grant: Grant) -> str:
    """A grant as a sentence of its own."""
    who = {Holder.USER: grant.holder, Holder.GROUP: f"The group {grant.holder}"}.get(grant.kind, "Everyone")
    return f"{who} is {said(grant)}."


def said(grant: Grant) -> str:
    """What a grant gives: developer of team/** in main."""
    return f"{grant.role.value} of {place(grant)}"


def place(grant: Grant) -> str:
    """Over what: team/** in main."""
    where = "any registry" if grant.registry == ANY else grant.registry
    return f"{grant.pattern} in {where}"


def holder(grant: Grant) -> str:
    """Whom it is for."""
    if grant.kind is Holder.EVERYONE:
        return "everyone who signed in"
    return grant.holder if grant.kind is Holder.USER else f"group {grant.holder}"


def a(role: Role) -> str:
    """The role with its article."""
    return f"{'an' if role.value[0] in 'aeiou' else 'a'} {role.value}"
