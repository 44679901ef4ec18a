"""What other registries' documents and tests say of their retention, replayed with the same counts."""

from regui.retention import reach
from regui.retention.tags import Tag
from tests.retention.made import ago, dropped, kept, tag, verdicts

# https://goharbor.io/docs/latest/working-with-projects/working-with-images/create-tag-retention-rules/: one
# repository of 100 tagged artifacts, all pulled in the last week, and four of 6, none pulled for a month.
A = [tag(f"a{number}", number, pulled=ago(1 + number % 5)) for number in range(100)]
B_TO_E = [[tag(f"{one}{number}", number, pulled=ago(40)) for number in range(6)] for one in "bcde"]
PROJECT = [A, *B_TO_E]


def test_harbor_example_1_keeps_ten_of_each_repository_34_in_all() -> None:
    rule = {"keep": "newest", "count": 10}
    counts = [len(kept(verdicts(one, rule, otherwise="drop"))) for one in PROJECT]
    assert counts == [10, 6, 6, 6, 6]
    assert sum(counts) == 34


def test_harbor_example_2_keeps_the_100_that_were_pulled_within_a_week() -> None:
    rule = {"keep": "pulled", "within": "7d"}
    assert [len(kept(verdicts(one, rule, otherwise="drop"))) for one in PROJECT] == [100, 0, 0, 0, 0]


def test_harbor_example_4_keeps_what_either_of_two_rules_does() -> None:
    rules = {"keep": "pulled", "within": "7d"}, {"keep": "newest", "count": 10}
    assert [len(kept(verdicts(one, *rules, otherwise="drop"))) for one in PROJECT] == [100, 6, 6, 6, 6]


def test_harbor_example_5_keeps_8_of_12_by_two_patterns() -> None:
    kinds = ("prod", "rc", "release")
    numbers = ("2.1", "2.2", "3.1", "4.4")
    tags = [tag(f"{number}-your_repo-{kind}", pushed=ago(9)) for number in numbers for kind in kinds]
    found = verdicts(
        tags,
        {"keep": "newest", "count": 10, "by": "pushed", "tags": "2*"},
        {"keep": "newest", "count": 10, "by": "pushed", "tags": "*-prod"},
        otherwise="drop",
    )
    expected = [f"{number}-your_repo-{kind}" for number in ("2.1", "2.2") for kind in kinds]
    assert kept(found) == [*expected, "3.1-your_repo-prod", "4.4-your_repo-prod"]


def harbor_names() -> list[Tag]:
    names = "harbor-1.8", "harbor-release", "harbor-nightly", "harbor-latest"
    return [tag(name, manifest=7, pushed=ago(10) + hours) for hours, name in enumerate(names)]


def test_harbor_keeps_all_tags_of_an_image_as_we_do_where_images_are_counted() -> None:
    rule = {"keep": "newest", "count": 2, "by": "pushed", "tags": "harbor-*", "per": "image"}
    assert len(kept(verdicts(harbor_names(), rule, otherwise="drop"))) == 4


def test_where_tags_are_counted_two_go_but_the_image_they_share_stays() -> None:
    rule = {"keep": "newest", "count": 2, "by": "pushed", "tags": "harbor-*"}
    found = verdicts(harbor_names(), rule, otherwise="drop")
    assert kept(found) == ["harbor-nightly", "harbor-latest"]
    assert reach.doomed([7], [7], {}, {}) == set()


def test_quiq_keeps_ten_however_old_they_are() -> None:
    """TestKeepMinCount of https://github.com/Quiq/registry-ui, registry/tasks_test.go: one tag is young, 11
    aren't, and at least 10 stay."""
    numbers = [15, 14, 13, 12, 10, 9, 8, 7, 6, 5, 4, 3]
    tags = [tag(f"1.8.{number}", 10 if number == 15 else 100 + age) for age, number in enumerate(numbers)]
    rules = {"keep": "newest", "count": 10}, {"drop": "older", "than": "90d"}
    found = verdicts(tags, *rules)
    assert len(kept(found)) == 10
    assert dropped(found) == ["1.8.4", "1.8.3"]


def test_quiq_drops_by_age_alone_where_enough_are_young() -> None:
    """registry/tasks.go there: the least count adds nothing to what is young."""
    tags = [tag(f"1.{days}", days) for days in range(85, 97)]
    rules = {"keep": "newest", "count": 3}, {"drop": "older", "than": "91d"}
    assert dropped(verdicts(tags, *rules)) == ["1.91", "1.92", "1.93", "1.94", "1.95", "1.96"]


def test_quiq_keeps_names_of_a_regular_expression_and_they_count() -> None:
    tags = [tag("stable", 400), *(tag(f"1.{days}", days) for days in (300, 301, 302))]
    found = verdicts(
        tags,
        {"keep": "matching", "regex": "stable|latest"},
        {"keep": "newest", "count": 2},
        {"drop": "older", "than": "90d"},
    )
    assert dropped(found) == ["1.302"]


def test_gitlab_keeps_latest_ten_names_and_what_is_young() -> None:
    """https://gitlab.com/gitlab-org/gitlab/-/issues/325429: its policy (keep 10, older than 90 days, keep
    master and stable) once wiped repositories. Of 53 tags 13 stay."""
    tags = [tag(f"build-{days}", days) for days in range(87, 137)]
    tags += [tag("latest", 900), tag("master", 800), tag("stable-1", 700)]
    found = verdicts(
        tags,
        {"keep": "matching", "tags": "latest"},
        {"keep": "matching", "regex": "(master|stable.*)"},
        {"keep": "newest", "count": 10, "tags": "build-*"},
        {"drop": "older", "than": "90d"},
    )
    assert len(kept(found)) == 13
    assert dropped(found) == [f"build-{days}" for days in range(97, 137)]


def test_gitlab_keeps_the_newest_by_date_not_by_the_order_they_are_listed_in() -> None:
    """https://gitlab.com/gitlab-org/gitlab/-/issues/377417: newer tags went and older ones stayed."""
    tags = [tag(f"nikola-{number}", (number * 7) % 46) for number in range(46)]
    found = verdicts(tags, {"keep": "newest", "count": 5}, otherwise="drop")
    stays = sorted(tags, key=lambda one: one.created or 0, reverse=True)[:5]
    assert set(kept(found)) == {one.name for one in stays}
