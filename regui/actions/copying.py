"""Copying a manifest into another repository, of the same registry or of another: with all it contains, and
with what speaks about it."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from regui import oci
from regui.actions import carried, guard, plans, retag, undo
from regui.actions.landing import Landing, copied, mountable
from regui.actions.models import Action, Item
from regui.actions.plans import Agreed, Bytes, Check, Plan, TagOn
from regui.actions.selection import Selection, select
from regui.actions.transfer import Place, Transfer, movable
from regui.index import fetch
from regui.index.models import Registry, Repository


def look(
    source: Repository,
    reference: str,
    target: Repository,
    tag: str,
    *,
    platforms: Collection[str] = (),
    referrers: bool = True,
    max_age: timedelta = fetch.MAX_AGE,
    budget: float = fetch.CHECK_BUDGET,
) -> Plan:
    """The plan to have the target's `tag` lead to what `reference`, a tag or a digest, leads to at the
    source, after asking both; within one repository that is merely a tag to set. Raises `oci.NotFound` when
    there is nothing at the source, `oci.InvalidName` for names that can't be, among them `picking.Unfit`."""
    oci.check_reference(reference)
    oci.check_tag(tag)
    oci.check_repository(target.name)
    if is_same(source, target) and not platforms:
        return retag.look(target, reference, tag, max_age=max_age, budget=budget)
    deadline = time.monotonic() + budget
    selection = select(source, reference, platforms, referrers=referrers, deadline=deadline)
    plan = Plan(
        kind=plans.COPY,
        registry=target.registry.name,
        repository=target.name,
        digest=selection.main.digest,
        asked=asked(source, reference, tag, platforms if selection.part else (), referrers=referrers),
        media_type=selection.main.media_type,
        what="index" if oci.is_index(selection.main.media_type) else "image",
        lost=(*(absent(source, one) for one in selection.missing), *selection.lost),
        check=Check(checked=1, total=2, as_of=timezone.now()),
    )
    return guard.guarded(target, landed(plan, selection, Landing(source, target, deadline), tag, max_age))


def landed(plan: Plan, selection: Selection, landing: Landing, tag: str, max_age: timedelta) -> Plan:
    """The plan once the target was asked. Its check says when that didn't answer, and it has no steps when
    part of what is to be copied isn't there."""
    left = max(landing.deadline - time.monotonic(), 0)
    before, reading = retag.now_on(landing.repository, tag, left, max_age)
    if reading.problem:
        code, hint = reading.error_code, reading.hint
        return replace(plan, check=replace(plan.check, problem=reading.problem, hint=hint, code=code))
    landing.on[tag] = before.digest if before else ""
    try:
        found, taken = landing.welcome(selection.found)
        selection = replace(selection, found=found)
        lists = landing.lists(selection)
        load = landing.load(selection.contents)
    except oci.Error as error:
        failed = replace(plan.check, problem=str(error), hint=error.hint, code=error.code)
        return replace(plan, check=failed)
    moves = before is not None and before.digest != plan.digest
    contents = (*selection.contents, *(one.content for one in lists))
    return replace(
        plan,
        steps=() if selection.missing else tuple(landing.steps(selection, lists, tag)),
        tags=(TagOn(tag, landing.on[tag]),) if moves else (),
        left_behind=retag.loses(landing.repository, tag, before) if moves and before else (),
        lost=(*plan.lost, *taken),
        copied=copied(selection, lists, tag),
        load=load,
        contents=tuple({one.digest: one for one in contents}.values()),
        bytes=Bytes(frees=0, stays=load.total),
        check=Check(2, 2, plan.check.as_of, complete=True),
    )


def again(target: Repository, plan: Agreed, *, budget: float = fetch.CHECK_BUDGET) -> Plan:
    """The same plan, from what both registries have now."""
    return look(
        place(str(plan.asked["source"])),
        str(plan.asked["reference"]),
        target,
        plan.named[0],
        platforms=list(plan.asked["platforms"]),
        referrers=bool(plan.asked["referrers"]),
        max_age=timedelta(),
        budget=budget,
    )


def transfer(action: Action, target: Repository, tick: Callable[[int], None]) -> Transfer | None:
    """What brings over the blobs of an action that copies; None for any other. Raises `oci.Unreachable` when
    the settings no longer name the registry it copies from."""
    origin = next((item.source for item in action.items.all() if item.source), "")
    if not origin:
        return None
    try:
        source = place(origin)
    except Registry.DoesNotExist as error:
        raise oci.Unreachable(f"The settings no longer say where {origin} is.") from error
    documents = {one.digest: oci.parse(one.body, one.media_type) for one in action.kept.all()}
    blobs = {blob.digest for document in documents.values() for blob in movable(document)}
    made = Transfer(
        Place(carried.link(action, source.registry).carrier, source.name, origin),
        Place(carried.link(action, target.registry).carrier, target.name, path_of(target)),
        mountable(source, target.registry, blobs),
        tick,
    )
    for item in action.items.all():
        if item.do == plans.COPY and item.result == Item.Result.DONE:
            made.is_there(documents[item.digest])
    return made


def asked(
    source: Repository, reference: str, tag: str, platforms: Collection[str], *, referrers: bool
) -> dict[str, object]:
    """What makes the same plan again, with the target; no platforms mean all."""
    return {
        "source": path_of(source),
        "reference": reference,
        "tags": [tag],
        "platforms": sorted(platforms),
        "referrers": referrers,
    }


def place(path: str) -> Repository:
    """The repository that registry/repository means; Registry.DoesNotExist when the settings no longer name
    its registry."""
    registry, _, name = path.partition("/")
    return undo.repository_of(registry, name)


def path_of(repository: Repository) -> str:
    return f"{repository.registry.name}/{repository.name}"


def is_same(one: Repository, other: Repository) -> bool:
    return path_of(one) == path_of(other)


def absent(source: Repository, digest: str) -> str:
    return f"{plans.shortened(digest)} isn't in {path_of(source)}, though an index names it."
