"""The secret key is changed, as whoever runs regui does it: in the environment, process by process."""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.registry import USER, RunningRegistry, basic_registry
from tests.serving import PYTHON, environment, regui

MANY = 300
ENTER = """
from django.utils import timezone
from regui.index import book
from regui.registries import RegistrySettings
for name in {names}:
    record = RegistrySettings(name, {url!r}, {username!r}, {password!r}, prefix="")
    book.write(record, "alice", timezone.now(), new=True)
"""
OPENED = f"""
from regui.index import book
from regui.index.models import Entry
print(sum(book.read(entry).password == {USER.password!r} for entry in Entry.objects.all()))
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A real registry that wants a password."""
    running = basic_registry(tmp_path_factory.mktemp("locked"))
    running.push("team/app", tags=["1.0"])
    yield running
    running.stop()


def shell(data: Path, code: str, key: str) -> str:
    """What some code prints that runs in regui with that secret key."""
    done = regui(data, "shell", "-v0", "-c", code, REGUI_SECRET_KEY=key)
    assert done.returncode == 0, done.stderr
    return done.stdout


def enter(data: Path, url: str, names: list[str]) -> None:
    """Have registries of these names entered at a time when the secret key was "first"."""
    code = ENTER.format(names=names, url=url, username=USER.username, password=USER.password)
    shell(data, code, "first")


def test_a_new_secret_key_takes_over_without_anything_being_entered_again(
    data: Path, locked: RunningRegistry, tmp_path: Path
) -> None:
    enter(data, locked.url, ["prod"])
    before = tmp_path / "before"
    before.write_text("zeroth\nfirst\n")

    both = {"REGUI_SECRET_KEY": "second", "REGUI_SECRET_KEY_OLD_FILE": str(before)}
    assert regui(data, "sync", "prod", **both).returncode == 0
    resealed = regui(data, "reseal", **both)
    assert (resealed.returncode, resealed.stderr) == (0, "")
    assert "index.Entry password: 1 sealed anew, 0 were already\n" in resealed.stdout
    assert "index.Entry password: 0 sealed anew, 1 were already\n" in regui(data, "reseal", **both).stdout

    alone = regui(data, "sync", "prod", REGUI_SECRET_KEY="second")
    assert (alone.returncode, alone.stderr) == (0, "")


def test_what_the_key_before_signed_still_counts(data: Path) -> None:
    sign = "from django.core import signing; print(signing.dumps('alice'))"
    signed = shell(data, sign, "first").strip()
    check = f"from django.core import signing; print(signing.loads({signed!r}))"
    both = {"REGUI_SECRET_KEY": "second", "REGUI_SECRET_KEY_OLD": "first"}
    assert regui(data, "shell", "-v0", "-c", check, **both).stdout == "alice\n"
    assert "BadSignature" in regui(data, "shell", "-v0", "-c", check, REGUI_SECRET_KEY="second").stderr


def test_with_a_foreign_key_every_command_says_what_to_do_and_none_breaks(
    data: Path, locked: RunningRegistry
) -> None:
    enter(data, locked.url, ["prod"])
    sync = regui(data, "sync", "prod", REGUI_SECRET_KEY="foreign")
    assert sync.returncode == 1
    assert "prod: The password or key kept of the registry prod can't be opened." in sync.stderr
    resealed = regui(data, "reseal", REGUI_SECRET_KEY="foreign")
    assert resealed.returncode == 1
    assert "index.Entry password of prod: no key that is named opens it" in resealed.stderr
    assert "REGUI_SECRET_KEY_OLD" in resealed.stderr
    listed = regui(data, "registries", REGUI_SECRET_KEY="foreign")
    assert listed.stdout == f"prod\t{locked.url}\tadded by alice; what is sealed can't be opened\n"
    said = "".join(done.stdout + done.stderr for done in (sync, resealed, listed))
    assert USER.password not in said
    assert "Traceback" not in said
    assert regui(data, "sync", "prod", REGUI_SECRET_KEY="first").returncode == 0


def test_a_reseal_that_was_killed_is_gone_on_with(data: Path) -> None:
    enter(data, "http://127.0.0.1:9", [f"r{number}" for number in range(MANY)])
    kept = passwords(data)
    both = {"REGUI_SECRET_KEY": "second", "REGUI_SECRET_KEY_OLD": "first"}
    process = subprocess.Popen([*PYTHON, "-m", "regui", "reseal"], env=environment(data, **both))
    while process.poll() is None and passwords(data) == kept:
        pass
    process.kill()
    process.wait()
    assert 0 < len(passwords(data) - kept) < MANY

    assert regui(data, "reseal", **both).returncode == 0
    assert shell(data, OPENED, "second") == f"{MANY}\n"


def passwords(data: Path) -> set[str]:
    """What the database holds of passwords."""
    with closing(sqlite3.connect(data / "regui.sqlite3", timeout=30)) as database:
        return {row[0] for row in database.execute("SELECT password FROM index_entry")}
