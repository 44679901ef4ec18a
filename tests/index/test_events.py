"""Events become rows exactly once, in order, whatever comes twice, late, or in between."""

import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from regui import oci
from regui.index import events, fetch, history, inbox, listing, verdict
from regui.index.events import Applier
from regui.index.models import Event, Inbox, Manifest, PullCount, Registry, Repository, Revision, Tag
from tests import images
from tests.fake import Fake
from tests.index.conftest import NAME, age
from tests.memory import out
from tests.notifications import envelope, event

LATE = timedelta(minutes=5)


def store(registry: Registry, *sent: dict[str, Any], now: datetime | None = None) -> None:
    """Take events in as the hook does."""
    now = now or timezone.now()
    inbox.store(registry, inbox.parse(envelope(sent)), now)


def settle(registry: Registry, applier: Applier | None = None) -> None:
    """Apply all that waits."""
    applier = applier or Applier(registry)
    for _ in range(200):
        if not applier.apply() and not Event.objects.filter(applied_at=None).exists():
            break
    applier.release()
    assert not Event.objects.filter(applied_at=None).exists()


def pushed(fake: Fake, tags: Sequence[str], name: str = NAME) -> oci.Digest:
    with oci.Client(fake.url) as client:
        return images.push(client, name, images.image(), tags)


def on(name: str = NAME) -> dict[str, str]:
    """The listed tags and the digests they are on."""
    rows = Tag.objects.listed().filter(repository__name=name)
    return dict(rows.values_list("name", "manifest__digest"))


def moves(name: str = NAME) -> list[tuple[str, str, str, str]]:
    repository = Repository.objects.get(name=name)
    return [(one.tag, one.before, one.after, one.actor) for one in history.of_repository(repository)][::-1]


def count(fake: Fake) -> int:
    return len(fake.seen)


def test_a_push_makes_repository_tag_and_manifest_known(fake: Fake, fake_row: Registry) -> None:
    digest = pushed(fake, ["v1"])
    store(fake_row, event("push", NAME, tag="v1", digest=digest, actor="bob"))
    settle(fake_row)
    assert on() == {"v1": digest}
    assert moves() == [("v1", "", digest, "bob")]
    repository = Repository.objects.get()
    assert repository.source == Repository.Source.EVENT
    assert repository.listed_at is not None
    assert Manifest.objects.get().read_at is not None
    events.sum_up(fake_row, float("inf"))
    repository.refresh_from_db()
    assert (repository.tag_count, repository.size) == (1, Manifest.objects.get().size)


def test_what_the_index_knows_costs_no_request(pushed: Fake, known: Repository) -> None:
    digest = on()["07"]
    store(known.registry, event("push", NAME, tag="latest", digest=digest))
    settle(known.registry)
    assert count(pushed) == 0
    assert on()["latest"] == digest


def test_a_pull_makes_a_repository_known(fake: Fake, fake_row: Registry) -> None:
    digest = pushed(fake, ["v1"])
    store(fake_row, event("pull", NAME, tag="v1", digest=digest))
    settle(fake_row)
    assert set(on()) == {"v1"}
    assert PullCount.objects.get().count == 1


def test_a_delete_alone_makes_nothing_known(fake: Fake, fake_row: Registry) -> None:
    store(fake_row, event("delete", NAME, tag="v1"), event("delete", NAME, digest=oci.Digest.of(b"x")))
    settle(fake_row)
    assert not Repository.objects.exists()
    assert count(fake) == 0


def test_a_deleted_blob_is_no_deleted_manifest(pushed: Fake, known: Repository) -> None:
    before = on()
    store(known.registry, event("delete", NAME, digest=oci.Digest.of(b"some blob")))
    settle(known.registry)
    assert on() == before
    assert count(pushed) == 0


def test_a_digest_deleted_long_ago_and_pushed_again_stays(pushed: Fake, known: Repository) -> None:
    """Its event comes late, as after an outage: what is in doubt is asked."""
    before = on()
    past = datetime.now(UTC) - LATE
    store(known.registry, event("delete", NAME, digest=before["07"], at=past))
    settle(known.registry)
    assert on() == before
    assert count(pushed) == 1


def test_an_old_push_does_not_move_a_tag_back(pushed: Fake, known: Repository) -> None:
    before = on()
    past = datetime.now(UTC) - LATE
    store(known.registry, event("push", NAME, tag="07", digest=before["01"], at=past))
    settle(known.registry)
    assert on() == before
    assert [ask.headers.get("If-None-Match") for ask in pushed.seen] == [f'"{before["07"]}"']
    assert moves() == []


