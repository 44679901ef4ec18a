"""What is refused: in one shape, with a status that tells the truth, and to whom it has to be."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.actions.models import Action
from regui.index import connect
from regui.index.models import Registry, Repository
from tests import factories, images
from tests.api.calling import Caller
from tests.fake import Fake
from tests.index.conftest import registered
from tests.memory import Out

PLACE = "/registries/main/repositories/team/app"
NOWHERE = "/registries/other/repositories/team/app"


@pytest.fixture(autouse=True)
def shelf(settings: Settings, db: None) -> Iterator[Repository]:
    """A repository that was read, of a registry that doesn't answer."""
    registered(settings, "http://127.0.0.1:9")
    Registry.objects.update(listed_at=factories.NOW)
    shelf = factories.repository("team/app", tag_count=1)
    factories.tag(shelf, "1.0", factories.manifest(shelf))
    yield shelf
    connect.close()


def problem(answer: Any) -> tuple[int, str]:
    """Status and code, of an answer that is in the one shape."""
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "hint", "details"}
    assert body["error"]["message"]
    assert body["error"]["hint"]
    return answer.status_code, body["error"]["code"]


# By status


def test_what_is_not_there_is_404(alice: Caller) -> None:
    for address in ("/nothing", "/", "/registries/", NOWHERE, "/actions/0123", f"{PLACE}/-/nothing"):
        assert problem(alice.get(address)) == (404, "not-found"), address


def test_no_page_answers_where_the_slash_is_missing_or_too_many(alice: Caller) -> None:
    assert problem(alice.get("/registries/main/repositories/")) == (404, "not-found")
    assert problem(alice.get("/registries/main/repositories/-/tags")) == (404, "not-found")
    assert problem(alice.get("/registries/main/repositories/Team/-/tags")) == (404, "not-found")


def test_a_wrong_method_is_405_and_says_which_is_right(alice: Caller) -> None:
    answer = alice.post("/registries")
    assert problem(answer) == (405, "method-not-allowed")
    assert answer["Allow"] == "GET"
    assert problem(alice.send("DELETE", f"{PLACE}/-/tags/1.0"))[0] == 405
    assert problem(alice.send("PUT", "/plans"))[0] == 405
    assert problem(alice.send("OPTIONS", "/plans"))[0] == 405, "no other site is let in"


def test_a_body_that_is_no_json_is_400(alice: Caller) -> None:
    assert problem(alice.post("/plans", "{")) == (400, "bad-request")
    assert problem(alice.post("/plans", "[" * 100_000)) == (400, "bad-request")


def test_a_body_that_says_nothing_of_use_is_422_and_where(alice: Caller) -> None:
    bodies: list[Any] = [None, [], "null", '"x"', {"kind": 3}, {"kind": "untag", "tag": "a"}]
    for body in bodies:
        answer = alice.post("/plans", body)
        assert problem(answer) == (422, "invalid"), body
        assert answer.json()["error"]["details"][0]["where"].startswith("body")
    surrogate = '{"kind": "untag", "registry": "main", "repository": "\\ud800", "tags": ["a"]}'
    assert problem(alice.post("/plans", surrogate)) == (422, "invalid")
    nul = {"kind": "untag", "registry": "ma\0in", "repository": "team/app", "tags": ["a"]}
    assert problem(alice.post("/plans", nul)) == (422, "invalid")
    broken = {"kind": "untag", "registry": "main", "repository": "team/app", "fingerprint": "x"}
    wrong: list[Any] = [{"tags": 5}, {"tags": [{}]}, [], "x", {"tags": ["1.0"], "digest": 1}]
    for asked in wrong:
        assert problem(alice.post("/actions", {**broken, "asked": asked})) == (422, "invalid")


def test_a_body_that_is_too_large_is_413(alice: Caller, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert problem(alice.post("/actions", {"kind": "x" * 2000})) == (413, "too-large")


def test_a_host_that_is_not_ours_is_400(alice: Caller) -> None:
    assert problem(alice.get("/registries", Host="evil.example")) == (400, "bad-request")


def test_a_failure_of_ours_is_500_and_says_nothing_of_it(alice: Caller) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE index_registry RENAME TO elsewhere")
    try:
        answer = alice.get("/registries")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO index_registry")
    assert problem(answer) == (500, "failed")
    assert "index_registry" not in answer.content.decode()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (500, (502, "unavailable")),
        (401, (502, "unauthorized")),
        (403, (403, "denied")),
        (429, (503, "too-many-requests")),
    ],
)
def test_a_registry_s_error_is_told_by_its_code(
    alice: Caller, settings: Settings, status: int, told: tuple[int, str]
) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
        for method in ("GET", "HEAD"):
            fake.on(method, ".*", Out(status, b"{}", (("Retry-After", "7"),)))
        answer = alice.get(f"{PLACE}/-/tags/2.0")
    assert problem(answer) == told
    if status == 429:
        assert int(answer["Retry-After"]) <= 7


