"""Who may see policies and change them, and what becomes of one that is saved anew."""

from datetime import timedelta

import pytest
from django.http import Http404
from django.utils import timezone
from pytest_django import Settings

from regui.accounts import people, standing, tokens
from regui.accounts.access import ANY, Actor, Forbidden, Right, Role
from regui.accounts.models import Token
from regui.actions.models import PolicyRow, Run
from regui.actions.retention import book, rights, runs
from regui.index.models import Registry
from regui.patterns import ANYWHERE
from regui.retention.reading import Invalid
from tests import factories
from tests.actions.policies import approved, policy, saved
from tests.people import grant, person, token

pytestmark = pytest.mark.django_db

ROOT = Actor("local:root", Role.ADMIN, trusted=True)


@pytest.fixture(autouse=True)
def main(settings: Settings) -> Registry:
    """A registry in which nobody may anything but by a grant."""
    settings.ANONYMOUS_ROLE = "none"
    return factories.registry("main")


def somebody(name: str, role: Role, pattern: str = ANYWHERE, registry: str = ANY) -> Actor:
    grant(role, pattern, user=person(name), registry=registry)
    return people.actor_of(person(name))


@pytest.fixture
def alice() -> Actor:
    return somebody("alice", Role.ADMIN)


@pytest.fixture
def mia() -> Actor:
    return somebody("mia", Role.MAINTAINER, "team/**")


def names(actor: Actor, main: Registry) -> list[str]:
    return [row.name for row in book.visible(actor, main)]


def test_who_may_delete_everywhere_sees_all_policies_and_others_their_own(
    main: Registry, alice: Actor, mia: Actor
) -> None:
    saved(policy(name="hers"), alice)
    row = saved(policy(name="mias"), mia)
    noah = somebody("noah", Role.MAINTAINER, "team/app")
    assert names(alice, main) == ["hers", "mias"]
    assert names(mia, main) == ["mias"]
    assert names(noah, main) == []
    assert book.named(mia, main, "mias", change=True) == row
    assert book.named(alice, main, "mias", change=True) == row
    with pytest.raises(Http404):
        book.named(mia, main, "hers")
    assert [run.policy for run in runs.visible(mia, main)] == ["mias"]


def test_an_auditor_sees_all_and_changes_nothing(main: Registry, alice: Actor) -> None:
    row = saved(policy(), alice)
    iris = somebody("iris", Role.AUDITOR)
    assert (names(iris, main), book.may_add(iris, main)) == (["pulls"], False)
    with pytest.raises(Forbidden, match="iris may not delete from main"):
        book.named(iris, main, "pulls", change=True)
    for change in (
        lambda: book.pause(row, iris, timezone.now(), paused=True),
        lambda: book.remove(row, iris),
        lambda: saved(policy(name="other"), iris),
        lambda: runs.begin(row, iris, Run.Trigger.PERSON, timezone.now()),
    ):
        with pytest.raises(Forbidden):
            change()
    assert PolicyRow.objects.get().paused is False


@pytest.mark.parametrize(
    ("role", "registry"), [(Role.READER, ANY), (Role.DEVELOPER, ANY), (Role.MAINTAINER, "other")]
)
def test_who_may_delete_nothing_there_is_told_so(
    main: Registry, alice: Actor, role: Role, registry: str
) -> None:
    saved(policy(), alice)
    bob = somebody("bob", role, registry=registry)
    assert (names(bob, main), book.may_add(bob, main)) == ([], False)
    with pytest.raises(Forbidden, match="bob may not delete from main"):
        book.named(bob, main, "pulls")


def test_a_name_is_there_once_and_stays(alice: Actor) -> None:
    row = saved(policy(), alice)
    with pytest.raises(Invalid, match="main has a policy pulls already"):
        saved(policy(otherwise="drop"), alice)
    with pytest.raises(Invalid, match="keeps its name"):
        book.save(alice, Registry.objects.get(), policy(name="other"), timezone.now(), row)
    with pytest.raises(Invalid, match="This is about main"):
        book.save(alice, Registry.objects.get(), policy(registry="other"), timezone.now())
    assert PolicyRow.objects.get().policy == policy()


