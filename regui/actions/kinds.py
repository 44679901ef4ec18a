"""The kinds of changes: what right each takes, what has to be said to ask for one, and how its plan is made,
and made again."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from regui import oci
from regui.accounts.access import Right
from regui.actions import (
    copying,
    delete,
    guard,
    journal,
    lost,
    many,
    overriding,
    plans,
    retag,
    retain,
    undo,
    untag,
)
from regui.actions.plans import Agreed, Plan
from regui.index import fetch
from regui.index.models import Repository

RIGHTS: dict[str, Right] = {
    plans.UNTAG: Right.DELETE,
    plans.DELETE_DIGEST: Right.DELETE,
    plans.DELETE_TAGS: Right.DELETE,
    plans.DELETE_REPOSITORY: Right.DELETE,
    plans.DELETE_UNTAGGED: Right.DELETE,
    plans.RETAIN: Right.DELETE,
    plans.RETAG: Right.PUSH,
    plans.COPY: Right.PUSH,
    plans.RESTORE: Right.DELETE,
    plans.UNDO: Right.DELETE,
    plans.PUT_BACK: Right.PUSH,
}
# How old what a plan rests on may be, where it isn't to be shown on a page first: nothing is from memory.
NOW = timedelta()

# What a program says to ask for a change, by names such as those in `Plan.asked`.
Given = Mapping[str, Any]


def plan(repository: Repository, kind: str, given: Given, *, budget: float = fetch.CHECK_BUDGET) -> Plan:
    """The plan for a change that somebody asks for by its kind and what that takes, from what the registry
    has now, asked for at most `budget` seconds. Raises as `asked` and `again`."""
    digest, facts = asked(kind, given)
    agreed = Agreed(kind, repository.registry.name, repository.name, "", digest=digest, asked=facts)
    return again(repository, agreed, budget=budget)


def asked(kind: str, given: Given) -> tuple[str, plans.Facts]:
    """The digest that a plan of this kind is about, empty when that is for it to find out, and its `asked`.
    Raises `oci.InvalidName` for what can't be the name of anything, or is missing."""
    if kind not in ASKED:
        raise oci.InvalidName(f"There is no change called {kind!r:.50}.", hint=f"Kinds: {', '.join(ASKED)}.")
    digest, facts = ASKED[kind](given)
    return digest, {**facts, **overriding.asked(kind, str(given.get("override") or ""))}


def one_tag(given: Given) -> list[str]:
    names = tags(given)
    if len(names) != 1:
        raise oci.InvalidName("Name one tag, and only one, in tags.")
    return names


def some_tags(given: Given) -> list[str]:
    names = tags(given)
    if not names:
        raise oci.InvalidName("Name one tag at least in tags.")
    return names


def tags(given: Given) -> list[str]:
    """The tags that are named, in order, each once."""
    return sorted({oci.check_tag(name) for name in given.get("tags") or ()})


def digest(given: Given) -> oci.Digest:
    return oci.Digest.parse(given.get("digest") or "")


def restored(given: Given) -> plans.Facts:
    names = tags(given)
    return {"digest": digest(given), "tags": names} if names else {"digest": digest(given)}


def copied(given: Given) -> plans.Facts:
    source, reference = str(given.get("source") or ""), given.get("reference") or ""
    registry, _, name = source.partition("/")
    if not registry or not name:
        raise oci.InvalidName("Name registry/repository in source.")
    oci.check_repository(name)
    return {
        "source": source,
        "reference": oci.check_reference(reference),
        "tags": one_tag(given),
        "platforms": sorted(set(given.get("platforms") or ())),
        "referrers": bool(given.get("referrers", True)),
    }


# What only regui comes upon, and what policies do, can't be asked for: it isn't here.
ASKED: dict[str, Callable[[Given], tuple[str, plans.Facts]]] = {
    plans.UNTAG: lambda given: ("", {"tags": one_tag(given)}),
    plans.DELETE_DIGEST: lambda given: (digest(given), delete.asked(bool(given.get("along")))),
    plans.DELETE_TAGS: lambda given: ("", {"tags": some_tags(given)}),
    plans.DELETE_REPOSITORY: lambda _: ("", {}),
    plans.DELETE_UNTAGGED: lambda _: ("", {}),
    plans.RETAG: lambda given: (
        "",
        {"reference": oci.check_reference(given.get("reference") or ""), "tags": one_tag(given)},
    ),
    plans.COPY: lambda given: ("", copied(given)),
    plans.RESTORE: lambda given: (digest(given), restored(given)),
    plans.UNDO: lambda given: ("", {"action": str(given.get("action") or "")}),
}


def again(repository: Repository, plan: Agreed, *, budget: float = fetch.CHECK_BUDGET) -> Plan:
    """The plan that was agreed to, made anew from what the registry has now, asked for at most `budget`
    seconds: nothing is taken from memory. Raises `oci.NotFound` when what it is about is gone."""
    # Plans are guarded where they are made, so that a page tells; here so that none can be forgotten.
    return guard.guarded(repository, LOOK[plan.kind](repository, plan, budget))


LOOK: dict[str, Callable[[Repository, Agreed, float], Plan]] = {
    plans.UNTAG: lambda repository, plan, budget: untag.look(
        repository, plan.named[0], max_age=NOW, budget=budget, override=overriding.of(plan.asked)
    ),
    plans.DELETE_DIGEST: lambda repository, plan, budget: delete.look(
        repository,
        oci.Digest.parse(plan.digest),
        max_age=NOW,
        budget=budget,
        along=bool(plan.asked.get("along")),
        override=overriding.of(plan.asked),
    ),
    plans.DELETE_TAGS: lambda repository, plan, budget: many.tags(
        repository, plan.named, max_age=NOW, budget=budget, override=overriding.of(plan.asked)
    ),
    plans.DELETE_REPOSITORY: lambda repository, plan, budget: many.everything(
        repository, max_age=NOW, budget=budget, override=overriding.of(plan.asked)
    ),
    plans.DELETE_UNTAGGED: lambda repository, plan, budget: many.untagged(
        repository, max_age=NOW, budget=budget, override=overriding.of(plan.asked)
    ),
    plans.RETAIN: lambda repository, plan, budget: retain.again(repository, plan.asked, budget=budget),
    plans.RETAG: lambda repository, plan, budget: retag.look(
        repository, str(plan.asked["reference"]), plan.named[0], max_age=NOW, budget=budget
    ),
    plans.COPY: lambda repository, plan, budget: copying.again(repository, plan, budget=budget),
    plans.RESTORE: lambda repository, plan, budget: undo.restore(
        repository, plan.digest, plan.named, budget=max(budget, undo.BUDGET)
    ),
    plans.PUT_BACK: lambda repository, plan, _: lost.look(repository, plan.asked),
    plans.UNDO: lambda repository, plan, budget: undo.look(
        journal.named(repository, str(plan.asked["action"])), budget=max(budget, undo.BUDGET)
    ),
}
