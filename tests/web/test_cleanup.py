"""The pages that say what is worth cleaning up, and what one would get for it."""

import html
import itertools
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.http import QueryDict
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from regui.accounts.access import Actor, Grant, Role
from regui.actions.models import PolicyRow, Protection, Run
from regui.actions.retention import curves, freeing, insight, preview
from regui.index.models import Registry, Revision
from regui.patterns import ANYWHERE
from regui.retention.policy import Policy
from regui.web import charts
from regui.web.drafts import Draft
from tests import cleanups, factories
from tests.actions.stand import ALICE
from tests.factories import NOW
from tests.people import SignedIn
from tests.web.conftest import Visitor

pytestmark = pytest.mark.django_db

R = "/main/-/cleanup/"


def tagged(where: str, name: str, days: int, **layers: int) -> None:
    """A tag on an image of its own that is so many days old."""
    row = factories.repository(where, size=1, tag_count=1)
    created = NOW - timedelta(days=days)
    factories.tag(row, name, factories.manifest(row, layers=layers, created_at=created))


@pytest.fixture
def shelf() -> Registry:
    """Ten versions of which one is protected and one undated, on a layer that all share; and another app."""
    for number in range(10):
        tagged("team/app", f"1.{number}", 400 - 40 * number, base=1000, **{f"own{number}": 2**number})
    Protection.objects.create(registry="main", repositories="**", tags="1.3", created_by="a", created_at=NOW)
    row = factories.repository("team/app")
    factories.tag(row, "odd", factories.manifest(row, layers={"undated": 10}, created_at=None))
    tagged("team/web", "1.0", 500, web=40_000)
    return Registry.objects.get()


def saved(**values: Any) -> Policy:
    return Policy.read({"name": "x", "registry": "main", "repositories": ["**"], "rules": [], **values})


@pytest.mark.parametrize("keep", [1, 2, 5, 9, 10, 50])
@pytest.mark.parametrize("older", [1, 30, 90, 200, 365])
def test_the_curves_say_what_a_policy_of_these_rules_would_do(shelf: Registry, keep: int, older: int) -> None:
    rules = [{"keep": "newest", "count": keep}, {"keep": "younger", "than": f"{older}d"}]
    policy = saved(otherwise="drop", rules=rules)
    point = curves.curves(shelf, [ANYWHERE], ALICE, NOW).at(keep, older)
    assert point.frees == freeing.freed(shelf, policy, ALICE, NOW).frees
    assert (point.drops == 0) is (point.frees == 0)


def test_both_curves_fall_and_meet_at_the_chosen_point(shelf: Registry) -> None:
    found = curves.curves(shelf, [ANYWHERE], ALICE, NOW)
    by_count, by_age = found.by_count(30), found.by_age(3)
    assert by_count[3].frees == by_age[30].frees > 0
    for some in (by_count, by_age):
        assert all(one.frees >= other.frees for one, other in itertools.pairwise(some))
        assert all(one.drops >= other.drops for one, other in itertools.pairwise(some))
    assert found.at(0, 0).drops == 10, "neither what is protected nor what has no date"
    assert found.tags == 12


def test_the_keep_rules_of_a_policy_in_force_hold(shelf: Registry) -> None:
    before = curves.curves(shelf, [ANYWHERE], ALICE, NOW).at(0, 0)
    policy = saved(otherwise="drop", rules=[{"keep": "matching", "tags": ["1.0"]}])
    by = {"owner": "a", "created_by": "a", "created_at": NOW, "changed_by": "a", "changed_at": NOW}
    PolicyRow.objects.create(registry="main", name="x", document=policy.plain(), **by)
    after = curves.curves(shelf, [ANYWHERE], ALICE, NOW).at(0, 0)
    assert (before.drops - after.drops, before.frees - after.frees) == (2, 40_001)


def test_who_may_delete_from_a_part_gets_that_part(shelf: Registry) -> None:
    bob = Actor("bob", grants=(Grant(Role.READER), Grant(Role.MAINTAINER, "main", "team/web")))
    assert curves.curves(shelf, [ANYWHERE], bob, NOW).at(0, 0).frees == 40_000
    found = insight.insight(shelf, bob, NOW)
    assert (found.repositories, found.tags, found.together) == (1, 1, 40_000)


