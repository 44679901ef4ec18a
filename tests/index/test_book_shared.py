"""The address book is one for all processes: what one writes, the others go by at once."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.registry import USER, RunningRegistry, basic_registry
from tests.serving import regui, serving

WRITE = """
from django.utils import timezone
from regui.index import book
from regui.registries import RegistrySettings
record = RegistrySettings("prod", {url!r}, {username!r}, {password!r}, prefix="")
book.write(record, "alice", timezone.now(), new={new})
"""
HIDE = """
from django.utils import timezone
from regui.index import book
book.hide("prod", "alice", timezone.now())
"""


def write(data: Path, url: str, password: str, *, new: bool) -> None:
    """Write the entry in a process of its own."""
    run(data, WRITE.format(url=url, username=USER.username, password=password, new=new))


def run(data: Path, code: str) -> None:
    done = regui(data, "shell", "-v0", "-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def rounds(data: Path) -> int:
    """How many repositories the rounds that ended well have read."""
    question = "SELECT coalesce(sum(repositories), 0) FROM index_sync WHERE finished_at IS NOT NULL"
    with closing(sqlite3.connect(data / "regui.sqlite3", timeout=30)) as database:
        return int(database.execute(f"{question} AND problem = ''").fetchone()[0])


def test_an_edit_elsewhere_counts_without_a_restart(data: Path, tmp_path: Path) -> None:
    locked = basic_registry(tmp_path / "locked")
    try:
        locked.push("team/app", tags=["1.0"])
        with serving(data, "serve", "--no-worker") as site:
            assert site.get("/prod/").status == 404
            write(data, locked.url, "wrong", new=True)
            page = site.get("/prod/")
            assert "team/app" not in page.text
            assert "credentials" in page.text
            write(data, locked.url, USER.password, new=False)
            assert "team/app" in site.get("/prod/").text
            run(data, HIDE)
            assert site.get("/prod/").status == 404
        assert not any(USER.password in line for line in site.output)
    finally:
        locked.stop()


def test_a_worker_reads_a_registry_as_soon_as_it_is_entered(data: Path, registry: RunningRegistry) -> None:
    registry.push(registry.unique(), tags=["1.0"])
    with serving(data, "worker"):
        write(data, registry.url, "", new=True)
        deadline = time.monotonic() + 60
        while not rounds(data) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert rounds(data) > 0
