"""`regui grant` and `regui access`, as a person or a script runs them."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.management.desk import Desk, Done


@pytest.fixture
def office(data: Path) -> Desk:
    """Somebody at a machine whose regui knows bob, and the group devs that he is in. Its registry is away."""
    desk = Desk(data, "http://127.0.0.1:1", {"REGUI_ANONYMOUS_ROLE": "none"})
    with sqlite3.connect(data / "regui.sqlite3") as database:
        person = (
            "insert into accounts_user (id, password, is_superuser, username, first_name, last_name, email,"
            " is_staff, is_active, date_joined) values (?, '!', 0, ?, '', '', '', 0, 1, '2026-01-01')"
        )
        database.execute(person, (1, "bob"))
        database.execute(person, (2, "alice"))
        database.execute("insert into auth_group (id, name) values (1, 'devs')")
        database.execute("insert into accounts_user_groups (user_id, group_id) values (1, 1)")
    database.close()
    return desk


def listed(desk: Desk, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.run("grant", "list", "--json", *arguments).object["grants"]
    return found


def test_roles_are_given_listed_and_taken_away(office: Desk) -> None:
    done = office.run("grant", "add", "maintainer", "team/**", "--group", "devs", "--registry", "main")
    assert (done.status, done.out) == (0, "maintainer of team/** in main for group devs: granted\n")
    assert office.run("grant", "add", "reader", "--everyone").out.endswith("who signed in: granted\n")
    again = office.run("grant", "add", "reader", "--everyone", "--json")
    assert (again.status, again.object) == (
        0,
        {
            "for": {"kind": "everyone", "name": ""},
            "role": "reader",
            "registry": "*",
            "repositories": "**",
            "changed": False,
        },
    )
    lines = office.run("grant", "list").out.splitlines()
    assert [line.partition("  by local:")[0] for line in lines] == [
        "maintainer of team/** in main for group devs",
        "reader of ** in any registry for everyone who signed in",
    ]
    assert [one["role"] for one in listed(office)] == ["maintainer", "reader"]
    assert [one["role"] for one in listed(office, "--group", "devs")] == ["maintainer"]
    assert [one["role"] for one in listed(office, "--registry", "other")] == ["reader"]
    gone = office.run("grant", "remove", "reader", "**", "--everyone")
    assert (gone.status, gone.out) == (
        0,
        "reader of ** in any registry for everyone who signed in: taken away\n",
    )
    assert office.run("grant", "remove", "reader", "--everyone").out.endswith(": was not granted\n")
    assert len(listed(office)) == 1


def test_the_last_administrator_stays(office: Desk) -> None:
    office.run("grant", "add", "admin", "--person", "alice")
    done = office.run("grant", "remove", "admin", "--person", "alice", "--json")
    assert done.status == 2
    assert done.object["error"]["code"] == "last-administrator"
    assert len(listed(office)) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["add", "reader"], "usage", "Say which role, and for whom"),
        (["add", "--person", "bob"], "usage", "Say which role, and for whom"),
        (["add", "owner", "--person", "bob"], "usage", "The role must be one of none, auditor,"),
        (["add", "reader", "--person", "eve"], "not-found", "there is none named eve"),
        (["add", "reader", "--group", "bob"], "not-found", "there is none named bob"),
        (["add", "reader", "te**am", "--everyone"], "usage", "must be a repository, or a pattern"),
        (["add", "reader", "--everyone", "--registry", "x"], "not-found", "there is none named x"),
        (["add", "reader", "--everyone", "--person", "bob"], "usage", "Name one person, one group"),
        (["list", "reader"], "usage", "A list takes no role."),
        (["give"], "usage", "invalid choice: 'give'"),
        ([], "usage", "required: verb"),
    ],
)
def test_what_cannot_be_meant_is_refused(office: Desk, arguments: list[str], code: str, why: str) -> None:
    done = office.run("grant", *arguments, "--json")
    assert (done.status, done.object["error"]["code"]) == (2, code)
    assert why in done.err


# What somebody can do


def test_it_is_told_what_somebody_can_do_and_why(office: Desk) -> None:
    office.run("grant", "add", "developer", "team/**", "--group", "devs")
    office.run("grant", "add", "maintainer", "--person", "bob")
    done = office.run("access", "bob", "main/team/app")
    assert done.status == 0
    assert done.out.splitlines() == [
        "bob can see main/team/app and set tags there, but not delete or administer.",
        "  yes  see         as developer of team/**",
        "  yes  set tags    as developer of team/**",
        "  no   delete      a developer may not",
        "  no   administer  a developer may not",
        "2 grants cover main/team/app. The most particular one counts:",
        "  counts      developer of team/** in any registry for group devs",
        "  outweighed  maintainer of ** in any registry for bob: team/** spells out 5 characters, ** none",
    ]
    found = office.run("access", "bob", "main/team/app", "--json").object
    assert found["rights"]["delete"] == {"allowed": False, "why": "a developer may not"}
    assert (found["counts"]["role"], found["outweighed"][0]["role"]) == ("developer", "maintainer")
    assert (
        office.run("access", "--group", "devs", "main/team/app", "--json").object["who"] == "Somebody in devs"
    )
    assert office.run("access", "main/team/app", "--visitor").out.startswith(
        "A visitor can't see main/team/app"
    )
    assert office.run("access", "main/x", "--everyone").out.startswith("Somebody who has signed in can't see")


def test_it_is_told_who_can(office: Desk) -> None:
    office.run("grant", "add", "maintainer", "team/**", "--group", "devs")
    done = office.run("access", "main/team/app", "--who-can", "delete")
    assert done.out == "bob: The group devs is maintainer of team/** in any registry.\n"
    found = office.run("access", "main/team/app", "--who-can", "delete", "--json").object
    assert [(one["names"], one["by"]["role"]) for one in found["people"]] == [(["bob"], "maintainer")]
    assert (
        office.run("access", "main/other", "--who-can", "delete").out == "Nobody can delete on main/other.\n"
    )
    open_to_all = office.run("access", "main/other", "--who-can", "see", REGUI_ANONYMOUS_ROLE="reader")
    assert open_to_all.out.startswith("Anyone can see there, signed in or not.")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["main/team/app"], "usage"),
        (["bob", "main/team/app", "--who-can", "see"], "usage"),
        (["bob", "main/team/app", "--group", "devs"], "usage"),
        (["eve", "main/team/app"], "not-found"),
        (["bob", "other/team/app"], "not-found"),
        (["bob", "main"], "usage"),
        (["bob", "main/Team"], "usage"),
        ([], "usage"),
    ],
)
def test_a_question_that_means_nothing_is_refused(office: Desk, arguments: list[str], code: str) -> None:
    done: Done = office.run("access", *arguments, "--json")
    assert (done.status, done.object["error"]["code"]) == (2, code), done.err
    assert json.loads(done.out)["error"]["message"]
