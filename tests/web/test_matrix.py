"""Every address of the site, and who may do what there: the table is the documentation, and an address
without a row fails."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter

from regui.accounts.models import Grant, Token, User
from tests import matrix
from tests.matrix import ALL_ADMIN, ONE_OF_EACH, OWN, Place, Row, Verdict, outcomes, places
from tests.world import (  # noqa: F401 — one is a fixture
    World,
    alike,
    hidden_fields,
    undone,
    world,
)

pytestmark = pytest.mark.django_db
# fixtures are called like the arguments that ask for them
# ruff: noqa: F811

# What each word means is said in tests/matrix.py. 409 and 422 answer a form that makes no sense.
TABLE = """
# Machines
hooks                 POST   -           secret      401

# The site
home                  GET    see         anything    200,302
search                GET    see         anything    200
jobs                  GET    see         anything    200
activity              GET    see         anything    200
settings              GET    administer  anything    200
theme                 POST   -           anyone      303
registry-add          GET    administer  site        200
registry-add          POST   administer  site        422
registry-test         POST   administer  site        422
connection-show       POST   administer  site        303

# Who may do what
access                GET    audit       site        200
access-add            POST   administer  site        422
access-remove         GET    administer  site        200
access-remove         POST   administer  site        303
access-journal        GET    audit       site        200
people                GET    audit       site        200
people-add            POST   administer  site        422
person                GET    audit       site        200
person-link           POST   administer  site        200
person-disable        GET    administer  site        200
person-disable        POST   administer  site        303
person-enable         POST   administer  site        303
person-join           POST   administer  site        404
person-leave          POST   administer  site        404
groups                GET    audit       site        200
groups-add            POST   administer  site        422
group                 GET    audit       site        200
group-put             POST   administer  site        422
group-take            POST   administer  site        404
group-remove          GET    administer  site        200
group-remove          POST   administer  site        303
robots                GET    administer  site        200
robots-make           POST   administer  site        422
robots-revoke         GET    administer  site        200
robots-revoke         POST   administer  site        303

# Somebody's own account. Without a provider there is nothing at its addresses; a link that was made up has
# passed away; what somebody doesn't have can't be shown or taken away; confirming comes before it.
account                      GET   -  person  200
mfa_index                    GET   -  person  200
mfa_list_webauthn            GET   -  person  200
account_login                GET   -  anyone  200,302
account_login                POST  -  anyone  200,302
mfa_login_webauthn           GET   -  person  302
mfa_login_webauthn           POST  -  person  302
mfa_authenticate             GET   -  person  302
mfa_authenticate             POST  -  person  302
account_logout               POST  -  anyone  302
account_inactive             GET   -  anyone  200
account_reauthenticate       GET   -  person  200,302
account_reauthenticate       POST  -  person  200,302
mfa_reauthenticate           GET   -  person  200,302
mfa_reauthenticate           POST  -  person  200,302
mfa_reauthenticate_webauthn  GET   -  person  200,302
mfa_reauthenticate_webauthn  POST  -  person  200,302
first                        GET   -  anyone  410
first                        POST  -  anyone  410
first-arrive                 GET   -  anyone  410
password-link                GET   -  anyone  410
password-link                POST  -  anyone  410
password-arrive              GET   -  anyone  410
account_change_password      GET   -  person  200,302
account_change_password      POST  -  person  200,302
session-end                  POST  -  person  303
sessions-end                 POST  -  person  303
mfa_activate_totp            GET   -  person  200,302
mfa_activate_totp            POST  -  person  200,302
mfa_deactivate_totp          GET   -  person  302,404
mfa_deactivate_totp          POST  -  person  302,404
mfa_view_recovery_codes      GET   -  person  302,404
mfa_generate_recovery_codes  GET   -  person  302,404
mfa_generate_recovery_codes  POST  -  person  302,404
mfa_add_webauthn             GET   -  person  200,302
mfa_add_webauthn             POST  -  person  200,302
mfa_edit_webauthn            GET   -  person  302,404
mfa_edit_webauthn            POST  -  person  302,404
mfa_remove_webauthn          GET   -  person  302,404
mfa_remove_webauthn          POST  -  person  302,404
tokens                       GET   -  person  200
tokens-make                  POST  -  person  422
tokens-revoke                GET   -  person  404
tokens-revoke                POST  -  person  404
oidc                         POST  -  person  404
oidc-answer                  GET   -  person  404

# Actions
action                GET    see         repository  200
action-undo           GET    delete      repository  200
action-undo           POST   delete      repository  409
action-stop           POST   delete      repository  303