def test_what_does_something_else_has_to_be_approved_again(main: Registry, alice: Actor) -> None:
    row = approved(policy(), alice)
    row = book.save(alice, main, policy(schedule="0 3 * * *", note="by night"), timezone.now(), row)
    assert row.is_approved, "when it runs makes no difference"
    assert row.next_at is not None
    assert not Run.objects.exists()

    row = book.save(alice, main, policy("team/**"), timezone.now(), row)
    assert not row.is_approved
    assert row.next_at is None
    assert Run.objects.get().trigger == Run.Trigger.FIRST


def test_a_change_ends_what_runs_by_the_old_rules(main: Registry, alice: Actor) -> None:
    row = saved(policy(), alice)
    asks = Run.objects.get()
    Run.objects.update(state=Run.State.ASKING)
    book.save(alice, main, policy("team/**"), timezone.now(), row)
    asks.refresh_from_db()
    assert (asks.state, asks.reason) == (Run.State.CANCELLED, "The policy was changed meanwhile.")
    newer = Run.objects.exclude(pk=asks.pk).get()
    assert newer.document["repositories"] == ["team/**"]
    Run.objects.filter(pk=newer.pk).update(state=Run.State.RUNNING, leased_until=timezone.now())
    book.remove(row, alice)
    newer.refresh_from_db()
    assert (newer.stop, newer.reason) == (True, "The policy was removed meanwhile.")
    assert not PolicyRow.objects.exists()


def test_what_was_approved_for_somebody_is_not_approved_for_who_may_more(
    main: Registry, alice: Actor, mia: Actor
) -> None:
    row = approved(policy(), mia)
    row = book.save(alice, main, policy(), timezone.now(), row)
    assert (row.owner, row.is_approved) == ("alice", False)
    PolicyRow.objects.update(approved=policy().fingerprint)
    carol = somebody("carol", Role.MAINTAINER)
    row = book.save(carol, main, policy(), timezone.now(), PolicyRow.objects.get())
    assert (row.owner, row.is_approved) == ("carol", True), "carol may delete just as much"


def test_a_registry_that_asks_everybody_who_they_are_has_policies_of_the_machine_alone(
    main: Registry, alice: Actor
) -> None:
    Registry.objects.update(own=True)
    with pytest.raises(rights.Unattended, match="a policy runs while nobody is there"):
        book.save(alice, Registry.objects.get(), policy(), timezone.now())
    book.save(ROOT, Registry.objects.get(), policy(), timezone.now())
    with pytest.raises(rights.Unattended):
        runs.approve(Run.objects.get(), alice, timezone.now())


def test_who_signs_in_has_what_their_tokens_have_and_not_the_other_way_round(
    main: Registry, mia: Actor
) -> None:
    token(Role.MAINTAINER, owner=person("mia"), name="ci")
    program = tokens.actor_of(Token.objects.get())
    saved(policy(name="by-token"), program)
    saved(policy(name="by-hand"), mia)
    assert names(mia, main) == ["by-hand", "by-token"]
    assert names(program, main) == ["by-token"]


def test_a_name_stands_for_whom_it_was_of(alice: Actor) -> None:
    now = timezone.now()
    assert standing.actor("alice", now).may(Right.DELETE, "main", "team/app")
    assert standing.actor("local:root", now).trusted
    assert standing.actor("anonymous", now).visitor
    for name in ("nobody", "robot:ci", "alice (token ci)"):
        with pytest.raises(standing.Nobody):
            standing.actor(name, now)
    with pytest.raises(standing.Nobody):
        standing.actor("alice", now - timedelta(days=1))


def test_a_robot_stands_for_its_token_until_that_is_revoked_and_for_no_later_one() -> None:
    token(Role.MAINTAINER, "team/**", name="ci")
    since = timezone.now()
    robot = standing.actor("robot:ci", since)
    assert robot.may(Right.DELETE, "main", "team/app")
    assert not robot.may(Right.DELETE, "main", "other/app")
    token(Role.ADMIN, name="ci")
    assert not standing.actor("robot:ci", since).may(Right.DELETE, "main", "other/app")
    with pytest.raises(standing.Nobody, match="Several tokens"):
        standing.actor("robot:ci", timezone.now())
    tokens.revoke(Token.objects.get(role=Role.MAINTAINER.value), Actor("alice"), timezone.now())
    with pytest.raises(standing.Nobody, match="revoked"):
        standing.actor("robot:ci", since)
