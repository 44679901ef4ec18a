"""Carrying a copy out: who may, what stops it, and what it leaves to the registry."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.http import Http404
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.accounts.access import Actor, Forbidden, Role
from regui.actions import copying, journal, plans, run
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.actions.transfer import PIECE
from regui.demo.images import Built, fallback, noise
from regui.index.connect import close, ensure_registries
from regui.index.models import Registry, Repository
from regui.registries import RegistrySettings
from tests import images
from tests.actions.stand import ALICE
from tests.fake import Fake
from tests.memory import Ask, Out, error

pytestmark = pytest.mark.django_db

NAME = "team/app"
LARGE = images.image(layers=[noise("layer", 3 * PIECE)])
REFERRERS = r"/v2/.+/referrers/.+"


@dataclass(frozen=True)
class Pair:
    source: Fake
    target: Fake

    def repository(self, registry: str) -> Repository:
        row = Registry.objects.get(name=registry)
        found = row.repositories.filter(name=NAME).select_related("registry").first()
        return found or Repository(registry=row, name=NAME, first_seen_at=timezone.now())

    def push(self, built: Built, *tags: str) -> None:
        with oci.Client(self.source.url) as client:
            images.push(client, NAME, built, tags)

    def look(self) -> Plan:
        return copying.look(self.repository("main"), "1.0", self.repository("other"), "1.0")

    @property
    def tags(self) -> dict[str, str]:
        return self.target.memory.repositories[NAME].tags


@pytest.fixture
def pair(settings: Settings) -> Iterator[Pair]:
    with Fake() as source, Fake() as target:
        settings.REGISTRIES = {
            "main": RegistrySettings("main", source.url),
            "other": RegistrySettings("other", target.url),
        }
        ensure_registries()
        yield Pair(source, target)
    close()


def slowly(pair: Pair) -> None:
    """From now on a piece takes longer than is waited between two looks."""

    def answer(ask: Ask) -> Out:
        out = pair.target.memory.answer(ask)
        return Out(out.status, out.body, out.headers, stall=1.2)

    pair.target.on("PATCH", r"/v2/.*", answer)


def test_a_person_stops_a_copy_in_the_midst_of_a_blob(pair: Pair) -> None:
    pair.push(LARGE, "1.0")
    slowly(pair)
    action = run.start(pair.look(), ALICE)

    def stop(action: Action) -> None:
        if action.bytes_done > PIECE:
            journal.cancel(action, timezone.now())

    done = run.carry_out(action, watch=stop)
    assert done.state == "cancelled"
    assert PIECE < done.bytes_done < done.bytes_total
    assert pair.tags == {}
    assert pair.target.memory.uploads == {}


def test_a_worker_that_ends_leaves_the_rest_to_the_next(pair: Pair) -> None:
    pair.push(LARGE, "1.0")
    slowly(pair)
    action = run.start(pair.look(), ALICE)
    left = run.carry_out(action, stop=lambda: action.bytes_done > PIECE)
    assert (left.state, left.leased_until) == ("running", None)
    mine = run.next_due(timezone.now())
    assert mine is not None
    done = run.carry_out(mine)
    assert (done.state, done.bytes_done) == ("done", done.bytes_total)
    assert pair.tags == {"1.0": LARGE.digest}


def test_how_far_it_is_is_written_down_meanwhile(pair: Pair) -> None:
    pair.push(LARGE, "1.0")
    slowly(pair)
    seen: list[int] = []

    def look(_: Action) -> None:
        seen.append(Action.objects.get().bytes_done)

    run.carry_out(run.start(pair.look(), ALICE), watch=look)
    assert any(0 < count < sum(map(len, LARGE.blobs)) for count in seen)


def test_who_may_not_push_or_see_is_refused_before_any_request(pair: Pair) -> None:
    pair.push(images.image(), "1.0")
    plan = pair.look()
    for fake in (pair.source, pair.target):
        fake.seen.clear()
    with pytest.raises(Forbidden):
        run.run(plan, Actor("bob", Role.READER))
    with pytest.raises(Http404):
        run.run(plan, Actor("charlie", Role.NONE))
    assert pair.source.seen == pair.target.seen == []


def test_a_source_that_is_no_longer_set_up_is_waited_for(pair: Pair, settings: Settings) -> None:
    pair.push(images.image(), "1.0")
    action = run.start(pair.look(), ALICE)
    both = settings.REGISTRIES
    settings.REGISTRIES = {"other": both["other"]}
    ensure_registries()
    waiting = run.carry_out(action)
    assert waiting.state == "running"
    assert f"no longer say where main/{NAME} is" in waiting.reason
    settings.REGISTRIES = both
    ensure_registries()
    mine = run.next_due(timezone.now() + run.PAUSES[0])
    assert mine is not None
    assert run.carry_out(mine).state == "done"


def test_a_target_that_falls_silent_is_gone_on_with_later(pair: Pair) -> None:
    pair.push(images.image(), "1.0")
    action = run.start(pair.look(), ALICE)
    silent = True
    pair.target.on("PUT", r"/v2/.+/manifests/.+", lambda _: Out(raw=b"") if silent else None)
    waiting = run.carry_out(action)
    assert waiting.state == "running"
    silent = False
    mine = run.next_due(timezone.now() + run.PAUSES[0])
    assert mine is not None
    assert run.carry_out(mine).state == "done"


def test_a_registry_that_lists_referrers_itself_gets_no_list(pair: Pair) -> None:
    image = images.image()
    note = images.artifact(subject=image)
    pair.source.on("GET", REFERRERS, Out(404, b"404 page not found\n"))
    pair.push(image, "1.0")
    pair.push(note)
    pair.push(fallback([note]), oci.referrers_tag(image.digest))

    def unknown(_: Ask) -> Out | None:
        return None if NAME in pair.target.memory.repositories else error(404, "NAME_UNKNOWN")

    pair.target.on("GET", REFERRERS, unknown)
    plan = pair.look()
    assert oci.referrers_tag(image.digest) in {step.tag for step in plan.steps}
    done = run.run(plan, ALICE)
    assert (done.state, done.reason) == ("done", "")
    assert pair.tags == {"1.0": image.digest}
    with oci.Client(pair.target.url) as client:
        assert [one.digest for one in client.referrers(NAME, image.digest).descriptors] == [note.digest]


def test_a_target_that_cant_be_asked_leaves_nothing_to_agree_to(pair: Pair) -> None:
    pair.push(images.image(), "1.0")
    pair.target.on("HEAD", r"/v2/.*", error(503, "UNAVAILABLE", Retry_After="0"))
    pair.target.on("GET", r"/v2/.*", error(503, "UNAVAILABLE", Retry_After="0"))
    plan = pair.look()
    assert not plan.check.complete
    assert plan.check.problem
    with pytest.raises(run.Unchecked):
        run.run(plan, ALICE)


def test_a_worker_may_leave_copies_to_others(pair: Pair) -> None:
    pair.push(images.image(), "1.0")
    action = run.start(pair.look(), ALICE, held=False)
    assert run.next_due(timezone.now(), without=[plans.COPY]) is None
    mine = run.next_due(timezone.now())
    assert mine == action
