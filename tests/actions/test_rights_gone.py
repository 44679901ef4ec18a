"""What waits for a worker, or takes long, ends when who asked for it may no longer do it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui.accounts import people
from regui.accounts.access import Actor, Role
from regui.accounts.models import Grant
from regui.actions import many, run
from regui.actions.models import Action, Item
from tests.actions.conftest import stand  # noqa: F401 — a fixture
from tests.actions.stand import Stand
from tests.people import grant, person

pytestmark = pytest.mark.django_db
# fixtures are called like the arguments that ask for them
# ruff: noqa: F811

State, Result = Action.State, Item.Result
TAGS = ["1.0", "1.1", "1.2"]


@pytest.fixture(autouse=True)
def nothing_for_all(settings: Settings) -> None:
    """Nobody may anything but by a grant."""
    settings.ANONYMOUS_ROLE = "none"


@pytest.fixture
def mia(stand: Stand) -> Actor:
    """Mia may delete from the repository, which has some tags."""
    for tag in [*TAGS, "stays"]:
        stand.registry.push(stand.name, tags=[tag])
    grant(Role.MAINTAINER, stand.name, user=person("mia"))
    return people.actor_of(person("mia"))


def waiting(stand: Stand, actor: Actor) -> Action:
    """An action of theirs that takes some tags, and that no worker has begun."""
    return run.start(many.tags(stand.repository, TAGS), actor, held=False)


def work() -> Action:
    action = run.next_due(timezone.now())
    assert action
    return run.carry_out(action)


def lose(stand: Stand) -> None:
    Grant.objects.all().delete()


def only_read(stand: Stand) -> None:
    Grant.objects.update(role=Role.READER.value)


def leave(stand: Stand) -> None:
    mia = person("mia")
    mia.is_active = False
    mia.save()


@pytest.mark.parametrize("happens", [lose, only_read, leave])
@pytest.mark.parametrize("token", ["", " (token ci)"])
def test_what_waits_is_not_begun_once_the_right_is_gone(
    stand: Stand, mia: Actor, happens: Callable[[Stand], None], token: str
) -> None:
    action = waiting(stand, Actor(f"mia{token}", grants=mia.grants))
    happens(stand)
    done = work()
    assert done.state == State.CANCELLED
    assert done.reason == f"Stopped after 0 of 3. mia{token} may no longer delete from main/{stand.name}."
    assert {item.result for item in done.items.all()} == {Result.CANCELLED}
    assert set(stand.tags()) == {*TAGS, "stays"}
    assert run.next_due(timezone.now()) is None, action.pk


def test_what_waits_is_done_while_the_right_holds(stand: Stand, mia: Actor) -> None:
    waiting(stand, mia)
    assert work().state == State.DONE
    assert set(stand.tags()) == {"stays"}


@pytest.mark.parametrize("name", ["robot:ci", "local:root", "anonymous"])
def test_what_nobody_in_person_asked_for_goes_on(stand: Stand, mia: Actor, name: str) -> None:
    waiting(stand, Actor(name, Role.MAINTAINER))
    assert work().state == State.DONE


def test_a_step_that_was_begun_is_brought_to_its_end(stand: Stand, mia: Actor) -> None:
    """A runner died between noting that a step begins and doing it: the tag may be on anything."""
    action = waiting(stand, mia)
    Item.objects.filter(action=action, position=0).update(begun_at=timezone.now())
    lose(stand)
    done = work()
    assert done.state == State.PARTIAL
    assert done.reason.startswith("Stopped after 1 of 3. mia may no longer")
    results: Any = done.items.order_by("position").values_list("result", flat=True)
    assert list(results)[:3] == [Result.DONE, Result.CANCELLED, Result.CANCELLED]