def test_a_registry_whose_clock_is_ahead_is_asked(pushed: Fake, known: Repository) -> None:
    before = on()
    ahead = datetime.now(UTC) + timedelta(hours=1)
    store(known.registry, event("push", NAME, tag="07", digest=before["01"], at=ahead))
    settle(known.registry)
    assert on() == before


def test_a_move_that_a_page_saw_first_gets_its_actor(fake: Fake, fake_row: Registry) -> None:
    pushed(fake, ["v1"])
    repository = Repository(registry=fake_row, name=NAME, first_seen_at=timezone.now())
    fetch.repository(repository, budget=20)
    second = pushed(fake, ["v1"])
    at = datetime.now(UTC)
    age(repository)
    fetch.repository(repository, first=["v1"], budget=20)
    assert on() == {"v1": second}
    store(fake_row, event("push", NAME, tag="v1", digest=second, actor="bob", at=at))
    settle(fake_row)
    assert on() == {"v1": second}
    assert [move[3] for move in moves()] in ([], ["bob"]), "whoever wrote it, never without its actor"


def test_a_tag_that_left_before_it_was_read_is_told_of_all_the_same(fake: Fake, fake_row: Registry) -> None:
    digest = pushed(fake, ["v1"])
    past = datetime.now(UTC) - LATE
    row = Repository(registry=fake_row, name=NAME, first_seen_at=timezone.now())
    listing.tags([listing.Listing(row, ["v1"], timezone.now())])
    del fake.memory.repositories[NAME].tags["v1"]
    pushes, leaves = event("push", NAME, tag="v1", digest=digest, at=past), event("delete", NAME, tag="v1")
    store(fake_row, pushes, leaves)
    settle(fake_row)
    assert on() == {}
    assert [move[:3] for move in moves()] == [("v1", "", digest), ("v1", digest, "")]


def test_senseless_manifests_are_shown_as_such(fake: Fake, fake_row: Registry) -> None:
    body = b"[]"
    digest = pushed(fake, ["v1"])
    fake.memory.repositories[NAME].manifests[digest] = oci.OCI_MANIFEST, body
    bad = oci.Digest.of(body)
    fake.memory.repositories[NAME].manifests[bad] = oci.OCI_MANIFEST, body
    fake.memory.repositories[NAME].tags["v1"] = bad
    store(fake_row, event("push", NAME, tag="v1", digest=bad))
    settle(fake_row)
    assert Tag.objects.get().problem


def test_while_the_registry_is_silent_events_wait(fake: Fake, fake_row: Registry) -> None:
    digest = pushed(fake, ["v1"])
    fake.on("GET", "/v2/.*", out(503, {}))
    store(fake_row, event("push", NAME, tag="v1", digest=digest))
    applier = Applier(fake_row)
    assert applier.apply() == 0
    assert Event.objects.filter(applied_at=None).count() == 1
    assert applier.apply() == 0, "nor is it asked again at once"


def test_what_waited_too_long_is_left_to_the_next_crawl(pushed: Fake, known: Repository) -> None:
    Repository.objects.update(due_at=timezone.now() + LATE)
    pushed.on("GET", "/v2/.*", out(503, {}))
    sent = [
        event("push", NAME, tag="new", digest=oci.Digest.of(b"unknown")),
        event("pull", NAME, tag="07", digest=on()["07"]),
    ]
    store(known.registry, *sent, now=timezone.now() - LATE)
    assert Applier(known.registry).apply() == 2
    known.refresh_from_db()
    assert known.due_at is None
    assert PullCount.objects.get().count == 1


def test_a_crash_in_the_middle_leaves_events_waiting(pushed: Fake, known: Repository) -> None:
    """What is written before the marks is undone with them: applying again changes nothing twice."""
    sent = [
        event("push", NAME, tag="latest", digest=on()["07"], actor="bob"),
        event("pull", NAME, tag="07", digest=on()["07"]),
    ]
    store(known.registry, *sent)

    def dies(told: Sequence[Event]) -> dict[int, str]:
        raise KeyboardInterrupt

    applier = Applier(known.registry, dies)
    with pytest.raises(KeyboardInterrupt):
        applier.apply()
    assert "latest" not in on()
    assert not PullCount.objects.exists()
    Inbox.objects.update(leased_until=timezone.now() - LATE)  # nobody released it; it expires
    settle(known.registry)
    settle(known.registry)
    assert moves() == [("latest", "", on()["07"], "bob")]
    assert PullCount.objects.get().count == 1


