"""Deletes that don't go the way they should: the truth is found out, and nothing is half-recorded."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.accounts.access import Actor, Role
from regui.actions import delete, journal, run
from regui.actions.kept import contents
from regui.actions.models import Action, Item
from regui.index.connect import close, connect
from regui.index.models import Registry, Repository, Tag
from tests import images
from tests.fake import Fake
from tests.memory import Ask, Out, error
from tests.web.acting import Visitor, registered, row, text

pytestmark = pytest.mark.django_db

NAME = "team/app"
MANIFEST = rf"/v2/{NAME}/manifests/.+"
CUT = Out(raw=b"")
ALICE = Actor("alice", Role.ADMIN, "192.0.2.1")


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as one:
        yield one


@pytest.fixture
def alice(fake: Fake, settings: Settings) -> Visitor:
    """Alice, who may delete, in front of the fake."""
    settings.REGISTRIES, settings.ANONYMOUS_ROLE = registered(fake.url), "admin"
    row()
    return Visitor(Client())


@pytest.fixture
def digest(fake: Fake) -> oci.Digest:
    """What is to be deleted: an image with two tags."""
    return push(fake, "1.0", "latest")


def push(fake: Fake, *tags: str) -> oci.Digest:
    with oci.Client(fake.url) as client:
        return images.push(client, NAME, images.image(), tags)


def silence(fake: Fake) -> None:
    """From now on it hangs up on whoever asks."""
    for method in ("GET", "HEAD", "DELETE"):
        fake.on(method, r"/v2/.*", CUT)


def deletes(fake: Fake) -> int:
    return sum(ask.method == "DELETE" for ask in fake.seen)


def let_the_lease_end() -> None:
    """What was left is someone's to go on with."""
    past = timezone.now() - timedelta(seconds=1)
    Action.objects.filter(leased_until__isnull=False).update(leased_until=past)
    Action.objects.filter(not_before__isnull=False).update(not_before=past)


def settle() -> list[Action]:
    """What a worker does once; the actions that have ended by it."""
    action = run.next_due(timezone.now())
    ended = run.carry_out(action) if action else None
    return [ended] if ended and not ended.is_open else []


def begun(digest: oci.Digest) -> Action:
    """An action whose runner died between the journal and the request."""
    registry = Registry.objects.get()
    repository = Repository(registry=registry, name=NAME, first_seen_at=timezone.now())
    plan = delete.look(repository, digest)
    kept = contents(connect(registry), repository, digest)
    return journal.begin(plan, ALICE, kept, timezone.now())


