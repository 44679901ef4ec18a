"""Ways around what somebody may, by the API: others' plans, actions and cursors, sources that are hidden, and
addresses that are none."""

from typing import Any

import pytest

from tests.api.test_matrix import send
from tests.matrix import ALL_ADMIN, EVERYBODY, FOREIGN, GHOST, OWN
from tests.world import NO_ACTION, World, told, world  # noqa: F401 — one is a fixture

pytestmark = pytest.mark.django_db
# fixtures are called like the arguments that ask for them
# ruff: noqa: F811

PEOPLE = {str(who): who for who in EVERYBODY}
MINE, THEIRS, NOBODYS = (where["repository"].repository for where in (OWN, FOREIGN, GHOST))
UNTAG = {"kind": "untag", "registry": "main", "repository": MINE, "tags": ["1.0"]}


def post(world: World, name: str, address: str, body: Any) -> Any:
    return send(world.browser(PEOPLE[name]), "POST", f"/api/v1{address}", body)


def get(world: World, name: str, address: str) -> Any:
    return send(world.browser(PEOPLE[name]), "GET", f"/api/v1{address}")


@pytest.mark.parametrize("address", ["/nothing", "/", "/registries/", "/registries/main/", "/actions/a/b"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_to_a_visitor_all_addresses_are_alike(world: World, method: str, address: str) -> None:
    known = get(world, "visitor", "/registries")
    answer = send(world.browser(PEOPLE["visitor"]), method, f"/api/v1{address}")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json() == known.json()
    assert get(world, "stranger", address).status_code == 404


@pytest.mark.parametrize("address", ["/plans", "/actions"])
@pytest.mark.parametrize("where", ["source", "target"])
def test_nothing_is_copied_from_or_to_where_somebody_may_not_look(
    world: World, address: str, where: str
) -> None:
    answers = []
    with world.untouched("copying"):
        for registry, name in (("main", THEIRS), ("main", NOBODYS), ("beyond", MINE), ("absent", MINE)):
            there, mine = f"{registry}/{name}", f"main/{MINE}"
            source, target = (there, ["main", MINE]) if where == "source" else (mine, [registry, name])
            asked: dict[str, Any] = {"source": source, "reference": "1.0", "tags": ["3.0"]}
            body: dict[str, Any] = {"kind": "copy", "registry": target[0], "repository": target[1]}
            body |= asked if address == "/plans" else {"asked": asked, "fingerprint": "x"}
            answers.append(post(world, "team-admin", address, body))
    assert [answer.status_code for answer in answers] == [404] * 4
    assert told(answers[0], THEIRS) == told(answers[1], NOBODYS)
    assert told(answers[2], "beyond") == told(answers[3], "absent")


def test_a_plan_whose_repository_was_swapped_is_another_plan(world: World) -> None:
    planned = post(world, str(ALL_ADMIN), "/plans", UNTAG | {"repository": THEIRS}).json()
    assert planned["check"]["complete"]
    before = world.state()["Action"]
    answer = post(world, "team-maintainer", "/actions", planned | {"repository": MINE})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale")
    assert THEIRS not in answer.text
    assert world.digests[THEIRS] not in answer.text
    assert world.state()["Action"] == before


def test_an_undo_is_of_the_action_s_own_repository_wherever_it_says_it_is(world: World) -> None:
    body = {"kind": "undo", "registry": "main", "repository": MINE}
    for address in ("/plans", "/actions"):
        answers = []
        with world.untouched("undo"):
            for pk in (world.done[THEIRS], NO_ACTION):
                asked: dict[str, Any] = {"action": pk}
                sent = asked if address == "/plans" else {"asked": asked, "fingerprint": "x"}
                answers.append(post(world, "team-admin", address, body | sent))
        assert [answer.status_code for answer in answers] == [404, 404]
        assert told(answers[0], world.done[THEIRS]) == told(answers[1], NO_ACTION)


@pytest.mark.parametrize(
    "name",
    [
        "team/../secret/app",
        "team/./app",
        "team//app",
        "team/app/",
        "team%2Fapp",
        "team/APP",
        "",
        "team/\u202eapp",
    ],
)
def test_no_name_in_a_body_means_another_repository(world: World, name: str) -> None:
    with world.untouched(name):
        for body in (UNTAG | {"repository": name}, UNTAG | {"registry": name}):
            assert post(world, "team-admin", "/plans", body).status_code in {404, 422}


def test_somebody_else_s_cursor_leads_to_nothing_more(world: World) -> None:
    address = "/registries/main/repositories?limit=1"
    first = get(world, "all-reader", address).json()
    assert [item["name"] for item in first["items"]] == [THEIRS]
    rest = get(world, "team-reader", f"{address}&cursor={first['next']}").json()
    assert ([item["name"] for item in rest["items"]], rest["next"]) == ([MINE], None)
    assert [item["name"] for item in get(world, "team-reader", address).json()["items"]] == [MINE]