def test_the_what_if_page_says_what_would_go_and_leads_to_a_policy(shelf: Registry, alice: Visitor) -> None:
    page = alice.get(f"{R}what-if/?keep=0&older=300&repositories=team/web").text
    assert "40.0 kB" in page
    assert "of 1 tag in 1 repository" in page
    assert page.count('<path class="chart-line"') == 2
    assert 'name="repositories" value="team/web"' in page
    assert "style=" not in page


def test_a_pattern_that_means_nothing_is_said_and_stays_typed(shelf: Registry, alice: Visitor) -> None:
    answer = alice.get(f"{R}what-if/?repositories=te**am")
    assert answer.status_code == 422
    assert "te**am must be a repository" in answer.text
    assert 'value="te**am"' in answer.text


@pytest.mark.parametrize("asked", ["keep=-1&older=x", "keep=99999999999&older=", "older=9999"])
def test_numbers_that_are_none_become_some(shelf: Registry, alice: Visitor, asked: str) -> None:
    assert alice.get(f"{R}what-if/?{asked}").status_code == 200


def test_the_insight_page_names_the_dearest_group_first(shelf: Registry, alice: Visitor) -> None:
    tagged("team/app", "pr-7", 100, pr=500_000)
    page = alice.get(R).text
    assert re.findall('data-win="([a-z-]+)"', page) == ["builds", "age"]
    assert "500 kB" in page
    assert "not at all" in page, "pulls"
    assert "1 in 1 repository, most in" in page


def filled(address: str) -> Policy:
    """The policy that a link to the form fills in."""
    found, faults = Draft.filled(QueryDict(urlsplit(address).query)).read("main")
    assert found, faults
    return found


def test_the_plan_of_a_group_is_a_policy_that_drops_just_that(shelf: Registry, alice: Visitor) -> None:
    for name in ("pr-7", "2.0.0-rc1", "2.0.0", "2.0.1"):
        tagged("team/app", name, 100, **{name: 5})
    page = alice.get(R).text
    groups = {win.kind: win.tags for win in insight.insight(shelf, ALICE, NOW).wins}
    links = dict(re.findall(r'data-win="([a-z-]+)".*?href="([^"]*policies/add/[^"]*)"', page, re.DOTALL))
    kinds = ["age", "builds", "patches", "pre-releases"]
    assert sorted(links) == kinds
    for kind in kinds:
        policy = filled(html.unescape(links[kind]))
        assert preview.preview(shelf, policy, ALICE, NOW).drops == groups[kind]
        form = alice.get(html.unescape(links[kind]))
        assert form.status_code == 200
        assert f'value="{policy.name}"' in form.text


def test_what_if_makes_the_policy_of_the_chosen_point(shelf: Registry, alice: Visitor) -> None:
    page = alice.get(f"{R}what-if/?keep=3&older=90").text
    (link,) = set(re.findall(r'href="([^"]*policies/add/[^"]*)"', page))
    policy = filled(html.unescape(link))
    drops = curves.curves(shelf, [ANYWHERE], ALICE, NOW).at(3, 90).drops
    assert preview.preview(shelf, policy, ALICE, NOW).drops == drops
    assert alice.get(html.unescape(link)).status_code == 200


def test_groups_hold_what_their_words_say(shelf: Registry) -> None:
    for name, days in (("2.0.0-rc1", 20), ("2.0.0", 10), ("2.0.1", 5), ("2.0.1-alpine", 5), ("abcdef12", 50)):
        tagged("team/app", name, days, **{name: 1})
    row = factories.repository("team/app")
    loose = factories.manifest(row, layers={"loose": 77})
    Revision.objects.filter(manifest=loose).update(first_seen_at=NOW - timedelta(days=8))
    found = {win.kind: (win.tags, win.frees) for win in insight.insight(shelf, ALICE, NOW).wins}
    assert found == {
        "age": (2, 40_001),
        "untagged": (1, 77),
        "pre-releases": (1, 1),
        "builds": (1, 1),
        "patches": (1, 1),
    }


def test_many_tags_on_one_digest_and_stale_repositories_are_named(shelf: Registry, alice: Visitor) -> None:
    row = factories.repository("team/many", size=1)
    image = factories.manifest(row)
    for number in range(6):
        factories.tag(row, f"same-{number}", image)
    factories.repository("team/none", size=0, tag_count=0)
    found = insight.insight(shelf, ALICE, NOW)
    assert (found.alike_count, found.alike) == (1, [(6, "team/many", "same-0")])
    assert (found.stale_count, found.stale) == (1, [(1, "team/web")])
    page = alice.get(R).text
    assert "team/many:same-0" in page
    assert "team/none" in page


