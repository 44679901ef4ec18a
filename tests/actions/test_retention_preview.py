"""What a policy would do, as people are shown it."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui.accounts.access import Actor, Grant, Role
from regui.actions.models import PolicyRow
from regui.actions.retention import preview
from regui.actions.retention.preview import Count, Wanted
from regui.index.models import Registry
from regui.retention.deciding import OTHERWISE, RULE, Verdict
from regui.retention.policy import Policy
from tests import bulk, factories
from tests.factories import NOW
from tests.people import grant, person

pytestmark = pytest.mark.django_db

ALICE = Actor("alice", Role.ADMIN)
ALL = Wanted()


def policy(*rules: dict[str, Any], name: str = "tidy", **more: Any) -> Policy:
    given = {"name": name, "registry": "main", "repositories": ["**"], "rules": rules, "otherwise": "keep"}
    return Policy.read({**given, **more})


def save(one: Policy, **fields: Any) -> PolicyRow:
    who = {"owner": "a", "created_by": "a", "created_at": NOW, "changed_by": "a", "changed_at": NOW}
    return PolicyRow.objects.create(registry="main", name=one.name, document=one.plain(), **who, **fields)


OLD = policy({"keep": "newest", "count": 1}, {"drop": "older", "than": "30d"})


@pytest.fixture
def registry() -> Registry:
    """Two repositories: of team/a two tags are old and one is young, of team/b the only one is old."""
    ages = {"team/a": {"1.0": 90, "1.10": 80, "1.9": 1}, "team/b": {"v1": 90}}
    for name, tags in ages.items():
        row = factories.repository(name)
        for tag, days in tags.items():
            factories.tag(row, tag, factories.manifest(row, created_at=NOW - timedelta(days=days), size=days))
    return factories.registry()


def names(found: preview.Page) -> list[str]:
    return [f"{line.repository}:{line.tag}" for line in found.lines]


def shown(registry: Registry, one: Policy, wanted: Wanted = ALL, actor: Actor = ALICE) -> list[str]:
    """The tags of a page; the download has the same lines."""
    found = preview.page(registry, one, actor, NOW, wanted, 0, 100)
    assert list(preview.lines(registry, one, actor, NOW, wanted)) == found.lines
    assert found.total == len(found.lines)
    return names(found)


def test_counts_are_of_every_verdict_and_of_the_repositories_that_lose_most(registry: Registry) -> None:
    found = preview.preview(registry, OLD, ALICE, NOW)
    assert (found.repositories, found.tags, found.keeps, found.drops) == (2, 4, 2, 2)
    assert found.counts == {Verdict(True, RULE, 1): 2, Verdict(False, RULE, 2): 2}
    assert found.most == [Count("team/a", 3, 2)]
    assert (found.emptied, found.hidden, found.wary) == (0, 0, 0)
    emptied = preview.preview(registry, policy({"drop": "older", "than": "30d"}), ALICE, NOW)
    assert emptied.emptied == 1
    assert emptied.counts[Verdict(True, OTHERWISE)] == 1


def test_lines_stand_by_repository_and_then_as_versions_do_newest_first(registry: Registry) -> None:
    found = preview.page(registry, OLD, ALICE, NOW, ALL, 0, 100)
    assert names(found) == ["team/a:1.10", "team/a:1.9", "team/a:1.0", "team/b:v1"]
    first, *_, last = found.lines
    assert first.reason == "dropped: rule 2, created 80 days ago"
    assert last.reason == "kept: rule 1, newest 1 (1st)"
    assert first.size == 80
    assert first.created == NOW - timedelta(days=80)
    assert first.digest.startswith("sha256:")


def test_a_page_is_a_piece_of_all_lines_with_how_many_there_are(registry: Registry) -> None:
    pieces = [preview.page(registry, OLD, ALICE, NOW, ALL, offset, 2) for offset in (0, 2, 4)]
    assert [names(one) for one in pieces] == [
        ["team/a:1.10", "team/a:1.9"],
        ["team/a:1.0", "team/b:v1"],
        [],
    ]
    assert {one.total for one in pieces} == {4}
    assert names(preview.page(registry, OLD, ALICE, NOW, ALL, 1, 3)) == [
        "team/a:1.9",
        "team/a:1.0",
        "team/b:v1",
    ]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(keep=True), ["team/a:1.9", "team/b:v1"]),
        (Wanted(keep=False), ["team/a:1.10", "team/a:1.0"]),
        (Wanted(rule=1), ["team/a:1.9", "team/b:v1"]),
        (Wanted(rule=2, keep=True), []),
        (Wanted(rule=0), []),
        (Wanted(text="A:1.1"), ["team/a:1.10"]),
        (Wanted(text="team/B"), ["team/b:v1"]),
        (Wanted(text="1.", keep=False), ["team/a:1.10", "team/a:1.0"]),
        (Wanted(repository="team/b"), ["team/b:v1"]),
        (Wanted(repository="team/c"), []),
    ],
)
def test_lines_are_those_that_are_wanted(registry: Registry, wanted: Wanted, expected: list[str]) -> None:
    assert shown(registry, OLD, wanted) == expected


def test_what_other_policies_keep_stays_though_they_are_paused(registry: Registry) -> None:
    other = save(policy({"keep": "matching", "tags": "1.0"}, name="other", repositories=["team/*"]))
    save(policy({"keep": "matching", "tags": "*"}, name="tidy"))
    assert shown(registry, OLD, Wanted(keep=False)) == ["team/a:1.10"]
    line = preview.page(registry, OLD, ALICE, NOW, Wanted(text="a:1.0"), 0, 1).lines[0]
    assert line.reason == "kept: rule 1 of other, matches `1.0`"
    assert shown(registry, OLD, Wanted(rule=1)) == ["team/a:1.9", "team/b:v1"]
    other.paused = True
    other.save()
    assert shown(registry, OLD, Wanted(keep=False)) == ["team/a:1.10"]
    other.delete()
    assert shown(registry, OLD, Wanted(keep=False)) == ["team/a:1.10", "team/a:1.0"]


def test_what_other_policies_keep_stays_where_their_owners_may_delete(
    registry: Registry, settings: Settings
) -> None:
    settings.ANONYMOUS_ROLE = "none"
    bob, now = person("bob"), timezone.now()
    given = grant(Role.MAINTAINER, "team/b", user=bob)
    row = save(policy({"keep": "matching", "tags": "*"}, name="sweeping"))
    row.owner, row.owned_at = "bob", now
    row.save()
    dropped = ["team/a:1.10", "team/a:1.0"]
    assert shown(registry, OLD, Wanted(keep=False)) == dropped, "bob has no say there"
    wider = grant(Role.MAINTAINER, "team/*", user=bob)
    given.delete()
    assert shown(registry, OLD, Wanted(keep=False)) == []
    wider.delete()
    assert shown(registry, OLD, Wanted(keep=False)) == dropped
    bob.delete()
    assert shown(registry, OLD, Wanted(keep=False)) == [], "whose it was nobody knows: until it is removed"


def test_what_others_ask_for_is_read_too(registry: Registry) -> None:
    save(policy({"keep": "label", "label": "keep"}, name="other"))
    row = registry.repositories.get(name="team/a")
    kept = factories.manifest(row, created_at=NOW - timedelta(days=99), labels={"keep": ""})
    factories.tag(row, "labelled", kept)
    assert "team/a:labelled" in shown(registry, OLD, Wanted(keep=True))


def test_nothing_is_shown_of_where_somebody_may_not_delete(registry: Registry) -> None:
    bob = Actor(
        "bob", grants=(Grant(Role.READER, "main", "team/*"), Grant(Role.MAINTAINER, "main", "team/b"))
    )
    found = preview.preview(registry, OLD, bob, NOW)
    assert (found.repositories, found.tags, found.hidden) == (1, 1, 1)
    assert shown(registry, OLD, actor=bob) == ["team/b:v1"]
    assert shown(registry, OLD, Wanted(repository="team/a"), bob) == []


def test_what_somebody_does_not_see_is_not_even_counted(registry: Registry) -> None:
    charlie = Actor("charlie", grants=(Grant(Role.MAINTAINER, "main", "team/b"),))
    found = preview.preview(registry, OLD, charlie, NOW)
    assert (found.repositories, found.hidden) == (1, 0)
    less = Actor("dora", Role.NONE, grants=(Grant(Role.MAINTAINER), Grant(Role.NONE, "main", "team/a")))
    found = preview.preview(registry, OLD, less, NOW)
    assert (found.repositories, found.hidden, found.wary) == (1, 0, 0)


def test_repositories_of_which_too_little_is_known_are_named_and_left_alone(registry: Registry) -> None:
    registry.repositories.filter(name="team/a").update(problem="it didn't answer")
    found = preview.preview(registry, OLD, ALICE, NOW)
    assert (found.repositories, found.tags, found.wary) == (1, 1, 1)
    assert found.doubted == [("team/a", "it didn't answer")]
    assert shown(registry, OLD) == ["team/b:v1"]


def test_more_tags_and_repositories_take_no_more_queries(
    registry: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        bulk.tags(factories.repository(f"bulk/{number}"), 50)
    factories.told(registry, NOW)
    # Since when pulls are told of, events that wait, other policies, and five of `facts.stands`.
    with django_assert_num_queries(8):
        assert preview.preview(registry, OLD, ALICE, NOW).tags == 154
    with django_assert_num_queries(9):
        assert len(preview.page(registry, OLD, ALICE, NOW, ALL, 10, 20).lines) == 20


def test_a_page_of_ten_thousand_tags_comes_quickly(registry: Registry) -> None:
    bulk.tags(factories.repository("bulk/large"), 10_000)
    wanted = Wanted(repository="bulk/large")
    preview.page(registry, OLD, ALICE, NOW, wanted, 0, 50)
    took = []
    for offset in (0, 5_000, 9_950):
        began = time.process_time()
        found = preview.page(registry, OLD, ALICE, NOW, wanted, offset, 50)
        took.append(time.process_time() - began)
        assert (len(found.lines), found.total) == (50, 10_000)
    assert min(took) < 0.2
