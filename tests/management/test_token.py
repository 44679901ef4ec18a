"""`regui token`, and commands with `REGUI_TOKEN`: what a token gives is done, and nothing else is, nor told
of. Here as a person or a script runs them, in processes of their own."""

import json
from pathlib import Path

import pytest

from tests.management.desk import Desk, Done
from tests.registry import RunningRegistry


def refused(done: Done) -> tuple[int, str]:
    """The status and code of a refusal, that came as an object."""
    return done.status, done.object["error"]["code"]


@pytest.fixture
def inside(desk: Desk) -> Desk:
    """The desk where visitors may nothing."""
    return Desk(desk.data, desk.url, {"REGUI_ANONYMOUS_ROLE": "none"})


def test_a_token_is_made_listed_and_revoked(desk: Desk) -> None:
    scope = ("--role", "reader", "--registry", "main", "--pattern", "team/**")
    done = desk.run("token", "make", "ci", *scope)
    secret = done.out.strip()
    assert (done.status, len(secret)) == (0, 49)
    assert "robot:ci  reader of team/** in main  expires 20" in done.err
    assert "shown this once" in done.err
    assert secret not in done.err
    listed = desk.run("token", "list")
    assert secret[:12] in listed.out
    assert secret not in listed.out
    assert "never used" in listed.out
    gone = desk.run("token", "revoke", f"{secret[:12]}…", "--json")
    assert (gone.status, gone.object["changed"], gone.object["hint"]) == (0, True, secret[:12])
    assert secret not in json.dumps(gone.object)
    assert desk.run("token", "list", "--json").object == {"items": []}


def test_what_a_token_allows_is_done_in_its_name(
    inside: Desk, registry: RunningRegistry, tmp_path: Path
) -> None:
    registry.wipe()
    registry.push("team/app", tags=["1.0", "latest"])
    made = inside.run("token", "make", "nightly", "--role", "maintainer", "--pattern", "team/**", "--json")
    file = tmp_path / "token"
    file.write_text(f"{made.object['token']}\n")
    tag = ("delete", "main", "team/app:1.0", "--yes", "--json")
    done = inside.run(*tag, REGUI_TOKEN_FILE=str(file))
    assert (done.status, done.object["actor"]) == (0, "robot:nightly"), done.err
    assert set(inside.tags("team/app")) == {"latest"}
    undone = inside.run("undo", done.object["id"], "--yes", "--json", REGUI_TOKEN_FILE=str(file))
    assert (undone.status, undone.object["actor"]) == (0, "robot:nightly")
    (one,) = inside.run("token", "list", "--json").object["items"]
    assert one["used_from"] == "the command line"
    assert inside.run("token", "revoke", str(made.object["id"])).status == 0
    assert refused(inside.run(*tag, REGUI_TOKEN_FILE=str(file))) == (2, "unauthorized")
    assert set(inside.tags("team/app")) == {"1.0", "latest"}


@pytest.mark.parametrize(
    "arguments", [["delete", "main", "team/app:1.0", "--yes"], ["activity"], ["token", "list"]]
)
def test_a_bad_token_ends_a_command_and_falls_back_to_nobody(inside: Desk, arguments: list[str]) -> None:
    done = inside.run(*arguments, "--json", REGUI_TOKEN="regui_nothing")
    assert refused(done) == (2, "unauthorized")
    assert "REGUI_TOKEN" in done.err
    assert "regui_nothing" not in done.out + done.err


@pytest.mark.parametrize("arguments", [["sync"], ["reindex", "main"]])
def test_it_ends_those_that_only_read_the_registry_too(inside: Desk, arguments: list[str]) -> None:
    done = inside.run(*arguments, REGUI_TOKEN="regui_nothing")
    assert (done.status, done.out) == (2, "")
    assert "What REGUI_TOKEN holds opens nothing" in done.err


@pytest.mark.parametrize("command", ["shell", "dumpdata"])
def test_what_knows_nothing_of_rights_does_not_run_beside_a_token(inside: Desk, command: str) -> None:
    done = inside.run(command, "--json", REGUI_TOKEN="regui_nothing")
    assert refused(done) == (2, "forbidden")
    assert "REGUI_TOKEN is set" in done.err
