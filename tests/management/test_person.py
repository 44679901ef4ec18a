"""`regui person`, as whoever runs regui uses it."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from regui.management.commands.person import Command
from tests.serving import regui

LINK = re.compile(r"http://127\.0\.0\.1:0/-/account/password/set/\w+/[\w-]+/")


def person(data: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    done = regui(data, "person", *arguments, **settings)
    return done.returncode, done.stdout, done.stderr


def test_a_person_is_added_with_a_link_listed_disabled_and_enabled(data: Path) -> None:
    code, said, _ = person(data, "add", "alice", "--admin")
    assert code == 0
    added, link = said.splitlines()
    assert added.startswith("alice is added.")
    assert LINK.fullmatch(link)
    more = ("--email", "bob@example.com", "--group", "ops", "--group", "devs")
    code, said, _ = person(data, "add", "bob", *more, "--json")
    answer = json.loads(said)
    assert (code, answer["person"]["groups"], answer["person"]["admin"]) == (0, ["devs", "ops"], False)
    assert LINK.fullmatch(answer["link"])
    assert person(data, "list")[:2] == (0, "alice  admin\nbob  bob@example.com  @devs  @ops\n")
    assert person(data, "disable", "Bob")[:2] == (0, "bob is disabled\n")
    assert person(data, "disable", "bob")[:2] == (0, "bob is already disabled\n")
    listed = json.loads(person(data, "list", "--json")[1])["people"]
    assert [(one["name"], one["admin"], one["active"]) for one in listed] == [
        ("alice", True, True),
        ("bob", False, False),
    ]
    code, said, _ = person(data, "enable", "bob", "--json")
    assert (code, json.loads(said)["changed"], json.loads(said)["person"]["active"]) == (0, True, True)


def test_a_link_is_made_anew_and_takes_second_factors_away_when_asked(data: Path) -> None:
    person(data, "add", "bob")
    with sqlite3.connect(data / "regui.sqlite3") as database:
        database.execute(
            "INSERT INTO mfa_authenticator (user_id, type, data, created_at) "
            "VALUES (1, 'totp', '{}', '2026-01-01 00:00:00')"
        )
    database.close()
    code, said, _ = person(data, "link", "bob", "--json")
    assert (code, json.loads(said)["person"]["second_factor"]) == (0, True)
    code, said, _ = person(data, "link", "bob", "--drop-factors", REGUI_URL="https://regui.example.com")
    assert code == 0
    assert said.splitlines()[1].startswith("https://regui.example.com/-/account/password/set/")
    assert not json.loads(person(data, "list", "--json")[1])["people"][0]["second_factor"]


def test_a_link_leads_below_the_path_of_the_site(data: Path) -> None:
    said = person(data, "add", "bob", REGUI_BASE_PATH="/tools/regui")[1]
    assert said.splitlines()[1].startswith("http://127.0.0.1:0/tools/regui/-/account/password/set/")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["add"], "Say whom to add."),
        (["list", "bob"], "list goes without a name."),
        (["link", "bob", "--admin"], "go with add"),
        (["add", "bob", "--drop-factors"], "with link"),
        (["add", "no way"], "valid username"),
        (["add", "Anonymous"], "Nobody can have this name."),
        (["add", "bob", "--email", "bob"], "valid email address"),
        (["link", "nobody"], "There is nobody named nobody."),
        (["disable", "nobody"], "There is nobody named nobody."),
        (["remove", "bob"], "invalid choice"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    db: None, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["regui", "person", *arguments, "--json"])
    said, error = capsys.readouterr()
    assert (ended.value.code, set(json.loads(said))) == (2, {"error"})
    assert why in error


def test_nobody_is_added_twice_and_a_disabled_person_gets_no_link(data: Path) -> None:
    person(data, "add", "bob")
    assert "Somebody has this name." in person(data, "add", "BOB")[2]
    person(data, "disable", "bob")
    code, said, error = person(data, "link", "bob")
    assert (code, said) == (2, "")
    assert "bob is disabled. regui person enable lets them in." in error