def test_a_tag_that_cant_be_read_makes_the_check_incomplete(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    push(fake, "2.0")
    fake.on("GET", rf"/v2/{NAME}/manifests/2.0", error(503, "UNAVAILABLE"))
    page = alice.confirm(NAME, digest)
    assert page.status == 200
    assert page.going == ["1.0", "latest"]
    assert not page.can_submit
    assert "Check again" in page.text
    assert 'data-check="incomplete"' in page.text
    answer = alice.submit(page)
    assert answer.status_code == 409
    assert not deletes(fake)
    assert not Action.objects.exists()


def test_with_the_registry_down_the_page_shows_what_is_remembered_and_deletes_nothing(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    page = alice.confirm(NAME, digest)
    assert page.can_submit
    silence(fake)
    down = alice.confirm(NAME, digest)
    assert down.status == 200
    assert down.going == ["1.0", "latest"]
    assert not down.can_submit
    assert "checked 0 of 2" in down.text
    assert alice.submit(page).status_code == 409
    assert not Action.objects.exists()


def test_with_the_registry_down_and_nothing_remembered_the_page_says_so(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    silence(fake)
    page = alice.confirm(NAME, digest)
    assert page.status == 502
    assert "reached" in page.text


def test_an_answer_lost_after_the_delete_is_read_back(alice: Visitor, fake: Fake, digest: oci.Digest) -> None:
    def delete_and_hang_up(ask: Ask) -> Out:
        fake.memory.answer(ask)
        return CUT

    fake.on("DELETE", MANIFEST, delete_and_hang_up)
    assert alice.delete(NAME, digest).status_code == 303
    action = Action.objects.get()
    assert action.state == "done"
    assert "it was deleted all the same" in action.reason
    assert not Tag.objects.listed().exists()


def test_a_request_lost_on_the_way_leaves_the_end_open_until_the_lease_is_over(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    fake.on("DELETE", MANIFEST, CUT)
    answer = alice.delete(NAME, digest)
    assert answer.status_code == 504
    assert "Nobody knows yet" in text(answer)
    action = Action.objects.get()
    assert action.state == "running"
    assert action.reason
    assert settle() == []
    let_the_lease_end()
    assert settle() == []
    assert Tag.objects.listed().count() == 2
    fake.on("DELETE", MANIFEST, fake.memory.answer)
    let_the_lease_end()
    (settled,) = settle()
    assert (settled.state, settled.reason) == ("done", "")
    assert not Tag.objects.listed().exists()


def test_a_registry_that_stays_silent_is_given_up_in_the_end(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    fake.on("DELETE", MANIFEST, CUT)
    assert alice.delete(NAME, digest).status_code == 504
    Action.objects.update(tries=len(run.PAUSES))
    let_the_lease_end()
    (settled,) = settle()
    assert settled.state == "failed"
    assert {item.result for item in settled.items.all()} == {Item.Result.FAILED}
    assert Tag.objects.listed().count() == 2


def test_a_registry_that_dies_with_the_delete_is_asked_when_it_is_back(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    def die(ask: Ask) -> Out:
        fake.memory.answer(ask)
        for method in ("GET", "HEAD"):
            fake.on(method, r"/v2/.*", lambda _: CUT if down else None)
        return CUT

    down = [True]
    fake.on("DELETE", MANIFEST, die)
    assert alice.delete(NAME, digest).status_code == 504
    let_the_lease_end()
    assert settle() == []
    assert Action.objects.get().state == "running"
    assert Tag.objects.listed().count() == 2, "the index says nothing the registry hasn't said"
    down.clear()
    close()  # another process, that knows of no trouble
    let_the_lease_end()
    (settled,) = settle()
    assert settled.state == "done"
    assert not Tag.objects.listed().exists()


def test_after_a_crash_before_the_request_someone_goes_on(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    action = begun(digest)
    let_the_lease_end()
    (settled,) = settle()
    assert (settled.pk, settled.state) == (action.pk, "done")
    assert settled.finished_at is not None
    assert not Tag.objects.listed().exists()


def test_a_tag_that_joined_while_nobody_went_on_stops_the_delete(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    begun(digest)
    fake.memory.repositories[NAME].tags["joined"] = digest
    Action.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    let_the_lease_end()
    (settled,) = settle()
    assert (settled.state, settled.reason) == ("failed", "joined is on this digest too by now.")
    assert not deletes(fake)


def test_a_crash_after_the_request_is_found_to_have_deleted_it(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    begun(digest)
    with oci.Client(fake.url) as client:
        client.delete_manifest(NAME, digest)
    let_the_lease_end()
    settle()
    page = alice.browser.get(reverse("activity"))
    assert "Deleted" in text(page)
    assert Action.objects.get().state == "done"
    assert not Tag.objects.listed().exists()


def test_a_run_under_way_is_left_alone(alice: Visitor, fake: Fake, digest: oci.Digest) -> None:
    begun(digest)
    assert settle() == []
    assert Action.objects.get().state == "running"


def test_a_registry_that_left_the_settings_leaves_its_actions_open(
    alice: Visitor, digest: oci.Digest, settings: Settings
) -> None:
    begun(digest)
    let_the_lease_end()
    settings.REGISTRIES = {}
    assert settle() == []
    assert "don't say where the registry main is" in Action.objects.get().reason


def test_someone_elses_delete_in_the_same_moment_is_as_good(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    def too_late(ask: Ask) -> Out:
        fake.memory.answer(ask)
        return error(404, "MANIFEST_UNKNOWN")

    fake.on("DELETE", MANIFEST, too_late)
    assert alice.delete(NAME, digest).status_code == 303
    action = Action.objects.get()
    assert (action.state, action.reason) == ("done", "It was gone already.")


def test_a_push_in_the_same_moment_keeps_its_tag(alice: Visitor, fake: Fake, digest: oci.Digest) -> None:
    newer = push(fake, "next")

    def push_first(ask: Ask) -> Out:
        fake.memory.repositories[NAME].tags["latest"] = newer
        return fake.memory.answer(ask)

    fake.on("DELETE", MANIFEST, push_first)
    assert alice.delete(NAME, digest).status_code == 303
    action = Action.objects.get()
    assert action.state == "done"
    latest = action.items.get(tag="latest")
    assert (latest.result, latest.reason) == (
        Item.Result.SKIPPED,
        f"Pushed anew meanwhile, to sha256:{newer.short}.",
    )
    assert set(Tag.objects.listed().values_list("name", flat=True)) == {"latest", "next"}


def test_tags_that_a_registry_leaves_dangling_are_told(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    def forget_the_tags(ask: Ask) -> Out:
        del fake.memory.repositories[NAME].manifests[digest]
        return Out(202)

    fake.on("DELETE", MANIFEST, forget_the_tags)
    assert alice.delete(NAME, digest).status_code == 303
    action = Action.objects.get()
    assert action.state == "partial"
    assert "still lists 1.0, latest" in action.reason


def test_a_registry_that_says_yes_and_does_nothing_is_not_believed(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    fake.on("DELETE", MANIFEST, Out(202))
    assert alice.delete(NAME, digest).status_code == 502
    assert Action.objects.get().state == "failed"
    assert Tag.objects.listed().count() == 2


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (error(405, "UNSUPPORTED"), 405, "unsupported"),
        (error(403, "DENIED"), 403, "denied"),
        (error(500, "UNKNOWN"), 502, "unavailable"),
        (error(412, "PRECONDITION"), 409, "conflict"),
    ],
)
def test_a_refusal_is_told_and_recorded(
    alice: Visitor, fake: Fake, digest: oci.Digest, refusal: Out, status: int, code: str
) -> None:
    fake.on("DELETE", MANIFEST, refusal)
    answer = alice.delete(NAME, digest)
    assert answer.status_code == status
    action = Action.objects.get()
    assert (action.state, action.error_code) == ("failed", code)
    assert action.reason in unescape(text(answer))
    assert Tag.objects.listed().count() == 2


def test_the_bytes_stand_in_the_journal_before_the_request(
    alice: Visitor, fake: Fake, digest: oci.Digest
) -> None:
    asked: list[str] = []
    fake.on("DELETE", MANIFEST, lambda ask: asked.append(ask.path))
    alice.delete(NAME, digest)
    assert asked == [f"/v2/{NAME}/manifests/{digest}"]
    kept = Action.objects.get().kept.get()
    assert oci.Digest.of(kept.body) == digest


def test_a_check_that_takes_long_still_counts(alice: Visitor, fake: Fake, digest: oci.Digest) -> None:
    """What was confirmed at its beginning is not old at its end."""
    tags = fake.memory.repositories[NAME].tags
    tags |= {f"more-{number}": tags["latest"] for number in range(70)}
    page = alice.confirm(NAME, digest)

    def slowly(ask: Ask) -> Out:
        return replace(fake.memory.answer(ask), stall=0.3)

    for method in ("GET", "HEAD"):
        fake.on(method, rf"/v2/{NAME}/manifests/[^:]+", slowly)
    assert alice.submit(page).status_code == 303
    assert Action.objects.get().plan["check"]["checked"] == 72
