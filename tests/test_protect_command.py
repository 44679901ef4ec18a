"""`regui protect`, as a person or a script runs it."""

import json
from pathlib import Path

import pytest

from tests.serving import regui

URL = "http://127.0.0.1:1"


def protect(data: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    done = regui(data, "protect", *arguments, REGUI_REGISTRY_URL=URL, **settings)
    return done.returncode, done.stdout, done.stderr


def test_rules_are_made_listed_and_removed(data: Path) -> None:
    code, said, log = protect(data, "main", "team/**", "v*", "--note", "customers run these")
    assert (code, said) == (0, "main/team/**:v* is protected\n")
    assert "protects v* of main/team/**" in log
    assert protect(data, "main", "team/**", "v*")[:2] == (0, "main/team/**:v* was protected already\n")
    code, said, _ = protect(data, "main", "--list", REGUI_PROTECTED_TAGS="latest")
    assert code == 0
    mine, given = said.splitlines()
    assert mine.startswith("team/**:v*  by local:")
    assert mine.endswith("  # customers run these")
    assert given == "**:latest  by REGUI_PROTECTED_TAGS"
    code, said, _ = protect(data, "main", "--list", "--json")
    (rule,) = json.loads(said)
    assert (rule["repositories"], rule["tags"], rule["note"]) == ("team/**", "v*", "customers run these")
    assert rule["at"].endswith("+00:00")
    code, said, _ = protect(data, "main", "--remove", "team/**", "v*", "--json")
    assert (code, json.loads(said)) == (0, {"repositories": "team/**", "tags": "v*", "changed": True})
    assert protect(data, "main", "team/**", "v*", "--remove")[:2] == (
        0,
        "main/team/**:v* was not protected\n",
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["other", "**", "v*"], "there is no registry named other"),
        (["main"], "say which repositories and tags"),
        (["main", "v*"], "say which repositories and tags"),
        (["main", "--list", "**", "v*"], "say which repositories and tags"),
        (["main", "**", "v[1]"], "must be a tag, or a pattern of tags such as v* or prod-?"),
        (["main", "te**am", "v*"], "must be a repository, or a pattern of repositories"),
        ([], "required: REGISTRY"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(data: Path, arguments: list[str], why: str) -> None:
    code, said, error = protect(data, *arguments)
    assert (code, said) == (2, "")
    assert why in error


def test_a_setting_that_means_nothing_stops_the_start(data: Path) -> None:
    code, _, error = protect(data, "main", "--list", REGUI_PROTECTED_TAGS="v[12]")
    assert code == 2
    assert "REGUI_PROTECTED_TAGS: must be a tag, or a pattern of tags such as v* or prod-?." in error