def test_a_registry_that_is_away_is_502_only_where_nothing_is_remembered(alice: Caller) -> None:
    assert problem(alice.get(f"{PLACE}/-/tags/2.0")) == (502, "unreachable")
    untag = {"kind": "untag", "registry": "main", "repository": "team/app", "tags": ["1.0"]}
    planned = alice.post("/plans", untag).json()
    assert not planned["check"]["complete"]
    assert planned["check"]["problem"]
    assert problem(alice.post("/actions", planned)) == (409, "unchecked")
    assert alice.get(f"{PLACE}/-/tags").status_code == 200
    assert alice.get(PLACE).status_code == 200


def test_what_could_not_be_looked_at_is_not_changed(alice: Caller, settings: Settings) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
        with oci.Client(fake.url) as client:
            digest = images.push(client, "team/new", images.image(), ["1.0"])
        wish = {"kind": "delete-digest", "registry": "main", "repository": "team/new", "digest": digest}
        planned = alice.post("/plans", wish).json()
        assert planned["check"]["complete"]
        fake.on("GET", ".*/tags/list", Out(500, b"{}"))
        answer = alice.post("/actions", planned)
        assert problem(answer) == (409, "unchecked")
        assert not answer.json()["error"]["details"]["plan"]["check"]["complete"]
        assert digest in fake.memory.repositories["team/new"].manifests
    assert not Action.objects.exists()


# By right

READS = [
    "/registries",
    "/registries/main",
    "/registries/main/sync",
    "/registries/main/repositories",
    PLACE,
    f"{PLACE}/-/tags",
    f"{PLACE}/-/tags/1.0",
    f"{PLACE}/-/manifests",
    f"{PLACE}/-/manifests/{oci.Digest.of(b'x')}",
    f"{PLACE}/-/history",
    "/search?q=x",
    "/actions",
    "/actions/0123",
    "/actions/0123/plan",
    "/actions/0123/items",
    f"{NOWHERE}/-/tags",
]
WISH = {"kind": "untag", "registry": "main", "repository": "team/app", "tags": ["1.0"]}
WRITES = [
    ("/plans", WISH),
    ("/plans", WISH | {"kind": "retag", "reference": "1.0"}),
    ("/plans", WISH | {"kind": "delete-repository"}),
    ("/actions", WISH | {"tags": None, "asked": {"tags": ["1.0"]}, "fingerprint": "x"}),
    ("/registries/main/sync", None),
    ("/actions/0123456789abcdef/stop", None),
    ("/plans", {"kind": "undo", "action": "0123456789abcdef"}),
]


@pytest.fixture
def action(db: None) -> Action:
    return Action.objects.create(
        pk="0123456789abcdef",
        registry="main",
        repository="team/app",
        kind="untag",
        state=Action.State.WAITING,
        started_at=timezone.now(),
    )


@pytest.mark.parametrize("address", READS)
def test_a_visitor_learns_nothing_not_even_what_there_is(db: None, address: str) -> None:
    answer = Caller("none").get(address)
    assert problem(answer) == (401, "unauthorized")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("address", "body"), WRITES)
def test_who_changes_things_has_to_have_the_right(
    bob: Caller, charlie: Caller, action: Action, address: str, body: Any
) -> None:
    assert problem(Caller("none").post(address, body)) == (401, "unauthorized")
    assert problem(Caller("reader").post(address, body)) == (401, "unauthorized")
    assert problem(charlie.post(address, body)) == (404, "not-found")
    assert problem(bob.post(address, body)) == (403, "forbidden")
    action.refresh_from_db()
    assert action.state == Action.State.WAITING


def test_what_a_reader_may_not_see_is_not_found_whoever_asks(bob: Caller) -> None:
    wish = WISH | {"registry": "other"}
    assert problem(bob.post("/plans", wish)) == (404, "not-found")


# By where it comes from


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://testserver"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://regui.example"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"}, False),
    ],
)
def test_a_page_of_another_site_changes_nothing(
    alice: Caller, settings: Settings, headers: dict[str, str], allowed: bool
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://regui.example"]
    answer = alice.post("/registries/main/sync", None, **headers)
    if allowed:
        assert answer.status_code == 202
    else:
        assert problem(answer) == (403, "cross-site")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_form_can_send_is_not_taken(alice: Caller, kind: str) -> None:
    answer = alice.send("POST", "/registries/main/sync", body="{}", content_type=kind)
    assert problem(answer) == (415, "not-json")


def test_no_answer_lets_another_site_read_it(alice: Caller) -> None:
    answer = alice.get("/registries", Origin="https://evil.example")
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert not answer.cookies


def test_pages_go_by_their_own_ways(db: None) -> None:
    answer = Client().get("/api/v2/registries/")
    assert answer["Content-Type"].startswith("text/html")
