"""Pushes that were lost to a change of ours, found in what the registry tells.

Between the last look at a tag and the write that changes it lies a moment that the protocol leaves open to
somebody else's push: there is no If-Match. Neither side notices, but the registry's notifications have both
in their order.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils import timezone

from regui.actions import journal, plans, undo
from regui.actions.models import Action, Item
from regui.actions.plans import Check, Facts, Plan, Step
from regui.index.models import Event, Repository

# How long before our write a push can have come after our look; and how far clocks may differ.
WINDOW, APART = timedelta(seconds=10), timedelta(minutes=1)
TAGS = frozenset({plans.UNTAG, plans.PUT, plans.COPY})


@dataclass(frozen=True)
class Lost:
    """A push of a tag to a digest that the item's step overwrote or took along."""

    item: Item
    tag: str
    digest: str


def told(action: Action) -> tuple[list[Item], list[str], list[Event]]:
    """The steps that have lately begun to change something, the tags that were to go along, and what the
    registry told of the repository since, in its order."""
    items = list(action.items.exclude(begun_at=None).filter(begun_at__gt=timezone.now() - 2 * APART))
    if not items:
        return [], [], []
    along = action.items.filter(do=plans.GOES_ALONG).values_list("tag", flat=True)
    since = min(item.begun_at for item in items if item.begun_at) - APART
    events = Event.objects.filter(registry=action.registry, repository=action.repository, at__gte=since)
    return items, list(along), list(events.exclude(action="pull").order_by("at", "pk"))


def lost(items: Iterable[Item], along: Sequence[str], events: Sequence[Event]) -> Iterator[Lost]:
    """Yield what these steps took away that nobody had agreed to lose."""
    for item in items:
        at = ours(item, events)
        before = [] if at is None else [e for e in events[:at] if events[at].at - e.at <= WINDOW]
        last = {event.tag: event for event in before if event.tag}
        pushed = {tag: event.digest for tag, event in last.items() if event.action == "push"}
        if item.do in TAGS:
            if pushed.get(item.tag) not in {None, item.digest, item.before, item.passing}:
                yield Lost(item, item.tag, pushed[item.tag])
        elif item.do == plans.DELETE_DIGEST:
            went = [tag for tag, digest in pushed.items() if digest == item.digest]
            yield from (Lost(item, tag, item.digest) for tag in went if tag not in along)


def ours(item: Item, events: Sequence[Event]) -> int | None:
    """Where among the events the write of that step is, the last one of it; None when it isn't told."""
    wanted: tuple[str, str, str | None]
    if item.do in {plans.PUT, plans.COPY}:
        wanted = ("push", item.tag, item.digest)
    elif item.do == plans.UNTAG and item.passing:
        wanted = ("push", item.tag, item.passing)
    elif item.do == plans.UNTAG:
        wanted = ("delete", item.tag, None)
    else:
        wanted = ("delete", "", item.digest)
    action, tag, digest = wanted
    for at in reversed(range(len(events))):
        event = events[at]
        if (event.action, event.tag) == (action, tag) and digest in {None, event.digest}:
            return at
    return None


def look(repository: Repository, asked: Facts) -> Plan:
    """The plan that puts a lost push back: what was asked names the action that took it, its tag and its
    digest. Without steps when that tag is on something else by now."""
    action = journal.named(repository, str(asked["action"]))
    tag, digest = str(asked["tag"]), str(asked["digest"])
    put = action.items.filter(do__in=[plans.PUT, plans.COPY], tag=tag).first()
    if put is None:
        return replace(undo.restore(repository, digest, [tag]), kind=plans.PUT_BACK, asked=asked)
    return Plan(
        kind=plans.PUT_BACK,
        registry=repository.registry.name,
        repository=repository.name,
        digest=digest,
        asked=asked,
        steps=(Step(plans.PUT, repository.name, digest, tag, before=put.digest),),
        check=Check(1, 1, timezone.now(), complete=True),
    )
