"""Giving roles and taking them away: what changes for whom, and that somebody is left who administers."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui.accounts import audit, effects, grants, members, people, roster
from regui.accounts.access import ANY, Actor, Right, Role
from regui.accounts.grants import LastAdministrator, Wanted, Wrong
from regui.accounts.models import AuditEntry, Grant, User
from tests import factories
from tests.people import grant, person

pytestmark = pytest.mark.django_db
READER, DEVELOPER, MAINTAINER, ADMIN = Role.READER, Role.DEVELOPER, Role.MAINTAINER, Role.ADMIN
ALICE = Actor("alice", ADMIN, "192.0.2.1")


@pytest.fixture(autouse=True)
def closed(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "none"


def group(name: str, *members: str) -> Group:
    found, _ = Group.objects.get_or_create(name=name)
    for one in members:
        person(one).groups.add(found)
    return found


def written() -> list[tuple[str, str, str, str]]:
    """What the journal of access says, oldest first."""
    return [(one.what, one.who, one.about, one.detail) for one in AuditEntry.objects.order_by("pk")]


def test_what_is_given_and_taken_is_written_down_once() -> None:
    factories.registry()
    wanted = Wanted("maintainer", "main", "team/**", group=group("devs"))
    row = grants.add(wanted, ALICE)
    assert row is not None
    assert (row.created_by, str(row)) == ("alice", "group devs: maintainer of main/team/**")
    assert grants.add(wanted, ALICE) is None
    grants.remove(row, ALICE)
    assert not Grant.objects.exists()
    said = ("alice", "group devs", "maintainer of team/** in main")
    assert written() == [("grant-added", *said), ("grant-removed", *said)]
    assert set(AuditEntry.objects.values_list("address", flat=True)) == {"192.0.2.1"}


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted("owner"), "role"),
        (Wanted("reader", "nowhere"), "registry"),
        (Wanted("reader", ANY, "te**am"), "pattern"),
        (Wanted("reader", ANY, ""), "pattern"),
    ],
)
def test_what_means_nothing_is_refused_by_field(wanted: Wanted, field: str) -> None:
    with pytest.raises(Wrong) as wrong:
        grants.add(wanted, ALICE)
    assert wrong.value.field == field
    assert (Grant.objects.count(), AuditEntry.objects.count()) == (0, 0)


def by_herself() -> Callable[[], object]:
    row = grant(ADMIN, user=person("alice"))
    return lambda: grants.remove(row, ALICE)


def disabled() -> Callable[[], object]:
    grant(ADMIN, user=person("alice"))
    return lambda: roster.disable(person("alice"), ALICE)


def by_a_group() -> Callable[[], object]:
    grant(ADMIN, group=group("ops", "alice"))
    return lambda: members.take(group("ops"), person("alice"), ALICE)


def without_the_group() -> Callable[[], object]:
    grant(ADMIN, group=group("ops", "alice"))
    return lambda: members.remove(group("ops"), ALICE)


def outweighed_by_name() -> Callable[[], object]:
    grant(ADMIN, group=group("ops", "alice"))
    return lambda: grants.add(Wanted("reader", user=person("alice")), ALICE)


def outweighed_by_joining() -> Callable[[], object]:
    grant(ADMIN)
    person("alice")
    grant(READER, group=group("devs"))
    return lambda: members.put(group("devs"), person("alice"), ALICE)


@pytest.mark.parametrize(
    "shut_out",
    [by_herself, disabled, by_a_group, without_the_group, outweighed_by_name, outweighed_by_joining],
)
def test_the_last_administrator_can_not_be_shut_out(shut_out: Callable[[], Callable[[], object]]) -> None:
    change = shut_out()
    before = [str(row) for row in Grant.objects.order_by("pk")]
    assert grants.last_admin(person("alice"))
    with pytest.raises(LastAdministrator):
        change()
    assert grants.last_admin(person("alice"))
    assert [str(row) for row in Grant.objects.order_by("pk")] == before
    assert not AuditEntry.objects.exists(), "what was not done is not written down"
    grant(ADMIN, user=person("bob"))
    assert not grants.last_admin(person("alice"))
    change()
    assert AuditEntry.objects.exists()


def test_who_may_not_sign_in_is_nobody_who_is_left() -> None:
    row = grant(ADMIN, user=person("alice"))
    grant(ADMIN, user=person("bob"))
    User.objects.filter(username="bob").update(is_active=False)
    with pytest.raises(LastAdministrator):
        grants.remove(row, ALICE)


def test_what_visitors_may_is_nobody_who_is_left(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "admin"
    row = grant(ADMIN, user=person("alice"))
    with pytest.raises(LastAdministrator):
        grants.remove(row, ALICE)


def test_where_nobody_administers_yet_everything_can_be_changed() -> None:
    row = grant(READER, user=person("bob"))
    grants.remove(row, ALICE)
    assert roster.disable(person("bob"), ALICE)
    assert not grants.last_admin(person("bob"))


def test_grants_of_many_people_are_those_of_each(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    chance = random.Random(5)
    names, teams = [f"p{number}" for number in range(8)], ["red", "green", "blue"]
    for team in teams:
        group(team, *chance.sample(names, 3))
    for number in range(20):
        holder = chance.randrange(3)
        grant(
            chance.choice([READER, MAINTAINER, Role.NONE]),
            f"n{number}/**",
            user=person(chance.choice(names)) if holder == 1 else None,
            group=group(chance.choice(teams)) if holder == 2 else None,
        )
    with django_assert_num_queries(3):
        found = grants.of_people(User.objects.all())
    for user in User.objects.all():
        assert set(found[user.pk]) == set(people.grants_of(user))
        assert len(found[user.pk]) == len(people.grants_of(user))


def test_those_who_can_are_named_by_what_makes_them_able() -> None:
    grant(MAINTAINER, "team/**", group=group("devs", "bob", "carol"))
    grant(ADMIN, user=person("alice"))
    grant(READER, "team/app", user=person("carol"))
    person("eve")
    able = {
        str(one and one.holder): names for one, names in grants.able(Right.DELETE, "main", "team/app").items()
    }
    assert able == {"alice": ["alice"], "devs": ["bob"]}


def test_those_who_can_are_everybody_where_everybody_is(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "reader"
    for name in ("bob", "carol"):
        person(name)
    assert grants.able(Right.SEE, "main", "team/app") == {None: ["bob", "carol"]}


# What changes


@pytest.fixture
def repositories(db: None) -> None:
    for name in ("team/app", "team/web", "team/db", "other"):
        factories.repository(name)


def test_what_somebody_loses_is_counted(repositories: None) -> None:
    bob = person("bob")
    grant(READER, user=bob)
    grant(DEVELOPER, "team/web", user=bob)
    found = effects.of_removing(grant(MAINTAINER, "team/**", user=bob))
    assert (found.people, found.places, found.partly) == (1, 3, False)
    (effect,) = found.found
    assert effect.names == ("bob",)
    assert effect.sentences == ["loses “set tags” and “delete” in 2 repositories"]


def test_what_was_hidden_is_gained(repositories: None) -> None:
    grant(MAINTAINER, user=person("bob"))
    found = effects.of_removing(grant(Role.NONE, "team/app"))
    assert [one.sentences for one in found.found] == [
        ["gains “see”, “set tags” and “delete” in 1 repository"]
    ]


def test_people_who_are_alike_are_told_of_together(repositories: None) -> None:
    row = grant(MAINTAINER, "team/app", group=group("devs", "bob", "carol", "dave", "alice"))
    grant(ADMIN, "team/app", user=person("alice"))
    grant(READER, "of/carol", user=person("carol"))
    User.objects.filter(username="dave").update(is_active=False)
    found = effects.of_removing(row)
    assert found.people == 3
    assert [(one.names, one.sentences) for one in found.found] == [
        (("bob", "carol"), ["loses “see”, “set tags” and “delete” in 1 repository"])
    ]


def test_what_ends_for_the_whole_site_is_said() -> None:
    row = grant(ADMIN, user=person("alice"))
    grant(Role.AUDITOR, user=person("alice"))
    (effect,) = effects.of_removing(row).found
    assert effect.sentences == ["no longer administers all of regui"]


def test_why_nothing_changes_is_said(repositories: None, settings: Settings) -> None:
    bob = person("bob")
    row = grant(READER, "new/**", user=bob)
    assert effects.of_removing(row).nothing.startswith("No repository is known that it covers")
    outweighed = grant(READER, group=group("devs", "bob"))
    grant(READER, user=bob)
    assert not effects.of_removing(outweighed).found
    assert effects.of_removing(outweighed).nothing == "Other grants outweigh it, or give the same."
    settings.ANONYMOUS_ROLE = "reader"
    assert "REGUI_ANONYMOUS_ROLE" in effects.of_removing(row).nothing
    assert effects.of_removing(grant(READER, group=group("empty"))).people == 0


def test_only_so_many_repositories_are_looked_at(repositories: None) -> None:
    found = effects.of_removing(grant(READER, user=person("bob")), most=60)
    assert (found.places, found.partly) == (2, True)
    assert found.found[0].sentences == ["loses “see” in 2 repositories"]


# The journal


def test_the_journal_lets_go_of_what_is_old() -> None:
    now = timezone.now()
    for days in (400, 366, 364, 0):
        AuditEntry.objects.create(at=now - timedelta(days=days), what="signed-in", who="bob")
    assert list(audit.forget(now - timedelta(days=365))) == [2]
    assert AuditEntry.objects.count() == 2
    assert list(audit.forget(now - timedelta(days=365))) == []
