"""A plan and an action in lines for a terminal or a log: everything they touch is named."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from regui.actions import plans
from regui.actions.models import Item
from regui.actions.plans import Plan, shortened
from regui.web import words
from regui.web.templatetags.regui import size

# Characters of the longest label.
WIDTH = 10
# What is said to have been done with what.
DONE = {
    plans.UNTAG: "taken away",
    plans.DELETE_DIGEST: "deleted",
    plans.GOES_ALONG: "went along",
    plans.PUT: "set",
    plans.COPY: "copied",
}


class Line(NamedTuple):
    """A line, and how it is dressed where that can be."""

    text: str
    style: str = ""


def labelled(label: str, told: Iterable[str], style: str = "") -> Iterator[Line]:
    """A line for each thing, the label before it."""
    for one in told:
        yield Line(f"  {label:<{WIDTH}} {one}", style)


def plan(plan: Plan) -> Iterator[Line]:
    """What the plan would do, and all it touches."""
    said = words.of(plan)
    yield Line(f"{said.title} ({plan.registry}/{plan.repository})", "bold")
    yield Line(said.lead)
    moving = {step.tag for step in plan.steps if step.do in {plans.PUT, plans.COPY}}
    going = [tag for tag in plan.tags if tag.name not in moving]
    yield from labelled("impossible", plan.lost, "yellow")
    yield from labelled("sets", (coming(step) for step in plan.steps if step.do in {plans.PUT, plans.COPY}))
    yield from labelled("goes", (f"{tag.name} on {shortened(tag.digest)}{role(tag.role)}" for tag in going))
    yield from labelled("goes", (step.digest for step in plan.steps if step.do == plans.DELETE_DIGEST))
    yield from labelled("stays", (f"{tag.name} on {shortened(tag.digest)}" for tag in plan.stay))
    yield from labelled("breaks", map(parent, plan.breaks), "bold red")
    yield from labelled("lacks it", (parent(one) for one in plan.parents if one not in plan.breaks))
    yield from labelled("refers", map(referrer, plan.referrers))
    yield from labelled(
        "left", (f"{one.digest} without a tag{role(one.platform)}" for one in plan.left_behind)
    )
    if any(step.do in {plans.DELETE_DIGEST, plans.UNTAG} for step in plan.steps):
        yield from labelled("frees", [freed(plan)])
    yield from labelled("checked", [f"{plan.check}".removeprefix("checked ")])


def role(name: str) -> str:
    return f" ({name})" if name else ""


def coming(step: plans.Step) -> str:
    """What is put where, and what was there."""
    source = f" from {step.source}" if step.source else ""
    if not step.tag:
        return f"{step.digest}{source}"
    before = f", now on {shortened(step.before)}" if step.before else ""
    return f"{step.tag} to {shortened(step.digest)}{source}{before}"


def parent(one: plans.Parent) -> str:
    """An index that would lack what goes."""
    tags = ", ".join(one.tags) or "without a tag"
    return f"the index {tags} ({shortened(one.digest)}){one.platform and f' for {one.platform}'}"


def referrer(one: plans.Referrer) -> str:
    """What would speak about nothing."""
    return f"{one.digest}{role(one.role)}{one.tag and f' tagged {one.tag}'}"


def freed(plan: Plan) -> str:
    """The bytes, and what they depend on."""
    found = plan.bytes
    bound = "at most " if found.unread and found.frees else ""
    shared = f", shared with {', '.join(found.shared_with)}" if found.shared_with else ""
    more = f" and {found.more:,} more" if found.more else ""
    return f"{bound}{size(found.frees)} when garbage is collected; {size(found.stays)} stays{shared}{more}"


def items(found: Iterable[Item]) -> Iterator[Line]:
    """How each step ended."""
    for item in found:
        yield Line(f"  {outcome(item)}: {thing(item)}{item.reason and f' ({item.reason})'}", colour(item))


def outcome(item: Item) -> str:
    if item.result == Item.Result.DONE:
        return DONE.get(item.do, item.do)
    return item.result or ("under way" if item.begun_at else "waits")


def thing(item: Item) -> str:
    return f"{item.tag} ({shortened(item.digest)})" if item.tag else item.digest


def colour(item: Item) -> str:
    return "red" if item.result == Item.Result.FAILED else ""
