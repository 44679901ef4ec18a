"""What becomes of tags, rule by rule and where rules meet."""

import time
from typing import Any

import pytest

from regui.retention.deciding import decide, keepers
from regui.retention.policy import Policy
from regui.retention.reading import Invalid
from regui.retention.tags import Half, Moment, Tag
from tests.retention.made import (
    NOW,
    TOLD,
    UNTOLD,
    ago,
    dropped,
    kept,
    policy,
    reasons,
    tag,
    verdicts,
)

UNREAD = Tag("new", None)
UNDATED = tag("undated")
AGED: list[dict[str, Any]] = [
    {"keep": "newest", "count": 1},
    {"keep": "younger", "than": "30d"},
    {"drop": "older", "than": "30d"},
]


def test_keep_wins_over_every_drop_rule_and_the_reason_names_the_first() -> None:
    found = verdicts(
        [tag("v1", 90), tag("v2", 80), tag("pr-1", 90)],
        {"drop": "matching", "tags": "*"},
        {"keep": "newest", "count": 5, "tags": "v*"},
        {"keep": "matching", "tags": "v*"},
    )
    assert kept(found) == ["v1", "v2"]
    assert reasons(found) == {
        "v1": "kept: rule 2, newest 5 of `v*` (2nd)",
        "v2": "kept: rule 2, newest 5 of `v*` (1st)",
        "pr-1": "dropped: rule 1, matches all tags",
    }


def test_what_is_protected_or_runs_stays_whatever_rules_say() -> None:
    tags = [tag("a", 90, protected="protected by a"), tag("b", 90, used="running in prod since 2026")]
    found = verdicts(tags, {"drop": "matching", "tags": "*"}, otherwise="drop")
    assert reasons(found) == {"a": "kept: protected by a", "b": "kept: running in prod since 2026"}


def test_a_keep_rule_of_another_policy_holds_and_is_named() -> None:
    one = policy({"drop": "older", "than": "30d"})
    other = policy({"keep": "newest", "count": 1}, {"drop": "matching", "tags": "*"}, name="other")
    away = policy({"keep": "matching", "tags": "*"}, name="away", repositories=["elsewhere/*"])
    others = keepers(one, [one, other, away], "team/app")
    assert [(each.policy, each.number) for each in others] == [("other", 1)]
    found = decide(one, [tag("v1", 90), tag("v2", 80)], TOLD, others)
    assert reasons(found) == {
        "v1": "dropped: rule 1, created 90 days ago",
        "v2": "kept: rule 1 of other, newest 1 (1st)",
    }


def test_rules_of_two_forms_of_a_policy_are_told_apart() -> None:
    one = policy({"drop": "older", "than": "30d"})
    now = policy({"drop": "pre-releases"}, {"keep": "matching", "tags": "b"}, name="other")
    before = policy({"keep": "matching", "tags": ["a", "b"]}, name="other")
    others = keepers(one, [now, before], "team/app")
    assert [(each.policy, each.number) for each in others] == [("other", 2), ("other", 3)]
    found = decide(one, [tag("a", 90), tag("b", 90)], TOLD, others)
    assert reasons(found) == {
        "a": "kept: rule 3 of other, matches `a`, `b`",
        "b": "kept: rule 2 of other, matches `b`",
    }


@pytest.mark.parametrize("rule", AGED)
@pytest.mark.parametrize("unknown", [UNREAD, UNDATED], ids=["unread", "undated"])
def test_what_has_no_date_is_kept_by_every_rule_on_dates(rule: dict[str, Any], unknown: Tag) -> None:
    found = verdicts([unknown], rule, otherwise="keep" if "drop" in rule else "drop")
    assert kept(found) == [unknown.name]
    assert "can't tell" in found.reason(0)


@pytest.mark.parametrize("rule", AGED)
def test_what_has_no_date_goes_where_a_rule_says_so(rule: dict[str, Any]) -> None:
    assert dropped(verdicts([UNDATED], {**rule, "unknown": "drop"}, otherwise="drop")) == ["undated"]


@pytest.mark.parametrize(
    "rule",
    [
        *({**rule, "unknown": "drop"} for rule in AGED),
        {"keep": "newest", "count": 1, "by": "first-seen", "unknown": "drop"},
        {"keep": "pulled", "within": "1d", "unknown": "drop"},
        {"keep": "label", "label": "x"},
    ],
)
def test_an_unread_tag_is_never_dropped_but_by_its_name(rule: dict[str, Any]) -> None:
    tags = [Tag("new", None, first_seen=ago(400)), tag("old", 90, first_seen=ago(1))]
    otherwise = "keep" if "drop" in rule else "drop"
    assert "new" in kept(verdicts(tags, rule, otherwise=otherwise))
    assert "new" not in kept(verdicts(tags, {"drop": "matching", "tags": "new"}))


def test_an_unread_tag_goes_where_no_rule_looks_at_its_name() -> None:
    assert dropped(verdicts([UNREAD], {"keep": "newest", "count": 1, "tags": "v*"}, otherwise="drop")) == [
        "new"
    ]


@pytest.mark.parametrize("by", ["created", "first-seen", "version"])
def test_neither_unread_nor_undated_tags_take_a_place_among_the_newest(by: str) -> None:
    tags = [tag("1.0", 9, first_seen=ago(9)), Tag("2.0", None, first_seen=ago(1)), UNDATED]
    found = verdicts(tags, {"keep": "newest", "count": 1, "by": by}, {"drop": "matching", "tags": "*"})
    assert kept(found) == ["1.0", "2.0", "undated"]


