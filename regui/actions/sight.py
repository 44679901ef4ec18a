"""What of plans and actions is told to whom: each is about one repository, which they may see, but may name
others. Those they may not see are counted at most."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from regui.accounts import access, matching
from regui.accounts.access import Actor
from regui.actions import freed, plans
from regui.actions.models import Action, Item
from regui.actions.plans import Plan
from regui.index.models import Registry

UNTOLD = "Why is told to who may see what it copies."


def plan(actor: Actor, made: Plan) -> Plan:
    """The plan as this actor may know it: of what else needs the bytes that stay, they are told by name what
    they may see, and how many repositories there are besides. What a copy from elsewhere would find in any
    repository, so that it needn't be sent, is told as if it had to be."""
    registry = Registry.objects.get(name=made.registry)
    if access.sees_all(actor, registry):
        return made
    visible = matching.those(registry.repositories.all(), access.seen_in(actor, registry))
    told = replace(made, bytes=freed.told(made, registry, visible))
    if not made.load.mounted or str(made.asked.get("source", "")).startswith(f"{made.registry}/"):
        return told
    load = replace(made.load, sent=made.load.sent + made.load.mounted, mounted=0, exact=False)
    return replace(told, load=load)


def source(action: Action) -> tuple[str, str]:
    """Registry and name of what a copy was made from; empty for anything else."""
    origin = getattr(action, "origin", None)  # as lists have it, without the plan
    if origin is None:
        origin = str(action.plan.get("asked", {}).get("source", "")) if action.kind == plans.COPY else ""
    registry, _, name = origin.partition("/")
    return registry, name


def hides_source(actor: Actor, action: Action) -> bool:
    """Whether it is a copy of what this actor may not see."""
    if not hasattr(action, "hidden"):
        mark(actor, [action])
    return bool(action.hidden)  # type: ignore[attr-defined]


def mark(actor: Actor, actions: Collection[Action]) -> None:
    """Find out of all these at once, as `hidden`, whether each is a copy of what this actor may not see."""
    sources = {action.pk: source(action) for action in actions}
    seen = access.places_seen(actor, set(sources.values()))
    for action in actions:
        action.hidden = sources[action.pk] not in seen  # type: ignore[attr-defined]


def actions(actor: Actor, some: Iterable[Action]) -> list[Action]:
    """Some actions as this actor may know them."""
    found = list(some)
    mark(actor, found)
    return [action(actor, one) for one in found]


def action(actor: Actor, done: Action) -> Action:
    """The action as this actor may know it. Why a copy isn't simply done may name what they may not see."""
    if hides_source(actor, done):
        done.reason, done.hint = untold(done.reason), ""
    return done


def items(actor: Actor, done: Action, some: Iterable[Item]) -> list[Item]:
    """Some of its items, likewise."""
    found = list(some)
    if hides_source(actor, done):
        for item in found:
            item.source, item.reason = "", untold(item.reason)
    return found


def untold(words: str) -> str:
    return UNTOLD if words else ""


def document(actor: Actor, done: Action) -> Mapping[str, Any]:
    """The plan that an action carries out, as it was agreed to, without what this actor may not know of."""
    whole: dict[str, Any] = dict(done.plan)
    registry = access.registry(actor, done.registry)
    if not access.sees_all(actor, registry):
        named: list[str] = whole.get("shared_with", [])
        there = access.names_seen(actor, registry, map(repository_of, named))
        seen = [one for one in named if repository_of(one) in there]
        whole |= {"shared_with": seen, "not_shown": len(named) - len(seen)}
    if hides_source(actor, done):
        whole["asked"] = dict(whole["asked"]) | {"source": "", "reference": done.digest}
        whole["steps"] = [dict(step) | {"source": ""} for step in whole["steps"]]
        whole["lost"] = [UNTOLD for _ in whole["lost"]]
        whole["check"] = dict(whole["check"]) | {"problem": untold(whole["check"]["problem"]), "hint": ""}
    return whole


def repository_of(named: str) -> str:
    """The repository in what a person calls a manifest: team/base:3, team/base@2c8f62a5d1b0."""
    if "@" in named:
        return named.partition("@")[0]
    before, _, tag = named.rpartition(":")
    return named if not before or "/" in tag else before  # a name may begin with a host and its port
