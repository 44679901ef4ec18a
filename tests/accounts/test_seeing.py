"""What somebody sees: the condition on rows lets through just those names that the decision does."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db.models import Q
from hypothesis import example, given
from hypothesis import strategies as st

from regui.accounts import access, matching
from regui.accounts.access import ANY, Actor, Grant, Holder, Right, Role
from regui.index.models import Registry, Repository
from regui.patterns import covers_repository
from tests import factories

pytestmark = pytest.mark.django_db

REGISTRIES = ("main", "other")
NAMES = [
    *("team", "team/app", "team/a/b", "team/x_y", "team/xzy", "team-2/app", "team.x/app", "teams/app"),
    *("Team/app", "TEAM/a", "app", "App", "a/app", "a/b/app", "b.c/app", "bxc/app", "other/team/app"),
]


@pytest.fixture(autouse=True)
def shelf() -> None:
    """The same repositories in two registries."""
    for one in REGISTRIES:
        row = factories.registry(one)
        for name in NAMES:
            factories.repository(name, of=row)


part = st.one_of(
    st.sampled_from(
        ["team", "Team", "app", "a", "b", "x_y", "b.c", "*", "**", "t*", "?", "*m", "te?m", "*.c"]
    )
)
patterns = st.one_of(st.just("**"), st.lists(part, min_size=1, max_size=4).map("/".join))
grants = st.builds(
    Grant,
    role=st.sampled_from(Role),
    registry=st.sampled_from([ANY, *REGISTRIES]),
    pattern=patterns,
    kind=st.sampled_from(Holder),
)
actors = st.builds(
    Actor,
    name=st.just("somebody"),
    role=st.sampled_from([Role.NONE, Role.NONE, Role.READER]),
    grants=st.lists(grants, max_size=8).map(tuple),
    cap=st.none() | grants,
)


def told(actor: Actor) -> set[tuple[str, str]]:
    """What they see, name by name."""
    every = ((registry, name) for registry in REGISTRIES for name in NAMES)
    return {place for place in every if actor.may(Right.SEE, *place)}


def found(rows: Any) -> set[tuple[str, str]]:
    return set(rows.values_list("registry__name", "name"))


@given(pattern=patterns)
@example(pattern="team/**")
@example(pattern="Team/*")
def test_a_pattern_covers_the_same_rows_as_names(pattern: str) -> None:
    rows = matching.those(Repository.objects.all(), matching.condition(pattern, "name"))
    assert set(rows.values_list("name", flat=True)) == {
        name for name in NAMES if covers_repository(pattern, name)
    }


@given(actor=actors)
def test_rows_are_seen_as_names_are(actor: Actor) -> None:
    seen = told(actor)
    assert found(access.everywhere(actor)) == seen
    for row in Registry.objects.all():
        here = {place for place in seen if place[0] == row.name}
        assert found(access.repositories(actor, row)) == here
    assert {registry for registry, _ in seen} <= {row.name for row in access.registries(actor)}


@given(actor=actors)
def test_the_journal_is_seen_by_the_same_names(actor: Actor) -> None:
    condition = access.seen(actor, names="name", registries="registry__name")
    assert found(matching.those(Repository.objects.all(), condition)) == told(actor)


@given(actor=actors)
def test_who_sees_all_of_a_registry_sees_every_name_in_it(actor: Actor) -> None:
    for row in Registry.objects.all():
        if access.sees_all(actor, row):
            assert all(actor.may(Right.SEE, row.name, name) for name in NAMES)


def many(roles: Sequence[Role], count: int) -> tuple[Grant, ...]:
    """So many grants, each of another pattern, their roles by turns."""
    return tuple(Grant(roles[n % len(roles)], ANY, f"**/{'x' * (n % 7)}{n}/**") for n in range(count))


@pytest.mark.parametrize("roles", [[Role.READER], [Role.READER, Role.NONE], [Role.NONE, Role.READER]])
@pytest.mark.parametrize("count", [19, 20, 21, 300, 1500])
def test_hundreds_of_grants_are_no_deeper_than_a_few(roles: list[Role], count: int) -> None:
    team = Grant(Role.READER, "main", "team/**"), Grant(Role.NONE, ANY, "team/a/**")
    actor = Actor("bob", grants=(*many(roles, count), *team))
    assert found(access.everywhere(actor)) == told(actor)
    assert ("main", "team/app") in told(actor)


@pytest.mark.parametrize("count", [5, 21, 300])
def test_hundreds_of_namespaces_are_seen_as_each_by_itself(count: int) -> None:
    some = [Grant(Role.READER, ANY, f"n{n}/**") for n in range(count)]
    ours = [Grant(Role.READER, ANY, "team/**"), Grant(Role.NONE, "other", "team/**", Holder.USER)]
    others = [Grant(Role.NONE, ANY, "b.c/**"), Grant(Role.READER, "main", "Team/**")]
    deeper = [Grant(Role.NONE, "main", "team/a/**"), Grant(Role.READER, ANY, "**/app"), Grant(Role.NONE)]
    actor = Actor("bob", grants=(*some, *ours, *others, *deeper))
    assert found(access.everywhere(actor)) == told(actor)
    for row in Registry.objects.all():
        assert found(access.repositories(actor, row)) == {one for one in told(actor) if one[0] == row.name}
    assert {("main", "Team/app"), ("main", "team/app")} <= told(actor)


def test_a_registry_of_which_all_was_taken_away_is_none() -> None:
    nothing = Grant(Role.NONE, "other", "**")
    actor = Actor("bob", grants=(Grant(Role.READER), nothing))
    assert [row.name for row in access.registries(actor)] == ["main"]
    some = Actor("bob", grants=(Grant(Role.READER), nothing, Grant(Role.READER, "other", "team/*")))
    assert [row.name for row in access.registries(some)] == ["main", "other"]


def test_a_beginning_is_taken_as_it_is_written() -> None:
    names = {"team/app", "team/a/b", "team/x_y", "team/xzy"}
    assert set(Repository.objects.filter(name__below="team/").values_list("name", flat=True)) == names
    assert not Repository.objects.filter(name__below="team_").exists()
    assert not Repository.objects.filter(Q(name__below="te%")).exists()
