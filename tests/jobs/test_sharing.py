"""Several processes on one registry, some of them killed: nothing lost, nothing doubled."""

import os
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from tests import images
from tests.registry import RunningRegistry, open_registry
from tests.serving import PYTHON, environment, regui

REPOSITORIES, TAGS = 40, 6


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A registry with forty repositories of six tags, on three images each."""
    running = open_registry(tmp_path_factory.mktemp("full"))
    for number in range(REPOSITORIES):
        for image in range(TAGS // 2):
            built = images.image(layers=[f"{number} {image}".encode()])
            running.push_built(f"team/app-{number}", built, [f"{image}", f"{image}-again"])
    yield running
    running.stop()


def start(data: Path, url: str) -> subprocess.Popen[bytes]:
    """`regui sync`, in a process of its own."""
    return subprocess.Popen(
        [*PYTHON, "-m", "regui", "sync"],
        env=environment(data, REGUI_REGISTRY_URL=url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def rows(data: Path) -> dict[str, int]:
    """How many rows there are of what a crawl writes; each must be there once."""
    tables = ("repository", "tag", "manifest", "blob", "blobuse", "revision", "content")
    with closing(connect(data / "regui.sqlite3")) as database:
        found = {
            table: database.execute(f"SELECT COUNT(*) FROM index_{table}").fetchone()[0] for table in tables
        }
        found["unread"] = database.execute(
            "SELECT COUNT(*) FROM index_tag WHERE manifest_id IS NULL"
        ).fetchone()[0]
        found["moves"] = database.execute("SELECT COUNT(*) FROM index_tagmove").fetchone()[0]
        found["unsummed"] = database.execute(
            "SELECT COUNT(*) FROM index_repository WHERE size IS NULL OR tag_count <> 6"
        ).fetchone()[0]
    return found


@pytest.fixture(scope="module")
def whole(full: RunningRegistry, started: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The rows after one run that nothing disturbed."""
    data = Path(shutil.copytree(started, tmp_path_factory.mktemp("whole") / "data"))
    assert regui(data, "sync", REGUI_REGISTRY_URL=full.url).returncode == 0
    found = rows(data)
    assert (found["tag"], found["unread"], found["unsummed"], found["moves"]) == (240, 0, 0, 0)
    return found


def test_two_processes_share_one_round(full: RunningRegistry, whole: dict[str, int], data: Path) -> None:
    begin = len(full.requests())
    both = [start(data, full.url) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]

    assert rows(data) == whole
    listings = Counter(one.path for one in full.requests()[begin:] if "/tags/list" in one.path)
    assert len(listings) == REPOSITORIES
    # Whoever comes last may find a round that is done, and begins another; within one, each is read once.
    assert max(listings.values()) <= 2


def killed(data: Path, url: str, times: int, seed: int) -> int:
    """Start a run and kill it at a random moment, so many times; how many were killed before they ended."""
    chance, count = random.Random(seed), 0
    for _ in range(times):
        process = start(data, url)
        time.sleep(chance.uniform(0.7, 2.2))
        if process.poll() is None:
            process.kill()
            count += 1
        process.wait()
    return count


def check_after_kills(full: RunningRegistry, whole: dict[str, int], data: Path, times: int) -> None:
    killed(data, full.url, times, seed=int(os.environ.get("SEED", "1")))
    last = regui(data, "sync", REGUI_REGISTRY_URL=full.url)
    assert last.returncode == 0, last.stderr
    assert rows(data) == whole


def test_runs_that_are_killed_lose_nothing_and_double_nothing(
    full: RunningRegistry, whole: dict[str, int], data: Path
) -> None:
    check_after_kills(full, whole, data, times=3)


@pytest.mark.long
def test_runs_that_are_killed_often_lose_nothing_and_double_nothing(
    full: RunningRegistry, whole: dict[str, int], data: Path
) -> None:
    check_after_kills(full, whole, data, times=25)