def test_one_worker_at_a_time_has_the_inbox(pushed: Fake, known: Repository) -> None:
    store(known.registry, event("pull", NAME, tag="07", digest=on()["07"]))
    first, second = Applier(known.registry), Applier(known.registry)
    assert first.apply() == 1
    store(known.registry, event("pull", NAME, tag="08", digest=on()["08"]))
    assert second.apply() == 0
    assert first.apply() == 1
    first.release()
    store(known.registry, event("pull", NAME, tag="07", digest=on()["07"]))
    assert second.apply() == 1
    assert sum(PullCount.objects.values_list("count", flat=True)) == 2, "the second knows what was counted"


def test_whoever_lost_the_inbox_writes_nothing(pushed: Fake, known: Repository) -> None:
    """A worker that slept through its lease finds its events applied."""
    store(known.registry, event("pull", NAME, tag="07", digest=on()["07"]))
    assert Applier(known.registry).hold(timezone.now())
    waiting = list(Event.objects.all())
    Inbox.objects.update(leased_until=timezone.now() - LATE)
    settle(known.registry)
    with pytest.raises(verdict.Overtaken), transaction.atomic():
        events.mark(waiting)
    assert PullCount.objects.get().count == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_database_apply_each_event_once(pushed: Fake, known: Repository) -> None:
    tags = on()
    for start in range(0, 400, 20):
        store(
            known.registry,
            *[
                event("pull", NAME, tag=f"{n % 20:02}", digest=tags[f"{n % 20:02}"], address=str(n))
                for n in range(start, start + 20)
            ],
        )

    def work() -> None:
        try:
            applier = Applier(known.registry)
            while Event.objects.filter(applied_at=None).exists():
                applier.apply()
                applier.release()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(PullCount.objects.values_list("count", flat=True)) == 400


# What may happen to a registry: pushes of one of a few images to one of a few tags, deletes of either.
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["push", "push", "push", "delete digest", "delete tag", "push digest"]),
        st.sampled_from(["team/app", "team/web"]),
        st.sampled_from(["1", "2", "latest"]),
        st.integers(0, 3),
    ),
    max_size=25,
)


@pytest.mark.django_db(transaction=True)
@how(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(deeds=DEEDS, seed=st.integers(0, 2**32))
def test_events_come_to_what_a_crawl_would_find(
    fake: Fake, fake_row: Registry, deeds: list[tuple[str, str, str, int]], seed: int
) -> None:
    """However they are cut into batches, sent twice, or kept back for a while."""
    chance = random.Random(seed)
    Repository.objects.all().delete()
    Event.objects.all().delete()
    fake.memory.repositories.clear()
    fake.seen.clear()
    built = [images.image(layers=[str(n).encode()]) for n in range(4)]
    sent: list[dict[str, Any]] = []
    with oci.Client(fake.url) as client:
        for deed, name, tag, number in deeds:
            sent += done(client, fake, deed, name, tag, built[number])
            if chance.random() < 0.3:
                deliver(fake_row, sent, chance)
        while sent:
            deliver(fake_row, sent, chance)
        for name, repository in fake.memory.repositories.items():
            assert on(name) == repository.tags, name
            held = Revision.objects.held().filter(repository__name=name)
            assert set(held.values_list("manifest__digest", flat=True)) == set(repository.manifests), name


def done(client: oci.Client, fake: Fake, deed: str, name: str, tag: str, built: Any) -> list[dict[str, Any]]:
    """Do it, and what the registry would say of it."""
    there = fake.memory.repositories.get(name)
    if deed == "push":
        images.push(client, name, built, [tag])
        return [event("push", name, tag=tag, digest=built.digest)]
    if deed == "push digest":
        images.push(client, name, built)
        return [event("push", name, digest=built.digest)]
    if deed == "delete tag" and there and tag in there.tags:
        client.delete_manifest(name, tag)
        return [event("delete", name, tag=tag)]
    if deed == "delete digest" and there and built.digest in there.manifests:
        gone = [at for at, digest in there.tags.items() if digest == built.digest]
        client.delete_manifest(name, built.digest)
        return [event("delete", name, digest=built.digest), *(event("delete", name, tag=at) for at in gone)]
    return []


def deliver(registry: Registry, sent: list[dict[str, Any]], chance: random.Random) -> None:
    """Deliver some of what was sent, in order, some of it twice and some of it late; then apply it."""
    some = sent[: chance.randint(1, 12)]
    del sent[: len(some)]
    now = timezone.now() + (LATE if chance.random() < 0.2 else timedelta())
    store(registry, *some, now=now)
    if some and chance.random() < 0.5:
        store(registry, *chance.sample(some, chance.randint(1, len(some))))
    settle(registry)
