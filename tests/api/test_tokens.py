"""Tokens in requests: whose they are, what they give and no more, and what a wrong one comes to."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui.accounts import tokens
from regui.accounts.access import Actor, Role
from regui.accounts.models import Token, User
from regui.actions import plans
from regui.actions.models import Action
from regui.index import connect
from regui.index.connect import ensure_registries
from regui.index.models import Registry
from regui.registries import RegistrySettings
from tests import factories
from tests.api.calling import JSON, Caller
from tests.people import SignedIn, grant, person, token
from tests.registry import RunningRegistry

READER, DEVELOPER, MAINTAINER = Role.READER, Role.DEVELOPER, Role.MAINTAINER


@pytest.fixture(autouse=True)
def place(registry: RunningRegistry, settings: Settings, db: None) -> Iterator[Registry]:
    """A real registry with two namespaces, each with a repository that was read; and no other right than
    those of tokens."""
    settings.REGISTRIES = {"main": RegistrySettings("main", registry.url)}
    settings.ANONYMOUS_ROLE = "none"
    ensure_registries()
    registry.wipe()
    for name in ("team/app", "shop/app"):
        registry.push(name, tags=["1.0", "latest"])
    row = Registry.objects.get(name="main")
    for name in ("team/app", "shop/app"):
        shelf = factories.repository(name, of=row)
        factories.tag(shelf, "1.0", factories.manifest(shelf))
    yield row
    connect.close()


def caller(role: Role, pattern: str = "team/**", owner: User | None = None, **scope: Any) -> Caller:
    """A program with a token of that scope."""
    return Caller(token=token(role, pattern, owner=owner, **scope))


def problem(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["error"]["code"]


# Each route, by role and pattern

Address = Callable[[str], str]


def below(rest: str = "") -> Address:
    return lambda name: f"/registries/main/repositories/{name}{rest}"


READS = [below(), below("/-/tags"), below("/-/tags/1.0"), below("/-/manifests"), below("/-/history")]
PUSHES = [
    {"kind": plans.RETAG, "reference": "1.0", "tags": ["2.0"]},
    {"kind": plans.COPY, "source": "main/{name}", "reference": "1.0", "tags": ["3.0"]},
]
DELETES: list[dict[str, Any]] = [
    {"kind": plans.UNTAG, "tags": ["1.0"]},
    {"kind": plans.DELETE_TAGS, "tags": ["1.0"]},
    {"kind": plans.DELETE_UNTAGGED},
    {"kind": plans.DELETE_REPOSITORY},
]


def wish(part: dict[str, Any], name: str) -> dict[str, Any]:
    whole = {"registry": "main", "repository": name} | part
    return whole | ({"source": str(part["source"]).format(name=name)} if "source" in part else {})


@pytest.mark.parametrize("owned", [False, True], ids=["robot", "personal"])
@pytest.mark.parametrize("role", [READER, DEVELOPER, MAINTAINER])
def test_a_token_gives_its_role_in_its_pattern_and_nothing_elsewhere(owned: bool, role: Role) -> None:
    bob = person("bob") if owned else None
    if bob:
        grant(Role.ADMIN, user=bob)
    program = caller(role, owner=bob)
    for address in READS:
        assert program.get(address("team/app")).status_code == 200, address("team/app")
        assert problem(program.get(address("shop/app"))) == (404, "not-found"), address("shop/app")
    for parts, may in ((PUSHES, role is not READER), (DELETES, role is MAINTAINER)):
        for part in parts:
            answer = program.post("/plans", wish(part, "team/app"))
            expected = 200 if may else 403
            assert answer.status_code == expected, (part, answer.content)
            assert problem(program.post("/plans", wish(part, "shop/app"))) == (404, "not-found"), part
    # All of a registry is more than a pattern of it.
    assert problem(program.post("/registries/main/sync")) == (403, "forbidden")


def test_lists_and_finds_hold_what_the_scope_covers() -> None:
    program = caller(READER)
    assert [one["name"] for one in program.get("/registries").json()["items"]] == ["main"]
    names = [one["name"] for one in program.get("/registries/main/repositories").json()["items"]]
    assert names == ["team/app"]
    found = program.get("/search", {"q": "app"}).content.decode()
    assert "team/app" in found
    assert "shop" not in found
    admin = caller(Role.ADMIN, "**", name="all")
    for name in ("team/app", "shop/app"):
        planned = admin.post("/plans", wish(DELETES[0], name)).json()
        assert admin.post("/actions", planned).status_code == 202
    listed = program.get("/actions").json()["items"]
    assert [one["repository"] for one in listed] == ["team/app"]
    for action in Action.objects.all():
        hidden = action.repository != "team/app"
        for rest in ("", "/plan", "/items"):
            answer = program.get(f"/actions/{action.pk}{rest}")
            assert answer.status_code == (404 if hidden else 200), rest
        stopped = program.post(f"/actions/{action.pk}/stop")
        assert problem(stopped) == ((404, "not-found") if hidden else (403, "forbidden"))
    assert not Action.objects.exclude(state=Action.State.WAITING).exists()


def test_a_scope_of_another_registry_sees_nothing_of_this_one() -> None:
    program = caller(Role.ADMIN, "**", registry="other")
    assert program.get("/registries").json()["items"] == []
    assert problem(program.get("/registries/main")) == (404, "not-found")
    assert problem(program.get("/registries/main/repositories/team/app")) == (404, "not-found")


def test_an_action_carries_the_token_s_name_and_is_carried_out() -> None:
    program = caller(MAINTAINER, name="nightly")
    planned = program.post("/plans", wish(DELETES[0], "team/app")).json()
    answer = program.post("/actions", planned)
    assert answer.status_code == 202, answer.content
    assert Action.objects.get().actor == "robot:nightly"
    assert Action.objects.get().address == "127.0.0.1"


def test_a_plan_of_one_who_may_is_no_use_to_one_who_may_not() -> None:
    planned = caller(MAINTAINER).post("/plans", wish(DELETES[0], "team/app")).json()
    assert problem(caller(READER, name="a").post("/actions", planned)) == (403, "forbidden")
    assert problem(caller(MAINTAINER, "shop/**", name="b").post("/actions", planned)) == (404, "not-found")
    assert not Action.objects.exists()


def test_copying_takes_seeing_the_one_and_setting_tags_of_the_other() -> None:
    copy = {"kind": plans.COPY, "registry": "main", "reference": "1.0", "tags": ["1.0"]}
    own = copy | {"repository": "team/copy", "source": "main/shop/app"}
    assert problem(caller(Role.ADMIN).post("/plans", own)) == (404, "not-found")
    foreign = copy | {"repository": "shop/copy", "source": "main/team/app"}
    assert problem(caller(Role.ADMIN, name="b").post("/plans", foreign)) == (404, "not-found")


def test_the_token_of_who_may_nothing_is_not_asked_for_another() -> None:
    program = caller(READER, "**", owner=person("charlie"))
    assert program.get("/registries").json()["items"] == []
    assert problem(program.get("/registries/main")) == (404, "not-found")
    assert problem(program.post("/plans", wish(DELETES[0], "team/app"))) == (404, "not-found")


def test_a_token_costs_two_queries_and_a_write_a_minute(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    bob = person("bob")
    grant(READER, "team/**", user=bob)
    program = caller(READER, owner=bob)
    assert program.get("/registries").status_code == 200
    assert Token.objects.get().used_from == "127.0.0.1"
    with django_assert_num_queries(4):  # and the registries, and the sums of what its owner sees of one
        program.get("/registries")


# What opens nothing


def bad(secret: str) -> list[str]:
    """Values of the header that say a token which opens nothing."""
    return [
        f"Bearer {secret[:-1]}",
        f"bearer {secret}x",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        f"Bearer x,{secret}",
    ]


def test_a_bad_token_is_401_and_never_taken_for_none(settings: Settings) -> None:
    secret = token(Role.ADMIN)
    rich = SignedIn("alice", (Role.ADMIN, "**"))
    for header in bad(secret):
        cache.clear()  # or so many would be held off
        for role in ("none", "admin"):
            answer = Caller(role).get("/registries", Authorization=header)
            assert problem(answer) == (401, "invalid-token"), header
            assert 'error="invalid_token"' in answer["WWW-Authenticate"]
            assert answer["WWW-Authenticate"].startswith("Bearer realm=")
            posted = Caller(role).post("/registries/main/sync", Authorization=header)
            assert problem(posted) == (401, "invalid-token")
        answer = rich.get("/api/v1/registries", headers={"Authorization": header})
        assert answer.status_code == 401, "a session doesn't help"
    assert Caller("none").get("/registries", Authorization=f"bEARER  {secret}").status_code == 200


def test_what_was_revoked_is_401_from_then_on() -> None:
    program = caller(READER)
    assert program.get("/registries").status_code == 200
    tokens.revoke(Token.objects.get(), Actor("alice"), timezone.now())
    assert problem(program.get("/registries")) == (401, "invalid-token")


def test_that_of_a_person_who_was_disabled_is_401() -> None:
    bob = person("bob")
    program = caller(READER, owner=bob)
    assert program.get("/registries").status_code == 200
    User.objects.update(is_active=False)
    assert problem(program.get("/registries")) == (401, "invalid-token")


def test_a_bad_token_is_told_before_what_there_is() -> None:
    for address in ("/nothing", "/openapi.json", "/registries/other"):
        answer = Caller("admin").get(address, Authorization="Bearer regui_nothing")
        assert problem(answer) == (401, "invalid-token")


def test_the_secret_of_a_bad_token_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    Caller("none").get("/registries", Authorization="Bearer regui_wrongwrongwrong")
    assert "refused a token from 127.0.0.1" in caplog.text
    assert "wrongwrong" not in caplog.text


def test_who_is_wrong_too_often_is_held_off_and_who_is_right_never() -> None:
    program = caller(READER)
    wrong = {"Authorization": "Bearer regui_nothing"}
    with CaptureQueriesContext(connection) as asked:
        answers = [Client().get("/api/v1/registries", headers=wrong) for _ in range(25)]
    codes = [problem(answer) for answer in answers]
    assert codes == [(401, "invalid-token")] * 20 + [(429, "too-many-requests")] * 5
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert not [one for one in asked if not one["sql"].startswith("SELECT")]
    assert program.get("/registries").status_code == 200
    elsewhere = Client(REMOTE_ADDR="192.0.2.9").get("/api/v1/registries", headers=wrong)
    assert problem(elsewhere) == (401, "invalid-token")


def test_other_ways_to_say_who_one_is_are_not_ours() -> None:
    answer = Caller("reader").get("/registries", Authorization="Basic Ym9iOmJvYg==")
    assert answer.status_code == 200
    assert problem(Caller("none").get("/registries", Authorization="Basic Ym9iOmJvYg==")) == (
        401,
        "unauthorized",
    )


def test_pages_take_no_token() -> None:
    header = {"Authorization": f"Bearer {token(Role.ADMIN, '**')}"}
    for address in ("/main/", "/-/activity/", "/-/settings/", "/-/account/tokens/", "/-/access/robots/"):
        answer = Client().get(address, headers=header)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/-/account/sign-in/"), address
    assert Token.objects.get().used_at is None


# Which browsers are let in


def test_a_program_with_a_token_needs_not_say_where_it_comes_from() -> None:
    program = caller(Role.ADMIN, "**")
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for headers in ({}, evil):
        assert program.post("/registries/main/sync", **headers).status_code == 202
    assert program.send("POST", "/registries/main/sync", body="", content_type="").status_code == 202
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = program.send("POST", "/registries/main/sync", body="{}", content_type=kind)
        assert problem(answer) == (415, "not-json")


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Origin": "http://testserver"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "https://regui.example"}, True),
        ({}, False),
        ({"Referer": "http://testserver/main/"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "http://testserver.evil.example"}, False),
        ({"Origin": "http://testserver:8000"}, False),
        ({"Origin": "https://testserver"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"}, False),
        ({"Sec-Fetch-Site": "SAME-ORIGIN", "Origin": "https://evil.example"}, False),
    ],
)
def test_who_has_signed_in_changes_things_from_regui_s_own_pages_only(
    settings: Settings, headers: dict[str, str], allowed: bool
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://regui.example"]
    alice = SignedIn("alice", (Role.ADMIN, "**"), enforce_csrf_checks=True)
    answer = alice.post("/api/v1/registries/main/sync", content_type=JSON, headers=headers)
    if allowed:
        assert answer.status_code == 202
    else:
        assert problem(answer) == (403, "cross-site")


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/json"],
)
def test_what_a_form_sends_is_not_taken_from_a_browser_either(kind: str) -> None:
    alice = SignedIn("alice", (Role.ADMIN, "**"), enforce_csrf_checks=True)
    body = json.dumps(wish(DELETES[0], "team/app"))
    for headers in ({"Origin": "http://testserver"}, {"Origin": "https://evil.example"}, {}):
        answer = alice.generic("POST", "/api/v1/actions", body, kind, headers=headers)
        assert problem(answer) == (415, "not-json")
    assert not Action.objects.exists()


def test_who_has_signed_in_reads_with_what_they_were_granted() -> None:
    bob = SignedIn("bob", (READER, "team/**"))
    assert bob.get("/api/v1/registries/main/repositories/team/app").status_code == 200
    assert problem(bob.get("/api/v1/registries/main/repositories/shop/app")) == (404, "not-found")
    cross = bob.get("/api/v1/registries", headers={"Origin": "https://evil.example"})
    assert not [name for name in cross.headers if name.startswith("Access-Control")]


# The description


def test_the_description_tells_how_one_says_who_one_is(settings: Settings) -> None:
    schema = Caller("none").get("/openapi.json").json()
    ways = schema["components"]["securitySchemes"]
    assert (ways["token"]["type"], ways["token"]["scheme"]) == ("http", "bearer")
    assert (ways["session"]["in"], ways["session"]["name"]) == ("cookie", settings.SESSION_COOKIE_NAME)
    assert {"token": []} in schema["security"]
