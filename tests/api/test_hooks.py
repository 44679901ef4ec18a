"""What the address for notifications answers, and what it keeps."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.index import inbox
from regui.index.connect import ensure_registries
from regui.index.models import Event, Registry
from regui.registries import RegistrySettings
from tests.notifications import SECRET, V1, V2, envelope, event

D = oci.Digest.of(b"one")
HOOK = "/hooks/main"

# As distribution 3.1.1 sent it, when an image's digest with one tag was deleted.
V3_DELETE = """{"events":[
{"id":"01936f0a-7a3e-7cc1-b6b1-2f8a4a5a1d10","timestamp":"2026-11-23T07:52:34.370722534Z","action":"delete",
 "target":{"mediaType":"","digest":"%s","size":0,"repository":"n/a"},
 "request":{"id":"b5a9","addr":"127.0.0.1:42700","host":"127.0.0.1:5628","method":"DELETE","useragent":"lab"},
 "actor":{},"source":{"addr":"vm:5628","instanceID":"bfe2"}},
{"id":"01936f0a-7a3e-7cc1-b6b1-2f8a4a5a1d11","timestamp":"2026-11-23T07:52:34.370922534Z","action":"delete",
 "target":{"mediaType":"","digest":"","size":0,"repository":"n/a","tag":"v1"},
 "request":{"id":"b5a9","addr":"127.0.0.1:42700","host":"127.0.0.1:5628","method":"DELETE","useragent":"lab"},
 "actor":{"name":"alice"},"source":{"addr":"vm:5628","instanceID":"bfe2"}}]}"""


@pytest.fixture(autouse=True)
def main(settings: Settings, db: None) -> Registry:
    """A registry whose secret the settings give."""
    record = RegistrySettings(name="main", url="http://127.0.0.1:9", events_token=SECRET)
    settings.REGISTRIES = {"main": record}
    ensure_registries()
    return Registry.objects.get(name="main")


@pytest.fixture
def post() -> Any:
    """Sends a body, with the secret unless told otherwise; no browser, so no cookie and no token."""
    browser = Client(enforce_csrf_checks=True)

    def send(body: bytes | str, *, secret: str = SECRET, path: str = HOOK, media_type: str = V1) -> Any:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return browser.post(path, body, content_type=media_type, headers=headers)

    return send


def test_an_event_is_kept_to_be_applied(post: Any, main: Registry) -> None:
    at = datetime(2026, 11, 23, 7, 52, 34, 370722, tzinfo=UTC)
    sent = event("push", "team/app", tag="v1", digest=D, at=at, actor="bob", uid="0785")
    assert post(envelope([sent])).status_code == 202
    row = Event.objects.get()
    assert (row.registry, row.uid, row.action) == ("main", "0785", "push")
    assert (row.repository, row.tag, row.digest) == ("team/app", "v1", D)
    assert row.at == at, "nanoseconds are cut off"
    assert (row.actor, row.address, row.method) == ("bob", "192.0.2.7", "PUT")
    assert row.applied_at is None
    main.refresh_from_db()
    assert main.events_at == main.events_since == row.received_at


def test_both_media_types_and_many_events_come_in_one_body(post: Any) -> None:
    assert post(V3_DELETE % D, media_type=V2).status_code == 202
    first, second = Event.objects.order_by("pk")
    assert (first.action, first.tag, first.digest) == ("delete", "", D)
    assert (second.action, second.tag, second.digest, second.actor) == ("delete", "v1", "", "alice")


def test_an_event_sent_twice_is_kept_once(post: Any) -> None:
    sent = [event("push", "team/app", tag=str(n), digest=D) for n in range(3)]
    post(envelope(sent[:2]))
    assert post(envelope(sent)).status_code == 202
    assert post(envelope([sent[0], sent[0]])).status_code == 202
    assert Event.objects.count() == 3


@pytest.mark.parametrize("secret", ["", "wrong", "a-secret-of-the-test", "ä", SECRET.upper()])
def test_without_the_secret_nothing_is_kept(post: Any, secret: str) -> None:
    answer = post(envelope([event("push", "team/app", tag="v1", digest=D)]), secret=secret)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert not Event.objects.exists()


def test_basic_credentials_are_no_secret(post: Any) -> None:
    answer = Client().post(HOOK, b"{}", content_type=V1, headers={"Authorization": f"Basic {SECRET}"})
    assert answer.status_code == 401


def test_a_registry_without_any_secret_takes_nothing(post: Any, settings: Settings) -> None:
    settings.REGISTRIES = {"main": RegistrySettings(name="main", url="http://127.0.0.1:9")}
    for secret in ("", "None", SECRET):
        assert post(envelope([]), secret=secret).status_code == 401


def test_a_secret_that_regui_made_is_known_by_its_hash(post: Any, settings: Settings, main: Registry) -> None:
    settings.REGISTRIES = {"main": RegistrySettings(name="main", url="http://127.0.0.1:9")}
    Registry.objects.update(events_token=inbox.hashed("made"))
    assert post(envelope([]), secret="made").status_code == 202
    assert post(envelope([]), secret=inbox.hashed("made")).status_code == 401


def test_the_settings_secret_is_the_only_one_when_there_is_one(post: Any) -> None:
    Registry.objects.update(events_token=inbox.hashed("made"))
    assert post(envelope([]), secret="made").status_code == 401


@pytest.mark.parametrize("name", ["other", "", "main/", "main/x", "MAIN", "%00"])
def test_nobody_without_a_secret_learns_which_registries_there_are(post: Any, name: str) -> None:
    unknown = post(envelope([]), path=f"/hooks/{name}")
    wrong = post(envelope([]), secret="wrong")
    assert (
        (unknown.status_code, unknown.content) == (wrong.status_code, wrong.content) == (401, wrong.content)
    )


def test_other_methods_are_refused() -> None:
    answer = Client().get(HOOK)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


GARBAGE = [
    b"garbage",
    b"[]",
    b"null",
    b"{}",
    b'{"events": {}}',
    b'{"events": null}',
    b"\xff\xfe",
    b"[" * 50_000,
    b'{"events": [' + b"9" * 5000 + b"]}",
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_list_of_events_is_garbage(post: Any, body: bytes) -> None:
    assert post(body).status_code == 400


def test_a_body_of_unknown_length_is_refused(post: Any) -> None:
    assert post(b"").status_code == 411


def test_a_huge_body_is_refused_before_it_is_read(post: Any) -> None:
    assert post(b" " * ((1 << 20) + 1)).status_code == 413


def test_senseless_events_are_left_out_and_sound_ones_kept(post: Any) -> None:
    """A registry would send all of them again, for ever, and nothing after them."""
    sound = event("push", "team/app", tag="v1", digest=D)
    senseless: list[Any] = [
        None,
        7,
        "push",
        [],
        {},
        {"action": "push"},
        {"action": "push", "target": []},
        sound | {"action": "explode"},
        sound | {"action": ["push"]},
        event("push", "Team/App", tag="v1", digest=D),
        event("push", "a" * 256, tag="v1", digest=D),
        event("push", "../../etc", tag="v1", digest=D),
        event("push", "team/app", tag="-v1", digest=D),
        event("push", "team/app", tag="v" * 129, digest=D),
        event("push", "team/app", tag="v1", digest="sha256:zz"),
        event("push", "team/app", tag="v1"),
        event("delete", "team/app"),
        {"action": "push", "target": {"repository": {"a": 1}, "digest": D, "tag": "v1"}},
    ]
    assert post(envelope([*senseless, sound])).status_code == 202
    assert Event.objects.get().tag == "v1"


def test_hostile_values_are_bounded(post: Any) -> None:
    one = event("push", "team/app", tag="v1", digest=D, uid="x" * 5000, actor="b\0b\ud800" + "o" * 5000)
    one["request"] |= {"addr": "1" * 5000, "method": "PUT" * 1000}
    one["target"]["mediaType"] = "m" * 5000
    two = event("push", "team/app", tag="v2", digest=D, uid="") | {"id": {"not": "text"}}
    body = json.dumps({"events": [one, one, two, two], "more": "ignored"})
    assert post(body).status_code == 202
    first, second = Event.objects.order_by("pk")
    assert len(first.uid) <= 128
    assert len(first.media_type) == 255
    assert "\0" not in first.actor
    assert len(first.actor) == 255
    assert second.uid.startswith("sha256:")


@pytest.mark.parametrize(
    "stamp",
    ["", "yesterday", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-13-45T00:00:00Z", "1" * 900],
)
def test_a_moment_that_cant_be_is_now(stamp: str) -> None:
    now = timezone.now()
    assert inbox.moment(stamp, now) == now


def test_moments_are_read_in_any_zone_and_precision() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert inbox.moment("2026-11-23T12:00:00Z", now) == noon
    assert inbox.moment("2026-11-23T14:00:00+02:00", now) == noon
    assert inbox.moment("2026-11-23T12:00:00.5Z", now) == noon + timedelta(milliseconds=500)
    assert inbox.moment("2026-11-23T12:00:00.123456789Z", now) == noon + timedelta(microseconds=123456)


def test_mounts_blobs_and_reguis_own_reads_are_taken_and_dropped(post: Any, main: Registry) -> None:
    sent = [
        event("mount", "team/app", digest=D, media_type="application/octet-stream"),
        event("push", "team/app", digest=D, media_type="application/octet-stream"),
        event("pull", "team/app", digest=D, media_type="application/octet-stream"),
        event("pull", "team/app", tag="v1", digest=D, agent="regui/0.1.0"),
    ]
    assert post(envelope(sent)).status_code == 202
    assert not Event.objects.exists()
    main.refresh_from_db()
    assert main.events_at is not None, "they show all the same that events arrive"


def test_a_list_of_no_events_says_nothing_of_events_that_arrive(post: Any, main: Registry) -> None:
    assert post(envelope([])).status_code == 202
    main.refresh_from_db()
    assert (main.events_at, main.events_since) == (None, None)


@pytest.mark.parametrize("depth", [300, 990, 5000])
def test_an_event_nested_deeply_is_no_trouble(post: Any, depth: int) -> None:
    sent = event("push", "team/app", tag="v1", digest=D, actor="bob") | {"id": "", "deep": "DEEP"}
    body = envelope([sent]).replace(b'"DEEP"', b"[" * depth + b"]" * depth)
    status = post(body).status_code  # 400 when it is too deep for JSON itself
    assert status in {202, 400}
    assert post(body).status_code == status
    assert Event.objects.count() == (status == 202)


def test_events_without_an_id_are_told_apart_by_what_they_say(post: Any) -> None:
    at = timezone.now()
    sent = [event("push", "team/app", tag=tag, digest=D, at=at) | {"id": ""} for tag in ("v1", "v2", "v1")]
    post(envelope(sent))
    assert post(envelope(sent)).status_code == 202
    assert sorted(Event.objects.values_list("tag", flat=True)) == ["v1", "v2"]


def test_reguis_own_deletes_are_kept(post: Any) -> None:
    post(envelope([event("delete", "team/app", digest=D, agent="regui/0.1.0")]))
    assert Event.objects.count() == 1


def test_it_works_under_the_name_the_registry_knows(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["regui.example.com"]
    headers = {"Authorization": f"Bearer {SECRET}", "Host": "regui:8000"}
    answer = Client().post(HOOK, envelope([]), content_type=V1, headers=headers)
    assert answer.status_code == 202


def test_storing_costs_few_queries(
    post: Any, main: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Registry.objects.update(events_at=timezone.now() + timedelta(minutes=1))
    body = envelope([event("push", "team/app", tag=str(n), digest=D) for n in range(20)])
    with django_assert_num_queries(4):  # the registry's row, and one insert in a transaction of the test's
        assert post(body).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_what_comes_at_once_is_stored_together_and_whole(main: Registry) -> None:
    """Ten threads send each of their events twice."""
    now, errors = timezone.now(), list[Exception]()

    def send(number: int) -> None:
        try:
            for turn in range(5):
                told = [event("push", "team/app", tag=f"{number}-{turn}", digest=D, uid=f"{number}-{turn}")]
                inbox.store(main, told, now)
                inbox.store(main, told, now)
        except DatabaseError as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=[number]) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Event.objects.count() == 50


def test_what_was_not_written_with_others_is_written_alone(main: Registry) -> None:
    """What can't be written fails who takes it along, once, and nobody after that."""
    now = timezone.now()
    told = [event("push", "team/app", tag="1", digest=D)]
    inbox._arrivals.append(inbox.Arrival(main, [None], now))  # type: ignore[list-item]
    with pytest.raises(AttributeError):
        inbox.store(main, told, now)
    assert not Event.objects.exists()
    inbox.store(main, told, now)
    assert Event.objects.count() == 1
    assert not inbox._arrivals


