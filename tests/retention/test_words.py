"""What a person gets to read: of what is wrong with a value, and of what a rule means."""

from typing import Any

import pytest

from regui.retention import documents, reading
from regui.retention.documents import Wrong
from regui.retention.policy import Policy
from regui.retention.reading import Invalid
from tests.retention.made import policy, tag, verdicts

LONG = "9" * 5000
FIELDS = "minute, hour, day, month, weekday"


def wrong(**values: Any) -> str:
    """What is wrong with a policy of these values."""
    with pytest.raises(Invalid) as raised:
        Policy.read({"name": "a", "registry": "main", "repositories": "**", "otherwise": "drop"} | values)
    return raised.value.message


def told(text: str) -> list[str]:
    """What is wrong with a document, with its place."""
    with pytest.raises(Wrong) as raised:
        documents.read(text)
    return [str(one) for one in raised.value.problems]


# Numbers and lengths of time


def test_a_number_of_any_length_is_refused_in_our_words() -> None:
    assert wrong(rules=[{"keep": "newest", "count": LONG}]) == (
        "count must be a whole number from 1 to 1,000,000."
    )
    assert wrong(limit=f"{LONG}%") == "limit must be a whole number from 1 to 100."
    assert wrong(untagged=f"{LONG}d") == "untagged must be a length of time such as 12h or 30d."
    assert wrong(schedule=f"{LONG} 3 * * *").startswith("schedule must have another minute than 9999999999")
    assert len(wrong(schedule=f"{LONG} 3 * * *")) < 200


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("180h", "180 hours"),
        ("36h", "36 hours"),
        ("24h", "1 day"),
        ("7d", "7 days"),
        ("90s", "90 seconds"),
        ("60m", "1 hour"),
        ("90m", "90 minutes"),
        ("1s", "1 second"),
    ],
)
def test_a_length_that_somebody_wrote_is_said_as_it_is(written: str, said: str) -> None:
    assert reading.exact(reading.length(written)) == said


def test_rules_say_their_times_as_they_are() -> None:
    rules = policy(
        {"keep": "younger", "than": "180h"},
        {"drop": "older", "than": "36h", "by": "pushed"},
        {"keep": "pulled", "within": "36h"},
        {"drop": "not-pulled", "for": "100m"},
    ).rules
    assert [str(rule) for rule in rules] == [
        "created less than 180 hours ago",
        "pushed more than 36 hours ago",
        "pulled within 36 hours",
        "not pulled for 100 minutes",
    ]
    decision = verdicts([tag("1.0", 1)], {"keep": "younger", "than": "180h"})
    assert decision.reason(0) == "kept: rule 1, created 1 day ago, less than 180 hours"


def test_rules_on_order_say_what_they_go_by() -> None:
    rule: dict[str, Any] = {"keep": "newest", "count": 3, "tags": "nightly-*"}
    rules = policy(rule, *(rule | {"by": by} for by in ("pushed", "first-seen", "version"))).rules
    assert [str(rule) for rule in rules] == [
        "newest 3 of `nightly-*`",
        "newest 3 of `nightly-*` by time of push",
        "newest 3 of `nightly-*` by time first seen",
        "newest 3 of `nightly-*` by version",
    ]


# Schedules


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("0 0 31 2 *", "names a moment that never comes"),
        ("61 * * * *", "must have another minute than 61: 0 to 59, * for every one, */5 for every fifth"),
        ("* 24 * * *", "must have another hour than 24: 0 to 23, * for every one, */5 for every fifth"),
        ("* * 0 * *", "must have another day than 0: 1 to 31, * for every one, L for the last of the month"),
        ("* * * 13 *", "must have another month than 13: 1 to 12 or JAN to DEC, * for every one"),
        (
            "* * * * 9",
            "must have another weekday than 9: 0 to 6 from Sunday on or SUN to SAT, * for every one",
        ),
        ("61 * * 13 *", "must have another minute than 61: 0 to 59, * for every one, */5 for every fifth"),
        ("0 3 * * MON#1,FRI L", f"must be five fields, not 6: {FIELDS}; such as 0 3 * * *"),
        ("0 3 * *", f"must be five fields, not 4: {FIELDS}; such as 0 3 * * *"),
        ("@daily", f"must be five fields, not @daily: {FIELDS}; such as 0 3 * * *"),
    ],
)
def test_a_schedule_that_can_not_be_meant_says_which_part_of_it(schedule: str, said: str) -> None:
    assert wrong(schedule=schedule) == f"schedule {said}."


# Documents


def test_all_wrong_patterns_of_a_list_are_said() -> None:
    assert wrong(repositories=["a!", "team/**", "b**c"]) == (
        "repositories must be a repository, or a pattern of repositories such as team/* or team/**, "
        "not 'a!', 'b**c'."
    )
    assert wrong(rules=[{"keep": "matching", "tags": "v!, w, x/y"}]) == (
        "tags must be a tag, or a pattern of tags such as v* or prod-?, not 'v!', 'x/y'."
    )
    assert len(wrong(repositories=["!" * 1000] * 3 + [f"!{number}" for number in range(1000)])) < 400
    assert wrong(repositories=[f"!{number}" for number in range(9)]).endswith("'!4' and 4 more.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: [v*\nb: c\n",
            (
                "line 1, column 4: A [ begins here that no ] ends"
                ", or a comma is missing before line 2, column 2."
            ),
        ),
        ("policies: {a: b\n", "line 1, column 11: A { begins here that no } ends."),
        ("policies: [a\n", "line 1, column 11: A [ begins here that no ] ends."),
        ("policies:\n- 'a", "line 2, column 3: A quote begins here that no other ends."),
        (
            "policies:\n  a: b\n c: d\n",
            "line 3, column 2: This fits nothing before it: what belongs together begins in the same column.",
        ),
        ("policies:\n- @a\n", "line 2, column 3: A text that begins with @ needs quotes."),
        ("policies:\n  a: 1\n  b\n", "line 3, column 3: A name needs a colon and a space behind it."),
    ],
)
def test_what_can_not_be_read_is_said_in_plain_words(text: str, said: str) -> None:
    assert told(text) == [said]
