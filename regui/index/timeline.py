"""What events say became of tags: decided on names and moments alone.

The registry's clock isn't ours, events may come late or twice, and a crawl may have seen what they tell long
ago. So an event is believed by itself only when it came at once and the tag was last seen clearly before it;
whatever is in doubt is asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from regui.index.models import Event

# By how much the clocks may differ, delivery included, before nothing can be concluded from an event's time.
SLACK = timedelta(seconds=2)

Key = tuple[int, str]  # the repository's key and a tag's name


@dataclass(frozen=True)
class Told:
    """That a tag led to `digest` (empty: to nothing) from an event on."""

    digest: str
    event: Event


def of_tags(events: Iterable[tuple[int, Event]], on: Mapping[Key, str]) -> dict[Key, list[Told]]:
    """By tag, what these events say of it, in their order; each comes with its repository's key. `on` is what
    tags are on by the index, needed of those that a deleted digest takes along."""
    now_on = dict(on)
    found: dict[Key, list[Told]] = {}

    def tell(key: Key, digest: str, event: Event) -> None:
        now_on[key] = digest
        found.setdefault(key, []).append(Told(digest, event))

    for repository, event in events:
        if event.action == "push" and event.tag:
            tell((repository, event.tag), event.digest, event)
        elif event.action == "delete" and event.tag:
            tell((repository, event.tag), "", event)
        elif event.action == "delete":
            along = [key for key, digest in now_on.items() if (key[0], digest) == (repository, event.digest)]
            for key in along:
                tell(key, "", event)
    return found


def is_prompt(event: Event) -> bool:
    """Whether it came at once, by clocks that agree."""
    return abs(event.received_at - event.at) <= SLACK


def is_sure(told: Iterable[Told], seen_at: datetime | None) -> bool:
    """Whether what was told of a tag can be believed, when it was last seen at that moment."""
    return all(is_prompt(one.event) and (seen_at is None or seen_at <= one.event.at - SLACK) for one in told)


def happened(event: Event) -> datetime:
    """When, by the registry's clock; nothing is told before it happened."""
    return min(event.at, event.received_at)


@dataclass(frozen=True)
class Step:
    """One move on a tag's way. `event` is None where none tells of it."""

    before: str
    after: str
    event: Event | None


def way(before: str | None, told: Iterable[Told], after: str, *, sure: bool) -> list[Step]:
    """The moves that led a tag from what the index knew to what it is on now, as far as events tell. `before`
    is None when the index knew that there was the tag, and not what it was on.

    Unless all that was told is `sure` to be news, what they tell before the index's own knowledge, or after
    the registry's latest word, is left out.
    """
    known = list(told)
    start = 0 if sure or before is None else last(known, before)
    before = before or ""
    end = len(known) if sure else last(known, after)
    stops: list[Told | None] = [*known[start:end]]
    if end <= start and before != after:
        stops.append(None)  # no event tells of it, yet that is where the way ends
    steps, at = list[Step](), before
    for stop in stops:
        digest, event = (stop.digest, stop.event) if stop else (after, None)
        if digest != at:
            steps.append(Step(at, digest, event))
        at = digest
    return steps


def last(told: Sequence[Told], digest: str) -> int:
    """How many were told until the tag was last on that digest; 0 when it never was."""
    return max((at for at, one in enumerate(told, start=1) if one.digest == digest), default=0)