def test_addresses_come_without_port() -> None:
    assert inbox.host("192.0.2.7:42700") == "192.0.2.7"
    assert inbox.host("[2001:db8::1]:42700") == "2001:db8::1"
    assert inbox.host("2001:db8::1") == "2001:db8::1"
    assert inbox.host("192.0.2.7") == "192.0.2.7"
    assert inbox.host("") == ""


def test_who_is_wrong_about_the_secret_too_often_has_to_wait(post: Any) -> None:
    for _ in range(20):
        assert post(envelope([]), secret="a guess").status_code == 401

    answer = post(envelope([]), secret="a guess")

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert post(envelope([]), path="/hooks/nothing").status_code == 429, "neither may it look for names"


def test_guessing_names_counts_too(post: Any) -> None:
    for number in range(20):
        assert post(envelope([]), path=f"/hooks/guess-{number}").status_code == 401

    assert post(envelope([]), secret="a guess").status_code == 429


def test_the_right_secret_is_never_limited(post: Any, main: Registry) -> None:
    """Another registry behind the same proxy may have a wrong one."""
    for _ in range(30):
        post(envelope([]), secret="a guess")

    for number in range(100):
        sent = event("push", "team/app", tag="v1", digest=D, uid=str(number))
        assert post(envelope([sent])).status_code == 202

    assert Event.objects.count() == 100
