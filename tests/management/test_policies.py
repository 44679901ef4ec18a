"""`regui policies`, as a person or a script runs it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.serving import regui

URL = "http://127.0.0.1:1"
TWO = """\
policies:
  - name: builds
    registry: main
    repositories: [team/**]
    rules:
      - keep: newest
        count: 5
    otherwise: drop
  - name: old
    registry: main
    repositories: ['**']
    rules:
      - drop: older
        than: 90d
    otherwise: keep
    schedule: 0 3 * * *
"""


def policies(data: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    done = regui(data, "policies", *arguments, REGUI_REGISTRY_URL=URL, **settings)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def take(data: Path, text: str, *more: str) -> dict[str, Any]:
    """What importing the text says it did."""
    file = data / "policies.yml"
    file.write_text(text)
    code, said, error = policies(data, "import", str(file), "--json", *more)
    assert code == 0, error
    found: dict[str, Any] = json.loads(said)
    return found


def listed(data: Path) -> dict[str, dict[str, Any]]:
    code, said, _ = policies(data, "list", "--json")
    assert code == 0
    return {one["policy"]["name"]: one for one in json.loads(said)["items"]}


def test_what_is_exported_is_imported_and_the_other_way_round(data: Path) -> None:
    assert take(data, TWO)["added"] == ["main/builds", "main/old"]
    code, text, _ = policies(data, "export")
    assert code == 0
    assert yaml.safe_load(text) == yaml.safe_load(TWO)

    file = data / "out.yml"
    assert policies(data, "export", "main", "--output", str(file))[:2] == (0, f"{file} has 2 policies\n")
    assert file.read_text() == text
    before = listed(data)
    assert take(data, text) == {
        "dry_run": False,
        "added": [],
        "changed": [],
        "removed": [],
        "unchanged": ["main/builds", "main/old"],
    }
    assert listed(data) == before
    assert not before["builds"]["approved"]
    code, said, _ = policies(data, "list", "main")
    assert said.splitlines()[1] == "main/old  **  1 rules  at 0 3 * * *  not approved"


def test_that_there_are_none_is_said_beside_the_list(data: Path) -> None:
    assert policies(data, "list") == (0, "", "regui: There is no policy to list.\n")
    code, said, error = policies(data, "list", "--json")
    assert (code, json.loads(said), error) == (0, {"items": []}, "")


def test_only_what_differs_is_changed_and_the_rest_stays_unless_pruned(data: Path) -> None:
    take(data, TWO)
    before = listed(data)
    less = TWO.partition("  - name: old")[0].replace("count: 5", "count: 3")

    file = data / "less.yml"
    file.write_text(less)
    code, said, _ = policies(data, "import", str(file), "--prune", "--dry-run")
    assert (code, said.splitlines()) == (
        0,
        [
            "main/builds would be changed",
            "  rules: keep newest count 5 → keep newest count 3",
            "main/old would be removed",
        ],
    )
    assert listed(data) == before

    found = take(data, less)
    assert [one["policy"] for one in found["changed"]] == ["main/builds"]
    rules = [[{"keep": "newest", "count": count}] for count in (5, 3)]
    assert found["changed"][0]["differs"] == {"rules": rules}
    after = listed(data)
    assert after["old"] == before["old"]
    assert after["builds"]["policy"]["rules"] == rules[1]
    assert take(data, less, "--prune")["removed"] == ["main/old"]
    assert set(listed(data)) == {"builds"}


def test_it_is_all_or_nothing_with_the_lines_of_what_is_wrong(data: Path) -> None:
    file = data / "wrong.yml"
    file.write_text(TWO.replace("than: 90d", "than: 90") + "  - {name: x}\n")
    code, said, error = policies(data, "import", str(file))
    assert (code, said) == (2, "")
    assert "line 14, column 9: than must be a length of time such as 12h or 30d." in error
    assert "line 17, column 5: registry is missing." in error

    file.write_text(
        TWO.replace("registry: main\n    repositories: ['**']", "registry: other\n    repositories: ['**']")
    )
    code, said, error = policies(data, "import", str(file), "--json")
    assert code == 2
    found = json.loads(said)["error"]
    assert found["code"] == "invalid"
    assert found["details"]["problems"] == [
        {"line": 10, "column": 5, "message": "There is no registry named other."}
    ]
    assert listed(data) == {}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["import", "/nowhere.yml"], "/nowhere.yml can't be read"),
        (["import"], "required: FILE"),
        (["export", "other"], "There is no registry named other"),
        (["export", "--output", "/nowhere/x.yml"], "/nowhere/x.yml can't be written"),
        ([], "required"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(data: Path, arguments: list[str], why: str) -> None:
    code, said, error = policies(data, *arguments)
    assert (code, said) == (2, "")
    assert why in error


def test_a_token_takes_up_what_it_may_and_sees_its_own(data: Path) -> None:
    take(data, TWO)
    secrets = {}
    for name, role in {"reads": "reader", "deletes": "maintainer"}.items():
        done = regui(
            data, "token", "make", name, "--role", role, "--pattern", "team/**", REGUI_REGISTRY_URL=URL
        )
        secrets[name] = done.stdout.strip()
    file = data / "mine.yml"
    file.write_text(TWO.partition("  - name: old")[0].replace("builds", "mine"))

    code, _, error = policies(data, "import", str(file), REGUI_TOKEN=secrets["reads"])
    assert (code, "may not" in error) == (2, True)
    assert policies(data, "list", "main", REGUI_TOKEN=secrets["reads"])[0] == 2
    assert policies(data, "import", str(file), REGUI_TOKEN=secrets["deletes"])[0] == 0
    code, said, _ = policies(data, "list", REGUI_TOKEN=secrets["deletes"])
    assert (code, [line.split()[0] for line in said.splitlines()]) == (0, ["main/mine"])

    # The name of somebody else's is taken, and nothing of the file is taken up.
    file.write_text(TWO.partition("  - name: old")[0].replace("count: 5", "count: 1"))
    code, said, error = policies(data, "import", str(file), "--prune", REGUI_TOKEN=secrets["deletes"])
    assert code == 2
    assert "line 2, column 5: main has a policy builds already." in error
    assert set(listed(data)) == {"builds", "mine", "old"}
