"""What events say of tags, decided without any row."""

from datetime import timedelta

import pytest

from regui.index import timeline
from regui.index.models import Event
from regui.index.timeline import Told
from tests.factories import NOW

A, B, C = "sha256:a", "sha256:b", "sha256:c"


def event(action: str, *, tag: str = "", digest: str = "", at: float = 0, late: float = 0.1) -> Event:
    """An event that happened so many seconds after noon and came in so much later."""
    moment = NOW + timedelta(seconds=at)
    return Event(
        action=action, tag=tag, digest=digest, at=moment, received_at=moment + timedelta(seconds=late)
    )


def push(digest: str, tag: str = "v1", **when: float) -> Event:
    return event("push", tag=tag, digest=digest, **when)


def told(*events: Event, on: dict[str, str] | None = None) -> dict[str, list[str]]:
    """By tag, what these events say it led to."""
    keyed = {(1, tag): digest for tag, digest in (on or {}).items()}
    found = timeline.of_tags([(1, one) for one in events], keyed)
    return {tag: [one.digest for one in tale] for (_, tag), tale in found.items()}


def test_pushes_and_deletes_of_a_tag_follow_each_other() -> None:
    assert told(push(A), push(B), event("delete", tag="v1"), push(A)) == {"v1": [A, B, "", A]}


def test_a_deleted_digest_takes_the_tags_that_are_on_it_by_then() -> None:
    deleted = event("delete", digest=A)
    on = {"old": A, "kept": B, "moved": A}
    assert told(push(B, "moved"), push(A, "new"), deleted, on=on) == {
        "moved": [B],
        "new": [A, ""],
        "old": [""],
    }


def test_a_push_by_digest_says_nothing_of_tags() -> None:
    assert told(event("push", digest=A)) == {}


def test_a_deleted_digest_takes_nothing_along_elsewhere() -> None:
    found = timeline.of_tags([(1, event("delete", digest=A))], {(2, "v1"): A})
    assert found == {}


def way(before: str | None, *digests: str, after: str, sure: bool = False) -> list[tuple[str, str, bool]]:
    tale = [Told(digest, push(digest)) for digest in digests]
    steps = timeline.way(before, tale, after, sure=sure)
    return [(step.before, step.after, step.event is not None) for step in steps]


def test_news_is_told_step_by_step() -> None:
    assert way("", A, B, after=B, sure=True) == [("", A, True), (A, B, True)]
    assert way(A, B, A, after=A, sure=True) == [(A, B, True), (B, A, True)]


def test_what_is_no_move_is_left_out() -> None:
    assert way(A, A, after=A, sure=True) == []
    assert way("", "", after="") == []
    assert way("", A, A, "", "", after="", sure=True) == [("", A, True), (A, "", True)]


def test_what_was_known_already_is_not_told_again() -> None:
    assert way(B, A, B, after=B) == []
    assert way(B, A, B, C, after=C) == [(B, C, True)]
    assert way("", A, "", after="") == []


def test_of_a_tag_that_was_never_read_all_is_news() -> None:
    assert way(None, A, "", after="") == [("", A, True), (A, "", True)]
    assert way(None, A, B, after=B) == [("", A, True), (A, B, True)]
    assert way(None, "", after="") == []


def test_what_the_registry_says_now_is_the_end() -> None:
    assert way(A, B, after=C) == [(A, C, False)], "no event tells of it"
    assert way(A, B, C, after=B) == [(A, B, True)]


@pytest.mark.parametrize(
    ("seen", "late", "sure"),
    [
        (None, 0.1, True),
        (-60, 0.1, True),
        (-60, 1.9, True),
        (-60, -1.9, True),
        (-60, 30, False),  # came late: who knows what happened since
        (-60, -3600, False),  # the registry's clock is ahead: who knows how late it is
        (-1, 0.1, False),  # seen at about that moment
        (1, 0.1, False),
        (3600, 0.1, False),
    ],
)
def test_an_event_is_believed_when_it_comes_at_once_and_after_all_we_know(
    seen: float | None, late: float, sure: bool
) -> None:
    seen_at = None if seen is None else NOW + timedelta(seconds=seen)
    assert timeline.is_sure([Told(A, push(A, late=late))], seen_at) is sure


def test_nothing_is_told_before_it_happened() -> None:
    ahead = push(A, at=3600, late=-3600)
    assert timeline.happened(ahead) == NOW
    assert timeline.happened(push(A)) == NOW
