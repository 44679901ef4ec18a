"""The policy against the issue's own words, said again here without any of its code: of the grants that cover
a repository the one with most literal characters wins; of two with as many that of a registry by name over
that of any, then user over group over everyone, then the higher role; auditor adds. Whatever asks about many
repositories at once says of each of them the same."""

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.http import Http404
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from pytest_django import Settings

from regui.accounts import access, people
from regui.accounts.access import Actor, Right, Role
from regui.accounts.models import Grant, User
from regui.actions import journal
from regui.actions.models import Action
from regui.index.models import Registry
from tests import factories
from tests.matrix import CAN
from tests.people import person

pytestmark = pytest.mark.django_db

WORDS = {
    "see": Right.SEE,
    "push": Right.PUSH,
    "delete": Right.DELETE,
    "administer": Right.ADMIN,
    "audit": Right.AUDIT,
}
ORDER = ["none", "reader", "developer", "maintainer", "admin"]
HOLDERS = ["everyone", "group", "user"]
NAMES = [
    "app",
    "team/app",
    "team/web",
    "team/deep/app",
    "TEAM/app",
    "teamwork/app",
    "secret/app",
    "secret/opp",
]
REGISTRIES = ["main", "beyond"]
# By hand: what each pattern means, and how many of its characters are themselves.
PATTERNS: dict[str, tuple[int, set[str]]] = {
    "**": (0, {*NAMES}),
    "*": (0, {"app"}),
    "*/app": (4, {"team/app", "TEAM/app", "teamwork/app", "secret/app"}),
    "**/app": (4, {*NAMES} - {"team/web", "secret/opp"}),
    "team/**": (5, {"team/app", "team/web", "team/deep/app"}),
    "team/*": (5, {"team/app", "team/web"}),
    "team*/app": (8, {"team/app", "teamwork/app"}),
    "team/app": (8, {"team/app"}),
    "secret/?pp": (9, {"secret/app", "secret/opp"}),
    "other/**": (6, set()),
}


@dataclass(frozen=True)
class Given:
    """A grant: what role over what, to whom; or a token's scope."""

    role: str
    registry: str
    pattern: str
    holder: str = "user"

    def covers(self, registry: str, name: str) -> bool:
        return self.registry in {"*", registry} and name in PATTERNS[self.pattern][1]

    @property
    def weight(self) -> tuple[int, bool, int, int]:
        named = self.registry != "*"
        return PATTERNS[self.pattern][0], named, HOLDERS.index(self.holder), ORDER.index(self.role)


grants = st.builds(
    Given,
    st.sampled_from([*ORDER, "auditor"]),
    st.sampled_from(["*", *REGISTRIES]),
    st.sampled_from(list(PATTERNS)),
    st.sampled_from(HOLDERS),
)
scopes = st.none() | st.builds(
    Given, st.sampled_from(list(CAN)), st.sampled_from(["*", *REGISTRIES]), st.sampled_from(list(PATTERNS))
)
floors = st.sampled_from(["none", "none", "none", "reader", "admin"])


def rights(role: str) -> set[Right]:
    return {WORDS[word] for word in CAN.get(role, ())}


def naive(held: list[Given], floor: str, scope: Given | None, registry: str, name: str) -> set[Right]:
    """What somebody with these grants may do there."""
    covering = [one for one in held if one.covers(registry, name)]
    counting = [one for one in covering if one.role != "auditor"]
    found = rights(floor)
    if counting:
        found |= rights(max(counting, key=lambda one: one.weight).role)
    if len(counting) < len(covering):
        found |= rights("auditor")
    if scope:
        found &= rights(scope.role) if scope.covers(registry, name) else set()
    return found


@pytest.fixture(autouse=True)
def shelves(db: None) -> None:
    """Two registries with the same names in them, and an action on each."""
    for registry, name in itertools.product(REGISTRIES, NAMES):
        factories.repository(name, of=factories.registry(registry))
        Action.objects.create(registry=registry, repository=name, kind="untag", started_at=factories.NOW)
    bob = person("bob")
    bob.groups.add(Group.objects.get_or_create(name="team")[0])


