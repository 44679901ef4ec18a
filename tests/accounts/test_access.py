"""The policy by examples: which of several grants counts, what adds to it, and what a token leaves of it."""

import pytest
from django.http import Http404
from pytest_django import Settings

from regui.accounts import access, people
from regui.accounts.access import ANY, Actor, Forbidden, Grant, Hidden, Holder, Right, Role
from regui.index.models import Registry
from tests import factories
from tests.people import grant, person

READER, DEVELOPER, MAINTAINER, ADMIN = Role.READER, Role.DEVELOPER, Role.MAINTAINER, Role.ADMIN


@pytest.fixture(autouse=True)
def closed(settings: Settings) -> None:
    """Nobody is anything without a grant."""
    settings.ANONYMOUS_ROLE = "none"


def of(role: Role, pattern: str = "**", registry: str = ANY, kind: Holder = Holder.EVERYONE) -> Grant:
    return Grant(role, registry, pattern, kind)


def strongest(actor: Actor, name: str, registry: str = "main") -> str:
    """What they may do at most there."""
    rights = actor.decide(registry, name).rights
    for right in (Right.ADMIN, Right.DELETE, Right.PUSH, Right.SEE):
        if right in rights:
            return right.name
    return ""


@pytest.mark.parametrize(
    ("grants", "name", "most"),
    [
        ([], "team/app", ""),
        ([of(READER)], "team/app", "SEE"),
        ([of(READER, "team/**")], "team", ""),
        ([of(READER, "team/**")], "teams/app", ""),
        # The most literal characters count, be the role higher or lower.
        ([of(MAINTAINER, "team/**"), of(READER)], "team/app", "DELETE"),
        ([of(MAINTAINER), of(READER, "team/**")], "team/app", "SEE"),
        ([of(ADMIN), of(Role.NONE, "team/secret")], "team/secret", ""),
        ([of(ADMIN), of(Role.NONE, "team/secret")], "team/secrets", "ADMIN"),
        ([of(DEVELOPER, "team/*"), of(READER, "**/app")], "team/app", "PUSH"),
        # Of as many: a named registry before any, a person before a group before everyone, the higher role.
        ([of(READER, registry="main"), of(ADMIN)], "team/app", "SEE"),
        ([of(READER, kind=Holder.USER), of(ADMIN, kind=Holder.GROUP)], "team/app", "SEE"),
        ([of(READER, kind=Holder.GROUP), of(ADMIN)], "team/app", "SEE"),
        ([of(READER, kind=Holder.GROUP), of(MAINTAINER, kind=Holder.GROUP)], "team/app", "DELETE"),
        # An auditor's neither outweighs nor is outweighed.
        ([of(Role.AUDITOR, "team/app"), of(MAINTAINER)], "team/app", "DELETE"),
        ([of(Role.AUDITOR), of(Role.NONE, "team/**", kind=Holder.USER)], "team/app", "SEE"),
        ([of(ADMIN, registry="other")], "team/app", ""),
    ],
)
def test_the_most_particular_grant_counts(grants: list[Grant], name: str, most: str) -> None:
    for order in (grants, grants[::-1]):
        assert strongest(Actor("bob", grants=tuple(order)), name) == most


def test_what_everybody_is_adds_to_it() -> None:
    actor = Actor("bob", READER, grants=(of(Role.NONE, "team/**"), of(MAINTAINER, "web/**")))
    assert (strongest(actor, "team/app"), strongest(actor, "web/app")) == ("SEE", "DELETE")
    assert actor.may(Right.SEE)
    assert not actor.may(Right.DELETE)


def test_a_token_leaves_of_it_what_its_scope_has() -> None:
    scope = of(DEVELOPER, "team/**", "main")
    actor = Actor("bob", grants=(of(ADMIN),), cap=scope)
    assert strongest(actor, "team/app") == "PUSH"
    assert strongest(actor, "web/app") == ""
    assert strongest(actor, "team/app", "other") == ""
    reader = Actor("bob", grants=(of(READER),), cap=of(ADMIN))
    assert strongest(reader, "team/app") == "SEE", "a scope gives nothing"


def test_rights_over_all_need_that_nothing_takes_them_away() -> None:
    admin = Actor("alice", grants=(of(ADMIN),))
    assert admin.may(Right.ADMIN)
    shut_out = Actor("alice", grants=(of(ADMIN), of(READER, "team/secret", "main")))
    assert not shut_out.may(Right.ADMIN)
    assert not shut_out.may(Right.ADMIN, "main")
    assert shut_out.may(Right.ADMIN, "other")
    assert shut_out.may(Right.SEE)
    assert Actor("bob", grants=(of(ADMIN, registry="main"),)).may(Right.ADMIN, "main")
    assert not Actor("bob", grants=(of(ADMIN, registry="main"),)).may(Right.ADMIN)
    assert not Actor("bob", grants=(of(ADMIN),), cap=of(ADMIN, "team/**")).may(Right.ADMIN)