def test_a_large_registry_is_added_up_when_somebody_waits_for_it(shelf: Registry, alice: Visitor) -> None:
    row = factories.repository("team/large", size=1)
    for _ in range(2001):
        factories.manifest(row, layers={})
    for path in (R, f"{R}what-if/"):
        page = alice.get(path).text
        assert 'hx-trigger="load"' in page
        href = re.search(r'class="link" href="([^"]+)">Show it', page)
        assert href is not None
        assert "tags in" in alice.get(href[1].replace("&amp;", "&")).text
        assert 'hx-trigger="load"' not in alice.get(path).text, "it is kept"


def counted(page: Any) -> str:
    """How many tags a page says that it looked at."""
    found = re.search(r"Looked at</dt><dd>(\d+)|of (\d+) tags? in", page.text)
    assert found, page.text
    return found[1] or found[2]


@pytest.mark.parametrize("path", [R, f"{R}what-if/?keep=3&older=90"])
def test_it_is_added_up_again_for_who_asks(shelf: Registry, alice: Visitor, path: str) -> None:
    assert counted(alice.get(path)) == "12"
    tagged("team/app", "pr-7", 100, pr=500)
    page = alice.get(path)
    assert counted(page) == "12", "it is kept"
    again = re.search(r'id="again" href="([^"]+)"', page.text)
    assert again
    address = urljoin(path, html.unescape(again[1]))
    assert "keep=3&older=90" in address or path == R
    assert counted(alice.get(address)) == "13"
    assert counted(alice.get(path)) == "13", "that is kept"


def ended(**more: Any) -> None:
    cleanups.run(PolicyRow.objects.get(), state=Run.State.DONE, **more)


@pytest.mark.parametrize("path", [R, f"{R}what-if/?keep=3&older=90"])
@pytest.mark.parametrize(
    "happens",
    [
        lambda: cleanups.policy("another"),
        lambda: PolicyRow.objects.update(changed_at=timezone.now()),
        lambda: PolicyRow.objects.all().delete(),
        lambda: ended(finished_at=timezone.now()),
        lambda: Run.objects.update(undone_at=timezone.now()),
    ],
    ids=["policy saved", "policy changed", "policy removed", "run ended", "run undone"],
)
def test_what_was_added_up_before_a_policy_or_a_run_changed_something_doesnt_count(
    shelf: Registry, alice: Visitor, path: str, happens: Callable[[], object]
) -> None:
    cleanups.policy()
    ended(finished_at=NOW, undo_at=NOW)
    assert counted(alice.get(path)) == "12"
    tagged("team/app", "pr-7", 100, pr=500)
    assert counted(alice.get(path)) == "12", "it is kept"
    happens()
    assert counted(alice.get(path)) == "13"


def test_what_happens_in_another_registry_leaves_it(shelf: Registry, alice: Visitor) -> None:
    assert counted(alice.get(R)) == "12"
    tagged("team/app", "pr-7", 100, pr=500)
    cleanups.policy(registry="other")
    assert counted(alice.get(R)) == "12"


def test_who_may_delete_nothing_is_told_so(shelf: Registry) -> None:
    bob, charlie = SignedIn("bob", (Role.READER, ANYWHERE)), SignedIn("charlie")
    for path in (R, f"{R}what-if/"):
        assert bob.get(path).status_code == 403
        assert charlie.get(path).status_code == 404


def test_pages_cost_the_same_whatever_there_is(
    shelf: Registry, alice: Visitor, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for path, kept in ((R, INSIGHT), (f"{R}what-if/?keep=1&older=1", WHAT_IF)):
        alice.get(path)
        with django_assert_max_num_queries(kept):
            alice.get(path)


INSIGHT, WHAT_IF = 8, 6


def test_a_curve_goes_down_in_steps_and_marks_the_chosen_number() -> None:
    drawn = charts.curve([(0, 100), (1, 100), (2, 50), (3, 0)], 2, 300, 104)
    assert drawn.path == "M0.0 4.0 H100.0 V4.0 H200.0 V54.0 H300.0 V104.0"
    assert (drawn.x, drawn.y, drawn.most) == ("200.0", "54.0", 100)
