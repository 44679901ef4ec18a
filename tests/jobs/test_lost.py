"""A push that comes between our last look and our write is lost without a word; it is put back."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from regui import oci
from regui.actions import delete, plans, retag, run, untag
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.demo.images import Built
from regui.index import connect
from regui.index.connect import ensure_registries
from regui.index.models import Event, Registry, Repository, Tag
from regui.jobs import events, lost
from regui.registries import RegistrySettings
from tests import images
from tests.actions.stand import ALICE
from tests.notifications import SECRET, notifying, wait
from tests.registry import RunningRegistry
from tests.relay import relaying

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "team/app"


@dataclass
class Race:
    """A registry, and what somebody pushes to it just before our first write."""

    registry: RunningRegistry
    pushes: list[tuple[Built, str]] = field(default_factory=list)

    def before(self, method: str, path: str) -> None:
        writes = method in {"PUT", "DELETE"} and "/manifests/" in path
        pushes, self.pushes = (self.pushes, []) if writes else ([], self.pushes)
        for built, tag in pushes:
            with self.registry.connect() as client:
                client.put_manifest(NAME, tag, built.body, built.media_type)

    def push(self, built: Built, *tags: str) -> oci.Digest:
        return self.registry.push_built(NAME, built, tags)

    def tags(self) -> dict[str, str]:
        """What the tags are on by the registry's word."""
        with self.registry.connect() as client:
            return {tag: client.head_manifest(NAME, tag).digest for tag in client.tags(NAME)}

    def told(self) -> None:
        """Wait until the index knows of all that was pushed: plans made while that still comes in differ."""
        listed = Tag.objects.listed()
        wait(lambda: dict(listed.values_list("name", "manifest__digest")) == self.tags())
        wait(lambda: Registry.objects.exclude(events_at=None).exists())

    def run(self, plan: Plan) -> Action:
        """The action after its events have come, and after the looks that follow it."""
        action = run.run(plan, ALICE)
        wait(lambda: Event.objects.filter(action__in=["push", "delete"], applied_at=None).count() == 0)
        # The last of our events may be on its way still.
        wait(lambda: lost.watch(timezone.now() + timedelta(minutes=2)) >= 0 and self.settled(action))
        for waiting in Action.objects.due(timezone.now()):
            run.carry_out(run.next_due(timezone.now()) or waiting)
        action.refresh_from_db()
        return action

    def settled(self, action: Action) -> bool:
        action.refresh_from_db()
        return action.look_at is None


@pytest.fixture
def race(live_server: LiveServer, tmp_path: Path, settings: Settings) -> Iterator[Race]:
    registry = notifying(tmp_path / "registry", f"{live_server.url}/hooks/main")
    race = Race(registry)
    with relaying(registry.port, race.before) as relay:
        settings.REGISTRIES = {"main": RegistrySettings("main", relay.url, events_token=SECRET)}
        ensure_registries()
        stop = threading.Event()

        def work() -> None:
            try:
                events.loop(stop)
            finally:
                connections.close_all()

        thread = threading.Thread(target=work)
        thread.start()
        yield race
        stop.set()
        thread.join()
        connect.close()
    registry.stop()


def repository() -> Repository:
    row = Registry.objects.get()
    found = row.repositories.filter(name=NAME).select_related("registry").first()
    return found or Repository(registry=row, name=NAME, first_seen_at=timezone.now())


CHANGES: dict[str, Callable[[Built, Built], Plan]] = {
    "untag": lambda one, two: untag.look(repository(), "1.0"),
    "retag": lambda one, two: retag.look(repository(), two.digest, "1.0"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_push_to_the_tag_that_changes_is_put_back(race: Race, change: str) -> None:
    one, two, three = images.image(), images.image(), images.image()
    race.push(one, "1.0", "latest")
    race.push(two, "2.0")
    race.push(three)
    race.told()
    plan = CHANGES[change](one, two)
    race.pushes = [(three, "1.0")]
    action = race.run(plan)
    assert race.tags() == {"1.0": three.digest, "latest": one.digest, "2.0": two.digest}
    (back,) = Action.objects.filter(kind=plans.PUT_BACK)
    assert (back.actor, back.state, back.digest) == ("regui", "done", three.digest)
    assert f"{back.pk} puts that back" in action.items.get(tag="1.0").reason


def test_a_tag_that_was_pushed_to_the_digest_that_goes_is_put_back(race: Race) -> None:
    one = images.image()
    race.push(one, "1.0")
    race.told()
    plan = delete.look(repository(), one.digest)
    race.pushes = [(one, "1.1"), (one, "1.2")]
    race.run(plan)
    assert race.tags() == {"1.1": one.digest, "1.2": one.digest}


def test_what_nobody_pushed_meanwhile_is_left_alone(race: Race) -> None:
    one, two = images.image(), images.image()
    race.push(one, "1.0", "latest")
    race.push(two, "2.0")
    race.push(two, "1.0")
    race.push(one, "1.0")
    race.told()
    assert race.run(untag.look(repository(), "1.0")).state == "done"
    assert race.run(delete.look(repository(), two.digest)).state == "done"
    assert race.tags() == {"latest": one.digest}
    assert not Action.objects.filter(kind=plans.PUT_BACK).exists()


def test_who_deletes_what_was_put_back_has_it_deleted(race: Race) -> None:
    one, two = images.image(), images.image()
    race.push(one, "1.0", "latest")
    race.push(two)
    race.told()
    plan = untag.look(repository(), "1.0")
    race.pushes = [(two, "1.0")]
    first = race.run(plan)
    assert race.tags()["1.0"] == two.digest
    race.run(untag.look(repository(), "1.0"))
    Action.objects.filter(pk=first.pk).update(look_at=timezone.now())
    lost.watch(timezone.now())
    assert race.tags() == {"latest": one.digest}
    assert Action.objects.filter(kind=plans.PUT_BACK).count() == 1