def actor(held: list[Given], scope: Given | None) -> Actor:
    """Bob, with these grants and no others, read from their rows; within the scope of a token, if one is
    given."""
    Grant.objects.all().delete()
    bob, team = User.objects.get(username="bob"), Group.objects.get(name="team")
    Grant.objects.bulk_create(
        Grant(
            user=bob if one.holder == "user" else None,
            group=team if one.holder == "group" else None,
            registry=one.registry,
            pattern=one.pattern,
            role=one.role,
            created_at=datetime(2026, 8, 1, tzinfo=UTC),
            created_by="alice",
        )
        for one in set(held)
    )
    found = people.actor_of(bob)
    cap = access.Grant(Role(scope.role), scope.registry, scope.pattern) if scope else None
    return replace(found, cap=cap)


def examples(test: Any) -> Any:
    """Random grants, floors and scopes; the tables are filled once, for no example changes them for good."""
    suppressed = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return how(suppress_health_check=suppressed)(
        given(held=st.lists(grants, max_size=6), floor=floors, scope=scopes)(test)
    )


def everything(held: list[Given], floor: str, scope: Given | None) -> dict[tuple[str, str], set[Right]]:
    places = itertools.product(REGISTRIES, NAMES)
    return {place: naive(held, floor, scope, *place) for place in places}


def few(places: dict[tuple[str, str], set[Right]]) -> list[tuple[tuple[str, str], set[Right]]]:
    """Some of the places, where each costs queries."""
    return [*places.items()][::3]


@examples
def test_what_somebody_may_is_what_the_issue_says(
    settings: Settings, held: list[Given], floor: str, scope: Given | None
) -> None:
    settings.ANONYMOUS_ROLE = floor
    bob = actor(held, scope)
    for place, may in everything(held, floor, scope).items():
        assert {right for right in Right if bob.may(right, *place)} == may, place
        assert bob.decide(*place).rights == may, place


@examples
def test_a_right_over_many_is_a_right_over_each(
    settings: Settings, held: list[Given], floor: str, scope: Given | None
) -> None:
    settings.ANONYMOUS_ROLE = floor
    bob = actor(held, scope)
    for right in Right:
        may = {place for place, some in everything(held, floor, scope).items() if right in some}
        for registry in REGISTRIES:
            if bob.may(right, registry):
                assert {(registry, name) for name in NAMES} <= may
                # Nor is there any name that nobody has thought of.
                assert bob.may(right, registry, "new/name")
        if bob.may(right):
            assert all(bob.may(right, registry) for registry in REGISTRIES)
            assert bob.governs(right)
        if may:
            assert bob.ever(right)
    if floor == "admin" and scope is None:
        assert all(bob.may(right) for right in Right)


@examples
def test_lists_show_what_somebody_may_see_and_nothing_else(
    settings: Settings, held: list[Given], floor: str, scope: Given | None
) -> None:
    settings.ANONYMOUS_ROLE = floor
    bob = actor(held, scope)
    sees = {place for place, some in everything(held, floor, scope).items() if Right.SEE in some}
    for registry in REGISTRIES:
        row = Registry.objects.get(name=registry)
        listed = set(access.repositories(bob, row).values_list("registry__name", "name"))
        assert listed == {place for place in sees if place[0] == registry}
    assert set(access.everywhere(bob).values_list("registry__name", "name")) == sees
    assert set(journal.visible(bob).values_list("registry", "repository")) == sees
    there = set(access.registries(bob).values_list("name", flat=True))
    assert {registry for registry, _ in sees} <= there
    mentioned = {one.registry for one in held if Right.SEE in rights(one.role)}
    if not mentioned and floor == "none":
        assert not there


@examples
def test_to_fetch_is_to_ask_for_permission(
    settings: Settings, held: list[Given], floor: str, scope: Given | None
) -> None:
    settings.ANONYMOUS_ROLE = floor
    bob = actor(held, scope)
    for (registry, name), may in few(everything(held, floor, scope)):
        row = Registry.objects.get(name=registry)
        for right in Right:
            if right in may and Right.SEE in may:
                assert access.repository(bob, row, name, right).name == name
                assert access.registry(bob, registry) == row
            else:
                refusal = access.Forbidden if Right.SEE in may else Http404
                with pytest.raises(refusal):
                    access.repository(bob, row, name, right)


@examples
def test_who_is_named_as_somebody_who_could_can(
    settings: Settings, held: list[Given], floor: str, scope: Given | None
) -> None:
    settings.ANONYMOUS_ROLE = floor
    # Of those who may only because everyone may, nobody in particular is named.
    mine = [one for one in held if one.holder != "everyone"]
    actor(mine, None)
    for (registry, name), may in few(everything(mine, floor, None)):
        for right in rights("admin") - rights(floor):
            assert people.who_could(right, registry, name) == (["bob"] if right in may else [])
