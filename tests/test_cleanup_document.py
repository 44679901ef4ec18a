"""The example in docs/cleanup.md is read, and decides as the document says."""

import re
from pathlib import Path

import pytest

from regui.retention import documents, rules
from regui.retention.deciding import decide, keepers
from regui.retention.policy import Policy
from regui.retention.tags import Moment, Tag

DOCUMENT = (Path(__file__).parent.parent / "docs" / "cleanup.md").read_text(encoding="utf-8")
DAY = 86_400
NOW = 2_000 * DAY


def example() -> dict[str, Policy]:
    found = re.findall(r"```yaml\n(policies:.*?)```", DOCUMENT, re.DOTALL)
    assert len(found) == 1
    return {policy.name: policy for policy in documents.read(found[0])}


def tag(name: str, days: int | None, manifest: int, pulled: int | None = None) -> Tag:
    """A tag that was made so many days ago, and pulled so many."""
    at = None if days is None else NOW - days * DAY
    return Tag(name, manifest, at, at, at, None if pulled is None else NOW - pulled * DAY, {}, "", "")


def reasons(name: str, tags: list[Tag]) -> dict[str, str]:
    """What the policy of the example says of each tag."""
    policies = example()
    others = keepers(policies[name], policies.values(), "team/app")
    found = decide(policies[name], tags, Moment(NOW, told_since=0), others)
    return {one.name: found.reason(place) for place, one in enumerate(tags)}


def test_it_is_written_back_as_it_reads() -> None:
    policies = list(example().values())

    assert documents.read(documents.write(policies)) == sorted(policies, key=lambda one: one.name)
    assert [policy.name for policy in policies] == ["builds", "releases", "pull-requests"]


def test_builds_keeps_the_newest_and_what_is_pulled_and_what_others_keep() -> None:
    tags = [tag(f"b{number}", 10 + number, number) for number in range(13)]
    tags += [
        tag("pulled", 99, 20, pulled=29),
        tag("unpulled", 99, 21, pulled=31),
        tag("1.2.3", 99, 22),
        tag("prod-eu", 99, 23),
        tag("new-tmp", 6, 24),
        tag("x-tmp", 99, 25),
        tag("dateless", None, 26),
    ]
    said = reasons("builds", tags)

    # The newest ten by their images' dates: new-tmp, and b0 to b8.
    kept = [name for name, reason in said.items() if reason.startswith("kept")]
    assert kept == [
        *(f"b{number}" for number in range(9)),
        "pulled",
        "1.2.3",
        "prod-eu",
        "new-tmp",
        "dateless",
    ]
    assert said["b8"] == "kept: rule 1, newest 10 (10th)"
    assert said["b9"] == "dropped: no rule speaks of it"
    assert said["x-tmp"].startswith("dropped: rule 5, matches")
    assert said["pulled"] == "kept: rule 3, pulled 29 days ago"
    assert said["1.2.3"].startswith("kept: rule 1 of releases, version")
    assert said["prod-eu"].startswith("kept: rule 2 of releases, matches")
    assert "can't tell" in said["dateless"]


def test_pull_requests_go_by_age_and_all_else_stays() -> None:
    tags = [tag("pr-1", 15, 1), tag("pr-2", 13, 2), tag("pr-3", None, 3), tag("other", 999, 4)]
    tags += [tag("branch-a", 100, 5), tag("branch-b", 100, 6, pulled=89), tag("branch-c", 89, 7)]
    # By itself, without what `builds` keeps there.
    policy = example()["pull-requests"]
    found = decide(policy, tags, Moment(NOW, told_since=0))

    assert [one.name for one in found.dropped] == ["pr-1", "pr-3", "branch-a"]
    assert decide(policy, tags, Moment(NOW, told_since=None)).dropped == [tags[0], tags[2]]


def test_releases_drops_pre_releases_of_what_is_out() -> None:
    tags = [tag("2.0.0-rc1", 9, 1), tag("2.0.0", 8, 2), tag("2.1.0-rc1", 7, 3)]
    found = decide(example()["releases"], tags, Moment(NOW))

    assert [one.name for one in found.dropped] == ["2.0.0-rc1"]


@pytest.mark.parametrize(("verb", "kind"), rules.KINDS)
def test_every_rule_is_described(verb: str, kind: str) -> None:
    assert f"| `{verb}: {kind}` |" in DOCUMENT
    assert any(
        (rule.verb, rule.kind) == (verb, kind) for policy in example().values() for rule in policy.rules
    )