def test_a_date_in_the_future_is_none() -> None:
    tags = [tag("ahead", -2), tag("soon", 0)]
    found = verdicts(tags, {"keep": "newest", "count": 1}, otherwise="drop")
    assert reasons(found)["ahead"].endswith("its image says no date that can be true")
    assert reasons(found)["soon"] == "kept: rule 1, newest 1 (1st)"


def test_not_pulled_is_unknown_until_pulls_were_told_of_for_so_long() -> None:
    tags = [tag("a", 300, first_seen=ago(300)), tag("b", 300, first_seen=ago(300), pulled=ago(94))]
    rule = {"drop": "not-pulled", "for": "90d"}
    assert kept(verdicts(tags, rule, moment=UNTOLD)) == ["a", "b"]
    assert kept(verdicts(tags, rule, moment=Moment(NOW, ago(89)))) == ["a", "b"]
    found = verdicts(tags, rule, moment=Moment(NOW, ago(90)))
    assert reasons(found) == {
        "a": "dropped: rule 1, not pulled for at least 90 days",
        "b": "dropped: rule 1, not pulled for 94 days",
    }


def test_what_came_within_that_time_was_not_left_unpulled_for_it() -> None:
    tags = [tag("moved", 300, first_seen=ago(3)), tag("pulled", 300, first_seen=ago(300), pulled=ago(3))]
    assert kept(verdicts(tags, {"drop": "not-pulled", "for": "30d"})) == ["moved", "pulled"]


def test_pulled_keeps_all_while_nobody_told_of_pulls() -> None:
    rule = {"keep": "pulled", "within": "30d"}
    assert kept(verdicts([tag("a", 300)], rule, otherwise="drop", moment=UNTOLD)) == ["a"]
    assert dropped(verdicts([tag("a", 300)], rule, otherwise="drop")) == ["a"]


def test_pre_releases_go_when_their_release_is_there_in_the_same_variant() -> None:
    names = ["1.2-rc1", "1.2.0", "1.3-rc1", "1.2-rc1-alpine", "1.2rc2", "latest"]
    found = verdicts([tag(name, 1) for name in names], {"drop": "pre-releases"})
    assert dropped(found) == ["1.2-rc1", "1.2rc2"]


def test_older_patches_go_when_a_newer_one_is_there_and_could_be_read() -> None:
    names = ["1.2.3", "1.2.10", "v1.2.4", "1.2.11-rc1", "1.2.2-alpine", "1.2", "1.3.0", "latest"]
    found = verdicts([tag(name, 1) for name in names], {"drop": "superseded"})
    assert dropped(found) == ["1.2.3", "v1.2.4"]
    unread = [tag("1.2.3", 1), Tag("1.2.4")]
    assert dropped(verdicts(unread, {"drop": "superseded"})) == []
    assert dropped(verdicts([tag("1.2-rc1", 1), Tag("1.2")], {"drop": "pre-releases"})) == []


def test_ranges_of_versions_and_labels_keep() -> None:
    tags = [tag("1.4.2", 9), tag("v2.1", 9), tag("x", 9, labels={"keep": "yes"})]
    found = verdicts(
        tags,
        {"keep": "versions", "range": ">=1.2 <2"},
        {"keep": "label", "label": "keep=yes"},
        otherwise="drop",
    )
    assert kept(found) == ["1.4.2", "x"]


def test_shared_images_count_once_where_images_are_counted() -> None:
    tags = [tag("3", 1, 3), tag("latest", 1, 3), tag("2", 2, 2), tag("1", 3, 1)]
    rule = {"keep": "newest", "count": 2, "per": "image"}
    assert kept(verdicts(tags, rule, otherwise="drop")) == ["3", "latest", "2"]


@pytest.mark.parametrize("regex", ["(a+)+b", "(a|aa)+c", "(.*a){20}", "(a?){60}a{60}", "((a*)*)*d"])
def test_a_regular_expression_takes_no_longer_however_it_is_written(regex: str) -> None:
    tags = [tag("a" * 127 + str(number % 10), 9) for number in range(2_000)]
    began = time.process_time()
    verdicts(tags, {"drop": "matching", "regex": regex})
    assert time.process_time() - began < 2


def test_a_regular_expression_re2_does_not_know_is_refused_with_its_place() -> None:
    with pytest.raises(Invalid) as refused:
        policy({"keep": "matching", "regex": r"(a)\1"})
    assert refused.value.path == ("rules", 0, "regex")


@pytest.mark.parametrize("field", ["name", "registry"])
def test_blanks_are_no_value(field: str) -> None:
    given = {"name": "a", "registry": "b", "repositories": "**", "otherwise": "drop"}
    with pytest.raises(Invalid, match=f"{field} is missing"):
        Policy.read({**given, field: "  "})


def test_twenty_thousand_tags_are_decided_in_less_than_two_seconds() -> None:
    tags = [tag(f"1.{number}", number % 900, pulled=ago(number % 400)) for number in range(20_000)]
    began = time.process_time()
    found = verdicts(
        tags,
        {"keep": "newest", "count": 50},
        {"keep": "newest", "count": 50, "by": "version"},
        {"keep": "pulled", "within": "7d"},
        {"drop": "older", "than": "30d"},
    )
    assert time.process_time() - began < 2
    assert found.counts.total() == 20_000
    assert len(found.dropped) > 18_000


def test_a_label_that_could_not_be_read_may_be_there() -> None:
    tags = [
        tag("none"),
        tag("half", labels=Half({"b": "2"})),
        tag("here", labels=Half({"a": "1"})),
        tag("other", labels={"a": "2"}),
    ]
    found = verdicts(tags, {"keep": "label", "label": "a=1"}, otherwise="drop")
    assert kept(found) == ["half", "here"]
    assert reasons(found)["half"] == "kept: rule 1 can't tell: not all of its labels could be read"
