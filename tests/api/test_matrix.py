"""Every operation of the API, and who may do what by it: the table is the documentation, and an operation
without a row fails."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from regui.api.v1.urls import api, urlpatterns
from tests import matrix
from tests.matrix import ALL_ADMIN, ONE_OF_EACH, Place, Row, Verdict, outcomes, places
from tests.world import World, alike, undone, world  # noqa: F401 — one is a fixture

pytestmark = pytest.mark.django_db
# fixtures are called like the arguments that ask for them
# ruff: noqa: F811

# What each word means is said in tests/matrix.py. 409 answers a plan that comes to something else by now.
TABLE = """
# All that somebody sees; nothing, for who sees nothing
list_registries               GET    -           person      200
search_everywhere             GET    -           person      200
list_actions                  GET    -           person      200
list_in_use                   GET    -           person      200

# What runs somewhere, told by whoever may delete anything, and taken back by who may delete everything
tell_in_use                   PUT    delete      anything    200
get_in_use                    GET    see         repository  200
forget_in_use                 DELETE  delete     site        200

# A registry
get_registry                  GET    see         registry    200
list_repositories             GET    see         registry    200
get_sync                      GET    see         registry    200
start_sync                    POST   delete      registry    202

# A repository
get_repository                GET    see         repository  200
list_history                  GET    see         repository  200
list_tags                     GET    see         repository  200
get_tag                       GET    see         repository  200
list_manifests                GET    see         repository  200
get_manifest                  GET    see         repository  200

# Plans
make_plan:retag               POST   push        repository  200
make_plan:copy                POST   copy        repository  200
make_plan:untag               POST   delete      repository  200
make_plan:delete-digest       POST   delete      repository  200
make_plan:delete-tags         POST   delete      repository  200
make_plan:delete-repository   POST   delete      repository  200
make_plan:delete-untagged     POST   delete      repository  200
make_plan:restore             POST   delete      repository  200
make_plan:undo                POST   delete      repository  200

