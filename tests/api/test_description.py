"""The description of the API: whole, true, and told in words in docs/api.md."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regui import __version__
from regui.actions import kinds, plans
from tests.api.calling import Caller

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
METHODS = {"get", "post", "put", "delete", "patch"}

# A process that has answered a page, and then a request for the API.
LAZY = """
import sys, django
django.setup()
from django.test import Client
from django.test.utils import setup_databases
from django.core.management import call_command
call_command("migrate", verbosity=0)
assert Client().get("/-/settings/").status_code == 200
print("ninja" in sys.modules, "pydantic" in sys.modules)
assert Client().get("/api/v1/registries").status_code == 200
print("ninja" in sys.modules)
"""


@pytest.fixture
def schema(charlie: Caller) -> dict[str, Any]:
    """What openapi.json says, to anyone."""
    answer = charlie.get("/openapi.json")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return dict(answer.json())


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        assert set(methods) <= METHODS
        for method, operation in methods.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    """Every `$ref` in there."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from [inner] if key == "$ref" else references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_it_is_openapi_that_hangs_together(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    assert schema["info"]["title"] == "regui"
    assert schema["info"]["version"] == __version__
    schemas = schema["components"]["schemas"]
    assert {one.removeprefix("#/components/schemas/") for one in references(schema)} <= set(schemas)
    ids = [operation["operationId"] for _, _, operation in operations(schema)]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations(schema):
        place = f"{method} {path}"
        named = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert re.findall(r"{([^}:]+)}", path) == named, place
        assert all(one["required"] for one in operation["parameters"] if one["in"] == "path"), place
        assert operation["summary"], place
        assert operation["description"], place
        assert "default" in operation["responses"], place
        good = [status for status in operation["responses"] if status.startswith("2")]
        assert len(good) == 1, place
        assert operation["responses"][good[0]]["content"]["application/json"]["schema"], place


def test_every_list_has_a_cursor_and_a_limit(schema: dict[str, Any]) -> None:
    for path, _, operation in operations(schema):
        if not operation["operationId"].startswith("list_"):
            continue
        names = {one["name"]: one["schema"] for one in operation["parameters"]}
        assert {"cursor", "limit"} <= set(names), path
        assert (names["limit"]["minimum"], names["limit"]["maximum"]) == (1, 1000)


def test_the_document_names_every_address(schema: dict[str, Any]) -> None:
    for path, method, _ in operations(schema):
        assert f"| `{method.upper()} {path.removeprefix('/api/v1')}` |" in DOCUMENT


def test_the_document_names_no_other(schema: dict[str, Any]) -> None:
    there = {f"{method.upper()} {path.removeprefix('/api/v1')}" for path, method, _ in operations(schema)}
    assert set(re.findall(r"^\| `((?:GET|POST|PUT|DELETE) [^`]+)`", DOCUMENT, re.MULTILINE)) == there


def test_the_document_names_every_kind_of_change(schema: dict[str, Any]) -> None:
    for kind in schema["components"]["schemas"]["Wish"]["properties"]["kind"]["enum"]:
        assert f"| `{kind}` |" in DOCUMENT


def test_a_site_without_programs_carries_none_of_it(data: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LAZY],
        env={
            "PATH": "/usr/bin:/bin",
            "DJANGO_SETTINGS_MODULE": "regui.settings",
            "REGUI_DATA": str(data),
            "REGUI_SECRET_KEY": "checks",
            "REGUI_ANONYMOUS_ROLE": "admin",
            "REGUI_URL": "http://testserver",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["False", "False", "True"], done.stderr


def test_every_kind_of_change_can_be_asked_for_but_what_regui_comes_upon_and_policies_do() -> None:
    assert kinds.LOOK.keys() == kinds.RIGHTS.keys()
    assert kinds.ASKED.keys() == kinds.LOOK.keys() - {plans.PUT_BACK, plans.RETAIN}