def test_regui_itself_is_governed_by_who_was_granted_everything() -> None:
    devs = Actor("alice", grants=(of(ADMIN), of(DEVELOPER, "team/**", kind=Holder.GROUP)))
    assert not devs.may(Right.ADMIN)
    assert devs.governs(Right.ADMIN), "a grant of some repositories takes those, not the site"
    assert not Actor("bob", grants=(of(ADMIN, "team/**"),)).governs(Right.ADMIN)
    assert not Actor("bob", grants=(of(ADMIN, registry="main"),)).governs(Right.ADMIN)
    assert not Actor("bob", grants=(of(ADMIN), of(READER, kind=Holder.USER))).governs(Right.ADMIN)
    assert not Actor("bob", grants=(of(ADMIN),), cap=of(ADMIN, "team/**")).governs(Right.ADMIN)
    assert not Actor("bob", grants=(of(ADMIN),), cap=of(READER)).governs(Right.ADMIN)
    auditor = Actor("eve", grants=(of(Role.AUDITOR), of(READER, kind=Holder.USER)))
    assert (auditor.governs(Right.AUDIT), auditor.governs(Right.ADMIN)) == (True, False)


def test_what_takes_repositories_away_takes_no_registry_to_look_after() -> None:
    hidden = of(Role.NONE, "i18n/**")
    assert Actor("root", grants=(of(ADMIN), hidden)).administers("main")
    assert not Actor("root", grants=(of(ADMIN), hidden)).may(Right.DELETE, "main")
    assert Actor("bob", grants=(of(ADMIN, registry="main"),)).administers("main")
    assert not Actor("bob", grants=(of(ADMIN, registry="main"), hidden)).administers("main")
    assert not Actor("bob", grants=(of(ADMIN, registry="main"),)).administers("other")
    assert not Actor("bob", grants=(of(ADMIN, "team/**"),)).administers("main")
    assert not Actor("root", grants=(of(ADMIN),), cap=of(ADMIN, "team/**")).administers("main")


@pytest.fixture
def main(db: None) -> Registry:
    for name in ("team/app", "team/web", "secret/app"):
        factories.repository(name)
    return Registry.objects.get(name="main")


def test_rows_follow_the_grants(main: Registry) -> None:
    bob = Actor("bob", grants=(of(READER, "team/**"), of(Role.NONE, "team/web")))
    assert [row.name for row in access.repositories(bob, main)] == ["team/app"]
    assert [row.name for row in access.everywhere(bob)] == ["team/app"]
    assert [row.name for row in access.registries(bob)] == ["main"]
    assert access.repository(bob, main, "team/new").pk is None
    with pytest.raises(Hidden):
        access.repository(bob, main, "secret/app")
    with pytest.raises(Forbidden) as refused:
        access.repository(bob, main, "team/app", Right.PUSH)
    assert (refused.value.registry, refused.value.name) == ("main", "team/app")


def test_a_registry_is_there_for_who_may_see_something_in_it(main: Registry) -> None:
    other = Actor("bob", grants=(of(READER, registry="other"),))
    assert not access.registries(other).exists()
    with pytest.raises(Hidden):
        access.registry(other, "main")
    with pytest.raises(Http404) as missing:
        access.registry(Actor("alice", ADMIN), "nothing")
    assert not isinstance(missing.value, Hidden), "who sees all may know that it isn't there"


@pytest.mark.django_db
def test_those_who_could_are_people_whose_grants_come_to_it() -> None:
    ops = person("carol").groups.create(name="ops")
    grant(MAINTAINER, "team/**", group=ops)
    grant(MAINTAINER, user=person("dave"))
    grant(READER, "team/app", user=person("dave"))
    grant(ADMIN, registry="other", user=person("eve"))
    assert people.who_could(Right.DELETE, "main", "team/app") == ["carol"]
    assert people.who_could(Right.DELETE, "main", "web/app") == ["dave"]
    assert people.who_could(Right.ADMIN) == []
    grant(ADMIN, user=person("frank"))
    grant(READER, "team/app", user=person("frank"))
    assert people.who_could(Right.ADMIN) == ["frank"]
    assert people.who_could(Right.ADMIN, "main") == ["frank"], "though there is less for frank in it"
    grant(MAINTAINER, "web/**")
    assert people.who_could(Right.DELETE, "main", "web/app") == ["carol", "dave", "eve", "frank"]


@pytest.mark.django_db
def test_an_administrator_is_made_once() -> None:
    alice = person("alice")
    grant(ADMIN, "team/**", user=alice)
    people.appoint(alice, "regui")
    people.appoint(alice, "regui")
    assert people.actor_of(alice).may(Right.ADMIN)
    assert alice.grants.count() == 2