# Actions
start_action:retag              POST   push        repository  409
start_action:copy               POST   copy        repository  409
start_action:untag              POST   delete      repository  409
start_action:delete-digest      POST   delete      repository  409
start_action:delete-tags        POST   delete      repository  409
start_action:delete-repository  POST   delete      repository  409
start_action:delete-untagged    POST   delete      repository  409
start_action:restore            POST   delete      repository  409
start_action:undo               POST   delete      repository  409
get_action                    GET    see         repository  200
get_action_plan               GET    see         repository  200
list_action_items             GET    see         repository  200
stop_action                   POST   delete      repository  202
"""
ROWS = matrix.rows(TABLE)
JSON = "application/json"
# The description of the API, which tells of no registry; and the address that leads to it.
OPEN = {"openapi-json", "api-root"}
STATUSES = {Verdict.FORBIDDEN: 403, Verdict.HIDDEN: 404, Verdict.SIGN_IN: 401}
CODES = {Verdict.FORBIDDEN: "forbidden", Verdict.HIDDEN: "not-found", Verdict.SIGN_IN: "unauthorized"}
OPERATIONS = {
    operation.view_func.__name__: (path, operation.methods)
    for _, router in api._routers
    for path, view in router.path_operations.items()
    for operation in view.operations
}
ABOUT = {"stop_action": "waiting", "tell_in_use": "new"}


def address(row: Row, place: Place, world: World) -> str:
    values = world.values(place, ABOUT.get(row.address, ""))
    path, _ = OPERATIONS[row.address]
    where = re.sub(r"\{(?:\w+:)?(\w+)\}", lambda found: values[found[1]], path)
    return f"/api/v1{where}" + ("?q=app" if row.address == "search_everywhere" else "")


def wish(row: Row, place: Place, world: World) -> dict[str, Any]:
    """The change of that kind in that place, as somebody asks for it."""
    here, kind = world.values(place), row.name.partition(":")[2]
    more: dict[str, dict[str, Any]] = {
        "retag": {"reference": "1.0", "tags": ["2.0"]},
        "copy": {"source": f"main/{place.repository}", "reference": "1.0", "tags": ["2.0"]},
        "untag": {"tags": ["1.0"]},
        "delete-digest": {"digest": here["digest"]},
        "delete-tags": {"tags": ["1.0"]},
        "restore": {"digest": world.values(place, "deleted")["digest"]},
        "undo": {"action": here["pk"]},
    }
    where = {} if kind == "undo" else {"registry": place.registry, "repository": place.repository}
    return {"kind": kind, **where, **more.get(kind, {})}


def body(row: Row, place: Place, world: World, planned: Any = None) -> Any:
    """What is sent along: for a plan what is wished, to carry one out the plan, or else one that makes no
    sense."""
    if row.name == "tell_in_use":
        return {"images": []}
    if ":" not in row.name:
        return None
    wished = wish(row, place, world)
    if row.address == "make_plan":
        return wished
    confirm = {"confirm": place.repository}
    if planned:
        return planned | confirm
    where = {"registry": place.registry, "repository": place.repository, "fingerprint": "made up"}
    return where | confirm | {"kind": wished["kind"], "digest": wished.get("digest", ""), "asked": wished}


def planned(row: Row, place: Place, world: World) -> Any:
    """The plan as an administrator was told it; None when there is nothing to plan."""
    if row.address != "start_action":
        return None
    answer = send(world.browser(ALL_ADMIN), "POST", "/api/v1/plans", wish(row, place, world))
    return answer.json() if answer.status_code == 200 else None


def send(browser: Client, method: str, where: str, sent: Any = None) -> Any:
    said: dict[str, Any] = {"CONTENT_TYPE": JSON}
    text = "" if sent is None else json.dumps(sent)
    # As a browser says it of a page of this very site: they have signed in there.
    return browser.generic(method, where, text, JSON, headers={"Sec-Fetch-Site": "same-origin"}, **said)


def check(answer: Any, row: Row, said: Verdict, what: str) -> None:
    """Raise AssertionError when an answer isn't what it should be."""
    assert answer.status_code in ({STATUSES[said]} if said in STATUSES else row.answers), f"{what}: {said}"
    assert answer["Cache-Control"] == "no-store", what
    if said in CODES:
        assert answer.json()["error"]["code"] == CODES[said], what


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    there = {name: methods for name, (_, methods) in OPERATIONS.items()}
    assert not (lacking := matrix.missing(there, ROWS)), "\n".join(lacking)
    known = {view.url_name or "" for _, router in api._routers for view in router.path_operations.values()}
    (root,) = urlpatterns
    patterns = {one.name for one in root.url_patterns if isinstance(one, URLPattern)}
    assert patterns - known - set(OPERATIONS) == OPEN, "an address beside the API's operations"


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_may_not_changes_nothing_and_learns_nothing(row: Row, world: World) -> None:
    bodies = {place: body(row, place, world, planned(row, place, world)) for place in places(row)}
    answers = {}
    with world.untouched(str(row)):
        for who, place, said in outcomes(row):
            if said is not Verdict.WORKS:
                where = address(row, place, world)
                answer = send(world.browser(who), row.method, where, bodies[place])
                check(answer, row, said, f"{row} of {place} by {who}")
                answers[who, place] = answer
    alike(row, world, answers)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_may_is_served(row: Row, world: World) -> None:
    for who, place, said in outcomes(row):
        if said is Verdict.WORKS:
            with undone():
                where, sent = address(row, place, world), body(row, place, world)
                answer = send(world.browser(who), row.method, where, sent)
            check(answer, row, said, f"{row} of {place} by {who}")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_no_other_method_tells_more(row: Row, world: World) -> None:
    _, methods = OPERATIONS[row.address]
    others = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - {*methods}
    shared = {
        method
        for name, (path, of) in OPERATIONS.items()
        if path == OPERATIONS[row.address][0]
        for method in of
    }
    with world.untouched(str(row)):
        for method in sorted(others - shared):
            answers = {
                (who, place): send(world.browser(who), method, address(row, place, world))
                for who in ONE_OF_EACH
                for place in places(row)
            }
            assert {answer.status_code for answer in answers.values()} == {405}, f"{method} {row.address}"
            alike(row, world, answers)
