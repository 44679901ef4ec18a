"""A change that somebody waits for: they are asked, they may stop it, and whatever ends it, it isn't lost."""

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect

import pytest

from regui import oci
from tests import images
from tests.fake import Fake, soon
from tests.management.desk import Desk, Done
from tests.memory import Ask, Out, error
from tests.registry import RunningRegistry
from tests.serving import PATIENCE, PYTHON, environment, serving

NAME = "team/app"


def read(terminal: int) -> bytes:
    """What comes next from a terminal; empty at its end."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


class Terminal:
    """A command at a terminal."""

    def __init__(self, process: subprocess.Popen[bytes], end: int) -> None:
        self.process, self.end, self.shown = process, end, ""

    def until(self, words: str) -> None:
        """Read until it shows that."""
        while words not in self.shown:
            more = read(self.end)
            assert more, self.shown
            self.shown += more.decode()

    def type(self, words: str) -> None:
        os.write(self.end, words.encode())

    def status(self) -> int:
        """How it ended, once it did."""
        while more := read(self.end):
            self.shown += more.decode()
        return self.process.wait(PATIENCE)


@contextmanager
def terminal(desk: Desk, *arguments: str) -> Iterator[Terminal]:
    settings = environment(desk.data, REGUI_REGISTRY_URL=desk.url, TERM="xterm", COLUMNS="160")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PYTHON, "-m", "regui", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=settings,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


def test_a_person_is_shown_the_plan_and_asked(desk: Desk, registry: RunningRegistry, name: str) -> None:
    digest = registry.push(name, tags=["1.0", "latest"])
    with terminal(desk, "delete", "main", f"{name}:1.0") as no:
        no.until('Type "yes" to go on: ')
        assert "latest on sha256:" in no.shown
        no.type("no\n")
        assert no.status() == 2
    assert "Nothing was changed." in no.shown
    assert desk.tags(name).keys() == {"1.0", "latest"}
    with terminal(desk, "delete", "main", f"{name}:1.0") as yes:
        yes.until('Type "yes" to go on: ')
        yes.type("yes\n")
        assert yes.status() == 0
    assert desk.tags(name) == {"latest": digest}


def test_who_breaks_an_index_types_more_than_yes(desk: Desk, registry: RunningRegistry, name: str) -> None:
    built = images.index()
    registry.push_built(name, built, ["multi"])
    child = f"{name}@{built.children[0].digest}"
    with terminal(desk, "delete", "main", child) as asked:
        asked.until('Type "break" to go on: ')
        asked.type("yes\n")
        assert asked.status() == 2
    with terminal(desk, "delete", "main", child) as asked:
        asked.until('Type "break" to go on: ')
        asked.type("break\n")
        assert asked.status() == 0


# Stopping, and dying


@pytest.fixture
def slow(fake: Fake) -> Fake:
    """A registry with six tags, each the only one of its manifest, that takes its time to delete one."""
    with oci.Client(fake.url) as client:
        for number in range(6):
            images.push(client, NAME, images.image(), [f"v{number}"])

    def later(ask: Ask) -> Out:
        answer = fake.memory.answer(ask)
        return replace(answer, stall=0.3) if known(ask) else answer

    fake.on("DELETE", rf"/v2/{NAME}/manifests/sha256:.+", later)
    return fake


def known(ask: Ask) -> bool:
    """Whether it is about a digest that there is: what a registry can do is asked by others."""
    return bool(ask.path.rpartition(":")[2].strip("0"))


def left(fake: Fake) -> set[str]:
    return set(fake.memory.repositories[NAME].tags)


@contextmanager
def begun(data: Path, fake: Fake) -> Iterator[subprocess.Popen[str]]:
    """A command that has deleted the first of its six tags."""
    arguments = ["delete", "main", NAME, "--matching", "*", "--yes", "--json"]
    process = subprocess.Popen(
        [*PYTHON, "-m", "regui", *arguments],
        env=environment(data, REGUI_REGISTRY_URL=fake.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert soon(lambda: len(left(fake)) < 6, PATIENCE)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_is_told_how_far_it_came(data: Path, slow: Fake, number: signal.Signals) -> None:
    desk = Desk(data, slow.url)
    with begun(data, slow) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "Stopping after this step" in err
    found = Done(process.returncode, out, err).object
    assert found["state"] == "partial"
    assert found["reason"].startswith("Stopped after ")
    results = [one["result"] for one in found["steps"] if one["do"] == "delete-digest"]
    assert results.count("done") == 6 - len(left(slow))
    assert results.count("cancelled") == len(left(slow)) > 0
    told = desk.run("activity", found["id"], "--json")
    assert (told.status, told.object) == (0, found)
    assert desk.yes("undo", found["id"]).status == 0
    assert len(left(slow)) == 6


def test_a_terminal_shows_how_far_it_is(data: Path, slow: Fake) -> None:
    with terminal(Desk(data, slow.url), "delete", "main", NAME, "--matching", "*", "--yes") as watched:
        watched.until("3/6")
        assert watched.status() == 0
    assert "takes it back" in watched.shown
    assert left(slow) == set()


def test_killed_in_the_middle_the_next_start_of_regui_goes_on(data: Path, slow: Fake) -> None:
    desk = Desk(data, slow.url)
    with begun(data, slow) as process:
        process.kill()
        process.wait(PATIENCE)
    assert 0 < len(left(slow)) < 6
    (listed,) = desk.run("activity", "--json").object["items"]
    assert (listed["state"], listed["kind"]) == ("running", "delete-tags")
    refused = desk.yes("undo", listed["id"])
    assert (refused.status, refused.object["error"]["code"]) == (2, "open")
    # Two minutes go by.
    free = "from regui.actions.models import Action; Action.objects.update(leased_until=None)"
    assert desk.run("shell", "-v0", "-c", free).status == 0
    with serving(data, REGUI_REGISTRY_URL=slow.url):
        assert soon(lambda: not left(slow), PATIENCE)
        assert soon(lambda: desk.run("activity", listed["id"], "--json").object["state"] == "done", PATIENCE)


def test_a_registry_that_falls_silent_for_a_moment_is_asked_again(data: Path, slow: Fake) -> None:
    tries = iter([error(503, "UNAVAILABLE"), Out(raw=b"")])

    def stumbling(ask: Ask) -> Out:
        return (next(tries, None) if known(ask) else None) or slow.memory.answer(ask)

    slow.on("DELETE", rf"/v2/{NAME}/manifests/sha256:.+", stumbling)
    done = Desk(data, slow.url).yes("delete", "main", NAME, "--matching", "*")
    assert (done.status, done.object["state"]) == (0, "done")
    assert left(slow) == set()


ALL = """\
policies:
  - name: all
    registry: main
    repositories: ['**']
    rules: [{drop: matching, tags: ['v*']}]
    otherwise: keep
"""


def tried(data: Path) -> bool:
    """Whether a run waits for its next try."""
    with closing(connect(data / "regui.sqlite3", timeout=20)) as database:
        return bool(database.execute("SELECT count(*) FROM actions_run WHERE pausing").fetchone()[0])


def test_a_run_of_a_policy_whose_registry_is_silent_ends_at_once_when_it_is_stopped(
    data: Path, slow: Fake
) -> None:
    desk, file = Desk(data, slow.url), data / "all.yml"
    file.write_text(ALL)
    assert desk.run("sync", "main").status == 0
    assert desk.run("policies", "import", str(file)).status == 0
    slow.close()
    process = subprocess.Popen(
        [*PYTHON, "-m", "regui", "retain", "main", "all", "--yes", "--json"],
        env=environment(data, REGUI_REGISTRY_URL=slow.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert soon(lambda: tried(data), PATIENCE)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode == 1
    assert "Stopping after this step" in err
    (run,) = Done(process.returncode, out, err).object["runs"]
    assert run["state"] == "cancelled"
    assert "declined it. Stopped after 0 of 1." in run["reason"]
    assert len(left(slow)) == 6
