"""A plan, and how its steps ended, in lines for a terminal or a log: everything they touch is named."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from regui.actions import documents, plans
from regui.actions.models import Item
from regui.actions.plans import Load, Plan, shortened
from regui.web import words
from regui.web.templatetags.regui import size

# Characters of the longest fate.
WIDTH = 10
STYLES = {"breaks": "bold red", "impossible": "yellow"}
# What was done with what a step is about.
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


def plan(plan: Plan) -> Iterator[Line]:
    """What the plan would do, and all it touches."""
    said = words.of(plan)
    yield Line(f"{said.title} ({plan.registry}/{plan.repository})", "bold")
    yield Line(said.lead)
    for row in documents.rows(plan):
        yield labelled(row.fate, told(row), STYLES.get(row.fate, ""))
    if plan.copied:
        yield labelled("sends", sent(plan.load))
    if any(step.do in {plans.DELETE_DIGEST, plans.UNTAG} for step in plan.steps):
        yield labelled("frees", freed(plan))
    yield labelled("checked", str(plan.check).removeprefix("checked "))


def labelled(label: str, what: str, style: str = "") -> Line:
    return Line(f"  {label:<{WIDTH}} {what}", style)


def told(row: documents.Row) -> str:
    """All but the fate; a digest is short beside a tag that names it."""
    named = f"{row.tag} on {shortened(row.digest)}" if row.tag else row.digest
    about = f"({row.about})" if row.what and row.about else row.about
    return " ".join(filter(None, [row.what, named, about]))


def freed(plan: Plan) -> str:
    """The bytes, and what they depend on."""
    found = plan.bytes
    bound = "at most " if found.unread and found.frees else ""
    shared = f", shared with {', '.join(found.shared_with)}" if found.shared_with else ""
    more = f" and {found.more:,} more" if found.more else ""
    return f"{bound}{size(found.frees)} when garbage is collected; {size(found.stays)} stays{shared}{more}"


def sent(load: Load) -> str:
    """What a copy takes in bytes."""
    least = "" if load.exact else "at least "
    return f"{least}{size(load.sent)}; {size(load.mounted)} mounted, {size(load.there)} there already"


def items(found: Iterable[Item]) -> Iterator[Line]:
    """How each step ended."""
    for item in found:
        what = f"{item.tag} ({shortened(item.digest)})" if item.tag else item.digest
        reason = f": {item.reason}" if item.reason else ""
        failed = item.result == Item.Result.FAILED
        yield Line(f"  {outcome(item)}: {what}{reason}", "red" if failed else "")


def outcome(item: Item) -> str:
    if item.result == Item.Result.DONE:
        return DONE.get(item.do, item.do)
    return item.result or ("under way" if item.begun_at else "waits")
