"""`regui sync`, as a person or a timer runs it."""

import os
import pty
import re
import subprocess
from pathlib import Path

from regui import oci
from regui.index import sync
from regui.management.commands.sync import told
from tests import images
from tests.fake import Fake
from tests.memory import error
from tests.registry import RunningRegistry, open_registry
from tests.serving import PATIENCE, PYTHON, environment, regui


def push(url: str, *names: str) -> None:
    with oci.Client(url) as client:
        for name in names:
            images.push(client, name, images.image(), ["1", "2"])


def test_it_reads_everything_and_says_how_much(data: Path, tmp_path: Path) -> None:
    registry: RunningRegistry = open_registry(tmp_path / "registry")
    try:
        push(registry.url, "team/app", "a/tags/list")
        first = regui(data, "sync", REGUI_REGISTRY_URL=registry.url)
        second = regui(data, "sync", "main", REGUI_REGISTRY_URL=registry.url)
    finally:
        registry.stop()
    line = r"main: 2 repositories, 4 tags, (\d+) new manifests; \d+ requests in \d+\.\d s\n"
    for done, new in ((first, "2"), (second, "0")):
        assert (done.returncode, done.stderr) == (0, "")
        match = re.fullmatch(line, done.stdout)
        assert match is not None, done.stdout
        assert match[1] == new


def test_a_repository_that_fails_is_named_and_the_status_tells(data: Path) -> None:
    with Fake() as fake:
        push(fake.url, "bad", "good")
        fake.on("GET", r"/v2/bad/tags/list", error(500, "UNKNOWN"))
        done = regui(data, "sync", REGUI_REGISTRY_URL=fake.url)
    assert done.returncode == 1
    assert "main/bad: " in done.stderr
    assert "main/good" not in done.stderr
    assert "not everything could be read from main" in done.stderr


def test_of_several_registries_one_that_is_down_does_not_stop_the_others(data: Path) -> None:
    with Fake() as fake:
        push(fake.url, "app")
        settings = {"REGUI_REGISTRY_DOWN_URL": "http://127.0.0.1:1", "REGUI_REGISTRY_UP_URL": fake.url}
        done = regui(data, "sync", REGUI_REGISTRIES="down up", **settings)
        only = regui(data, "sync", "up", REGUI_REGISTRIES="down up", **settings)
    assert done.returncode == 1
    assert "up: 1 repositories, 2 tags" in done.stdout
    assert "not everything could be read from down\n" in done.stderr
    assert (only.returncode, only.stderr) == (0, "")
    assert "down" not in only.stdout


def test_a_registry_nobody_knows_is_refused(data: Path) -> None:
    done = regui(data, "sync", "mian", REGUI_REGISTRY_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "there is no registry named mian, only main" in done.stderr


def test_without_any_registry_it_says_what_to_set(data: Path) -> None:
    done = regui(data, "sync")
    assert done.returncode == 1
    assert "set REGUI_REGISTRY_URL" in done.stderr


def test_without_a_catalog_names_by_hand_are_read_and_it_says_how_names_came(tmp_path: Path) -> None:
    with Fake() as fake:
        push(fake.url, "team/app", "team/web")
        fake.on("GET", "/v2/_catalog", error(404, "NOT_FOUND"))
        settings = {"REGUI_REGISTRY_URL": fake.url}
        none = regui(tmp_path, "sync", **settings)
        named = regui(tmp_path, "sync", REGUI_REGISTRY_NAMES="team/app,team/web", **settings)
        wrong = regui(tmp_path, "sync", REGUI_REGISTRY_NAMES="team/app team/wbe", **settings)
    assert none.returncode == 1
    assert "main: This registry doesn't list its repositories. Name those to be read" in none.stderr
    assert (named.returncode, named.stderr) == (0, "")
    assert "main: 2 repositories, 4 tags" in named.stdout
    assert "main: no catalog; names by hand: 2" in named.stdout
    assert wrong.returncode == 1
    assert "main/team/wbe: The registry knows no such repository." in wrong.stderr


def test_a_terminal_shows_how_fast_it_goes(tmp_path: Path) -> None:
    with Fake() as fake:
        push(fake.url, *(f"app-{number}" for number in range(40)))
        settings = environment(tmp_path, REGUI_REGISTRY_URL=fake.url, TERM="xterm", COLUMNS="160")
        ours, theirs = pty.openpty()
        with subprocess.Popen([*PYTHON, "-m", "regui", "sync"], stdout=theirs, env=settings) as process:
            os.close(theirs)
            coloured = b"".join(iter(lambda: read(ours), b"")).decode()
            assert process.wait(PATIENCE) == 0
        os.close(ours)
    shown = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", coloured)
    assert re.search(r"\d+/40 .*[\d,]+ requests/s, .*\d+ tags, \d+ requests", shown), shown
    assert "main: 40 repositories, 80 tags" in shown


def read(terminal: int) -> bytes:
    """What comes next from a terminal; empty at its end."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_what_matters_most_is_told_first() -> None:
    busy = sync.State(
        done=1, total=9, tags=1200, requests=1300, failures=2, name="team/app", rate=649.6, left=70.2
    )
    assert told(busy) == "650 requests/s, 0:01:11 left, 2 failed, 1,200 tags, 1,300 requests, team/app"
    assert told(sync.State()) == "0 requests/s, 0 tags, 0 requests"