# A registry
registry              GET    see         registry    200
registry:open         GET    see         registry    302
storage               GET    see         registry    200
garbage               GET    see         registry    200
garbage-look          POST   delete      registry    303
trash                 GET    see         registry    200
in-use                GET    see         registry    200
cleanup               GET    clean       registry    200
what-if               GET    clean       registry    200
capabilities          GET    see         registry    200
capabilities-look     POST   delete      registry    303
jobs-read             POST   delete      registry    302
jobs-believe          POST   delete      registry    302
jobs-believe:one      POST   delete      repository  302
registry-sign-in      GET    see         registry    302
registry-sign-in      POST   see         registry    302
registry-sign-out     POST   see         registry    303
connection            GET    administer  registry    200
connection            POST   administer  registry    422
connection-test       POST   administer  registry    422
connection-hide       POST   administer  registry    303
events-secret         POST   administer  registry    200
names                 GET    administer  registry    200
names-add             POST   administer  registry    422
names-remove          POST   administer  registry    303
protection            GET    administer  registry    200
protection-add        POST   administer  registry    422
protection-remove     POST   administer  registry    303

# Policies and their runs
policies              GET    clean       registry    200
policy-add            GET    write       registry    200
policy-add            POST   write       registry    422
policy-preview        POST   write       registry    422
policy-freed          POST   write       registry    200
policy-edit           GET    delete      policy      200
policy-edit           POST   delete      policy      422
policy-tags           GET    clean       policy      200
policy                GET    clean       policy      200
policy-run            POST   delete      policy      303
policy-try            POST   delete      policy      303
policy-pause          POST   delete      policy      303
policy-resume         POST   delete      policy      303
policy-remove         GET    delete      policy      200
policy-remove         POST   delete      policy      303
runs                  GET    clean       registry    200
run                   GET    clean       policy      200
run:csv               GET    clean       policy      200
run-part              GET    clean       policy      200
run-approve           POST   delete      policy      303
run-decline           POST   delete      policy      303
run-undo              GET    delete      policy      200
run-undo              POST   delete      policy      303

# A repository
repository            GET    see         repository  200
repository:untagged   GET    see         repository  200
history               GET    see         repository  200
tag                   GET    see         repository  200
manifest              GET    see         repository  200
manifest-tag          GET    push        repository  200
manifest-tag          POST   push        repository  409
tag-copy              GET    copy        repository  200
tag-copy              POST   copy        repository  422
manifest-copy         GET    copy        repository  200
manifest-copy         POST   copy        repository  422
tag-delete            GET    delete      repository  200
tag-delete:file       GET    delete      repository  200
tag-delete            POST   delete      repository  409
manifest-delete       GET    delete      repository  200
manifest-delete       POST   delete      repository  409
manifest-restore      GET    delete      repository  200
manifest-restore      POST   delete      repository  409
bulk                  GET    delete      repository  200
bulk                  POST   delete      repository  409
untagged-delete       GET    delete      repository  200
untagged-delete       POST   delete      repository  409
repository-delete     GET    delete      repository  200
repository-delete     POST   delete      repository  422
"""
ROWS = matrix.rows(TABLE)

# Stands for the repository's name.
HERE = "<here>"
# What is sent along. Of the forms, what makes sense is sent by who may not, and nonsense by who may.
QUERIES: dict[str, dict[str, str]] = {
    "registry:open": {"open": "team/app"},
    "repository:untagged": {"show": "untagged"},
    "run:csv": {"format": "csv"},
    "tag-delete:file": {"as": "json"},
    "bulk": {"tag": "1.0"},
    "search": {"q": "app"},
}
FORMS: dict[str, dict[str, str]] = {
    "jobs-believe:one": {"repository": HERE},
    "bulk": {"tags": "1.0"},
    "manifest-tag": {"to": "2.0"},
    "tag-copy": {"registry": "main", "to": "team/copy", "tag": "1.0", "referrers": "1"},
    "manifest-copy": {"registry": "main", "to": "team/copy", "tag": "1.0", "referrers": "1"},
    "names-add": {"names": "team/app"},
    "names-remove": {"name": "team/app"},
    "protection-add": {"repositories": "team/**", "tags": "v*"},
    "protection-remove": {"rule": "1"},
    "repository-delete": {"name": HERE},
    "theme": {"theme": "dark"},
    "registry-add": {"name": "new", "url": "http://127.0.0.1:9"},
    "registry-test": {"name": "new", "url": "http://127.0.0.1:9"},
    "connection": {"url": "http://127.0.0.1:9"},
    "connection-test": {"url": "http://127.0.0.1:9"},
}
NONSENSE: dict[str, dict[str, str]] = {
    "registry-add": {"name": "NO NAME"},
    "registry-test": {"url": "NO ADDRESS"},
    "connection": {"url": "NO ADDRESS"},
    "connection-test": {"url": "NO ADDRESS"},
    "tag-copy": {"to": "NO NAME"},
    "manifest-copy": {"to": "NO NAME"},
    "names-add": {"names": "NO NAME"},
    "names-remove": {"name": "NO NAME"},
    "protection-add": {},
    "repository-delete": {"name": "NO NAME"},
}
# What an address is about, where it isn't what the repository holds, or the action that is done.
ABOUT = {"manifest-restore": "deleted", "action-stop": "waiting"}
STATUSES = {Verdict.FORBIDDEN: 403, Verdict.HIDDEN: 404, Verdict.SIGN_IN: 302, Verdict.SECRET: 401}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Other addresses, whose tests are their own: supervisors' probes, which know of nobody (tests/test_serve.py).
ELSEWHERE = ("healthz", "readyz")


def patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the site with its pattern, however deep."""
    for one in resolver.url_patterns:
        route = f"{before}{one.pattern}"
        if isinstance(one, URLResolver):
            yield from patterns(one, route)
        elif not route.startswith(ELSEWHERE):
            yield route, one


