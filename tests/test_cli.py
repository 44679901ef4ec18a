"""The console script."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import regui as package
from regui.cli import without_effect
from tests.postgres import postgresql
from tests.registry import RunningRegistry
from tests.serving import environment, regui, serving


def test_it_says_its_version_without_any_set_up(tmp_path: Path) -> None:
    done = regui(tmp_path / "data", "--version")
    assert done.stdout == f"regui {package.__version__}\n"
    assert not (tmp_path / "data").exists()


def test_help_lists_our_commands_and_django_s(tmp_path: Path) -> None:
    done = regui(tmp_path, "help")
    assert done.returncode == 0
    for command in ("serve", "sync", "demo", "migrate", "shell"):
        assert re.search(rf"^ +{command}$", done.stdout, re.MULTILINE)
    assert not (tmp_path / "regui.sqlite3").exists()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"REGUI_BIND": "8000"}, "REGUI_BIND: must be a host and a port"),
        ({"REGUI_ANONYMOUS_ROLE": "root"}, "REGUI_ANONYMOUS_ROLE: must be one of none, reader, admin"),
        ({"REGUI_URL": "example.com"}, "REGUI_URL: must be an address"),
        ({"REGUI_URL": "https://example.com/x"}, "REGUI_URL: its path must be that of REGUI_BASE_PATH"),
        ({"REGUI_EVENTS_URL": "http://regui:8000/x"}, "REGUI_EVENTS_URL: its path must be that of"),
        ({"REGUI_BASE_PATH": "a b"}, "REGUI_BASE_PATH: must be a path"),
        ({"REGUI_DATABASE_URL": "oracle://hunter2@h/d"}, "REGUI_DATABASE_URL: must be an address such as"),
        ({"REGUI_REGISTRY_URL": "localhost:5000"}, "REGUI_REGISTRY_URL: must be an address"),
        ({"REGUI_REGISTRIES": "api", "REGUI_REGISTRY_API_URL": "http://r"}, "REGUI_REGISTRIES: a registry"),
        ({"REGUI_SECRET_KEY_FILE": "/no/such/file"}, "REGUI_SECRET_KEY_FILE: the file can't be read"),
        (
            {"REGUI_DATA": "/dev/null/data", "REGUI_SECRET_KEY": ""},
            "REGUI_DATA: /dev/null/data can't be used",
        ),
        (
            {"REGUI_DATA": "/dev/null/data", "REGUI_SECRET_KEY": "set, so that no file is needed"},
            "REGUI_DATA: /dev/null/data can't be used",
        ),
        ({"REGUI_BIND": "192.0.2.1:80"}, "REGUI_BIND: can't listen on 192.0.2.1:80"),
        ({"REGUI_BIND": "no-such-host.invalid:80"}, "REGUI_BIND: can't listen on no-such-host.invalid:80"),
    ],
)
def test_a_bad_setting_ends_it_with_one_line(data: Path, settings: dict[str, str], line: str) -> None:
    done = regui(data, **settings)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"regui: {line}")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr


def test_a_database_that_does_not_answer_is_one_line_too(tmp_path: Path) -> None:
    address = "postgres://regui:hunter2@127.0.0.1:1/regui"
    done = regui(tmp_path, REGUI_DATABASE_URL=address)
    assert done.returncode == 1
    assert "regui: the database can't be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_an_unknown_command_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    done = regui(tmp_path, "snyc")
    assert done.returncode == 1
    assert "Unknown command: 'snyc'. Did you mean sync?" in done.stderr
    assert not (tmp_path / "regui.sqlite3").exists()


def test_a_command_that_needs_the_database_finds_it_migrated(tmp_path: Path) -> None:
    question = "from regui.index.models import Registry; print([row.name for row in Registry.objects.all()])"
    done = regui(tmp_path, "shell", "-v0", "-c", question, REGUI_REGISTRY_URL="http://r.example")
    assert done.stderr == ""
    assert done.stdout == "['main']\n"


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    arguments = (
        "shell",
        "-v0",
        "-c",
        "from regui.index.models import Registry; print(Registry.objects.count())",
    )
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: regui(tmp_path, *arguments), range(3)))
    assert [(each.stdout, each.stderr) for each in done] == [("0\n", "")] * 3
    with sqlite3.connect(tmp_path / "regui.sqlite3") as database:
        applied = database.execute(
            "SELECT app, name, count(*) FROM django_migrations GROUP BY 1, 2"
        ).fetchall()
    database.close()
    assert {count for _, _, count in applied} == {1}


def test_processes_that_start_together_migrate_postgresql_once(tmp_path: Path) -> None:
    question = "from regui.index.models import Registry; print(Registry.objects.count())"
    with postgresql() as address, ThreadPoolExecutor(3) as pool:
        # Machines that share nothing but the database.
        settings = {"REGUI_DATABASE_URL": address, "REGUI_SECRET_KEY": "shared"}
        done = list(
            pool.map(
                lambda number: regui(tmp_path / str(number), "shell", "-v0", "-c", question, **settings),
                range(3),
            )
        )
    assert [(each.stdout, each.stderr) for each in done] == [("0\n", "")] * 3


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    question = "from django.conf import settings; print(settings.SECRET_KEY)"
    first, second = (regui(tmp_path, "shell", "-v0", "-c", question).stdout for _ in range(2))
    assert first == second
    assert len(first) > 50
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_nobody_else_may_look_into_what_regui_keeps(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert regui(tmp_path / "data", "person", "list").returncode == 0
        with sqlite3.connect(tmp_path / "data" / "regui.sqlite3") as database:
            database.execute("UPDATE django_session SET session_data = ''")
            files = (tmp_path / "data").glob("regui*")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}
        database.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert modes == dict.fromkeys(["regui.sqlite3", "regui.sqlite3-wal", "regui.sqlite3-shm"], 0o600)


def test_a_variable_without_effect_is_named(tmp_path: Path) -> None:
    done = regui(tmp_path, "check", REGUI_REGISTY_URL="http://r", REGUI_REGISTRY_PASSWORD="hunter2")
    assert "REGUI_REGISTY_URL is set but has no effect" in done.stderr
    assert "REGUI_REGISTRY_PASSWORD is set but has no effect" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_misspelt_variable_gets_a_suggestion() -> None:
    known = {"REGUI_BIND", "REGUI_DATA"}
    assert without_effect({"REGUI_BNID": "x", "REGUI_DATA": "y", "PATH": "z"}, known) == [
        "REGUI_BNID is set but has no effect; did you mean REGUI_BIND?"
    ]


def test_the_console_script_is_the_module(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "regui"
    done = subprocess.run([script, "version"], env=environment(tmp_path), capture_output=True, check=True)
    assert done.stdout.decode() == f"regui {package.__version__}\n"
    assert os.access(script, os.X_OK)


def test_a_command_elsewhere_hides_nothing_of_what_is_served(data: Path, registry: RunningRegistry) -> None:
    settings: dict[str, Any] = {
        "REGUI_REGISTRY_URL": registry.url,
        "REGUI_REGISTRY_NAME": "shared",
        "REGUI_ADMIN_GROUPS": "ops",
    }
    with serving(data, "serve", "--no-worker", **settings) as site:
        assert site.get("/shared/").status == 200
        for command in (("person", "list"), ("grant", "list"), ("activity",)):
            done = regui(data, *command, REGUI_TOKEN="" if command != ("activity",) else "regui_bad")
            assert site.get("/shared/").status == 200, done
        assert "group ops" in regui(data, "grant", "list").stdout
        assert (
            regui(data, "registries").stdout == f"shared\t{registry.url}\tset where regui serves, not here\n"
        )
        failed = regui(data, "sync")
        assert failed.returncode == 1
        assert "The settings don't say where the registry shared is." in failed.stderr
    with serving(data, "serve", "--no-worker") as site:
        assert site.get("/shared/").status == 404
        assert "ops" not in regui(data, "grant", "list").stdout
    none = regui(data, "registries")
    assert (none.stdout, none.stderr) == ("", "regui: no registry is set here, and none was added\n")