PATTERNS = list(patterns(get_resolver()))
NAMED = {str(pattern.name): pattern for _, pattern in PATTERNS}


def address(row: Row, place: Place, world: World) -> str:
    """Where that is in that place."""
    values = world.values(place, ABOUT.get(row.address, ""))
    wanted = NAMED[row.address].pattern.converters
    values |= {name: number(row) for name, kind in wanted.items() if isinstance(kind, IntConverter)}
    return reverse(row.address, kwargs={name: values.get(name, "made-up") for name in wanted})


def number(row: Row) -> str:
    """The key of the person, group, grant or token that an address is about; of nothing where it is about
    something else."""
    models = {"access": Grant, "person": User, "group": Group, "robots": Token}
    model = models.get(row.address.partition("-")[0])
    return str(model._default_manager.order_by("pk").values_list("pk", flat=True)[0]) if model else "0"


def words(what: dict[str, dict[str, str]], row: Row, place: Place) -> dict[str, str]:
    """What is sent along there."""
    sent = what.get(row.name, what.get(row.address, {}))
    return {name: place.repository if value == HERE else value for name, value in sent.items()}


def send(
    browser: Client, row: Row, place: Place, world: World, form: dict[str, str], method: str = ""
) -> Any:
    where = address(row, place, world)
    if row.method == "POST":
        return browser.post(where, form)
    return browser.generic(method or "GET", where, QUERY_STRING=urlencode(words(QUERIES, row, place)))


def agreed(row: Row, place: Place, world: World) -> dict[str, str]:
    """The form as an administrator was shown it, which is signed where it holds a plan."""
    form = words(FORMS, row, place)
    if row.method != "POST" or (row.address, "GET") not in {(one.address, one.method) for one in ROWS}:
        return form
    page = world.browser(ALL_ADMIN).get(address(row, place, world), form)
    return hidden_fields(page) | form


def check(answer: Any, row: Row, said: Verdict, what: str) -> None:
    """Raise AssertionError when an answer isn't what it should be."""
    expected = {STATUSES[said]} if said in STATUSES else row.answers
    assert answer.status_code in expected, f"{what}: {said}"
    asks = answer.headers.get("Location", "").partition("?")[0] == reverse("account_login")
    assert asks == (said is Verdict.SIGN_IN), what


def is_answered(world: World, method: str, where: str) -> bool:
    """Whether anything is done by that method there, whatever it is."""
    with undone():
        return bool(world.browser(ALL_ADMIN).generic(method, where).status_code != 405)


def test_every_address_has_a_row_and_every_row_an_address(world: World) -> None:
    there = {}
    rows = {row.address: row for row in ROWS}
    for route, pattern in PATTERNS:
        assert pattern.name, f"Give {route} a name, and a row here."
        row = rows.get(pattern.name)
        where = address(row, OWN["repository"], world) if row else ""
        # allauth's views take a PUT as they take a POST.
        methods = METHODS[:2] if route.startswith("-/account/") else METHODS
        there[pattern.name] = [one for one in methods if row and is_answered(world, one, where)] or ["GET"]
    assert not (lacking := matrix.missing(there, ROWS)), "\n".join(lacking)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_may_not_changes_nothing_and_learns_nothing(row: Row, world: World) -> None:
    forms = {place: agreed(row, place, world) for place in places(row)}
    answers = {}
    with world.untouched(str(row)):
        for who, place, said in outcomes(row):
            if said is not Verdict.WORKS:
                answers[who, place] = answer = send(world.browser(who), row, place, world, forms[place])
                check(answer, row, said, f"{row} of {place} by {who}")
                if row.method == "GET" and who in ONE_OF_EACH:
                    head = send(world.browser(who), row, place, world, {}, "HEAD")
                    if head.status_code != 405:  # what a view doesn't take, it takes from nobody
                        check(head, row, said, f"HEAD {row.name} of {place} by {who}")
    alike(row, world, answers)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_may_is_served(row: Row, world: World) -> None:
    for who, place, said in outcomes(row):
        if said is Verdict.WORKS:
            form = words(FORMS, row, place)
            if row.method == "POST":
                form = NONSENSE.get(row.address, form) | {"fingerprint": "made up"}
            with undone():
                answer = send(world.browser(who), row, place, world, form)
            check(answer, row, said, f"{row} of {place} by {who}")


def test_what_is_missing_is_said_in_a_sentence() -> None:
    there = {"new": ["GET", "POST"], "home": ["GET"]}
    table = matrix.rows("home GET see anything 200\nnew:once GET see anything 200\nold GET - anyone 200")
    assert matrix.missing(there, table) == [
        "Add a row that says what POST new takes, and over what.",
        "No address answers GET old: take its row out.",
    ]
