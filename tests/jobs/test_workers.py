"""Several workers on one registry, on each database and with each engine of tasks: all is read, and once."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from sqlite3 import connect
from typing import Any, LiteralString

import psycopg
import pytest

from tests import images
from tests.postgres import postgresql
from tests.redis import redis
from tests.registry import RunningRegistry, open_registry
from tests.serving import PYTHON, environment, regui

REPOSITORIES, TAGS, PATIENCE = 20, 4, 120
COUNTS = {"repository": 20, "tag": 80, "manifest": 40, "revision": 40, "content": 40, "tagmove": 0, "sync": 1}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A registry with twenty repositories of four tags, on two images each."""
    running = open_registry(tmp_path_factory.mktemp("full"))
    for number in range(REPOSITORIES):
        for image in range(TAGS // 2):
            built = images.image(layers=[f"{number} {image}".encode()])
            running.push_built(f"team/app-{number}", built, [f"{image}", f"{image}-again"])
    yield running
    running.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server's own database, beside one called `started` that has our tables."""
    with postgresql() as url:
        execute(url, "CREATE DATABASE started")
        known = {"REGUI_DATABASE_URL": of(url, "started")}
        migrated = regui(tmp_path_factory.mktemp("migrating"), "migrate", **known)
        assert migrated.returncode == 0, migrated.stderr
        yield url


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def database(request: pytest.FixtureRequest, data: Path) -> str:
    """The address of a database that has our tables and nothing in them."""
    if request.param == "SQLite":
        return f"sqlite:///{data}/regui.sqlite3"
    url = str(request.getfixturevalue("cluster"))
    execute(url, "DROP DATABASE IF EXISTS one WITH (FORCE)")
    execute(url, "CREATE DATABASE one TEMPLATE started")
    return of(url, "one")


def execute(url: str, statement: LiteralString) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connected:
        connected.execute(statement)


def of(url: str, name: str) -> str:
    """The address of another database of the same server."""
    return f"{url.rpartition('/')[0]}/{name}"


def ask(database: str, statement: str) -> Any:
    """The one value a statement finds."""
    address = database.removeprefix("sqlite:///")
    connected: Any = psycopg.connect(database) if address == database else connect(address)
    with closing(connected):
        return connected.execute(statement).fetchone()[0]


def rows(database: str) -> dict[str, int]:
    return {table: ask(database, f"SELECT COUNT(*) FROM index_{table}") for table in COUNTS}


@contextmanager
def running(
    data: Path, count: int, *arguments: str, **settings: str
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many processes of regui, until the block ends."""
    command = [*PYTHON, "-m", "regui", *arguments]
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            process = subprocess.Popen(command, env=environment(data, **settings))
            stack.callback(process.wait, PATIENCE)
            stack.callback(process.terminate)
            processes.append(process)
        yield processes


def work(data: Path, database: str, registry: RunningRegistry, workers: int, **settings: str) -> None:
    """Let so many workers read the registry once."""
    known = {"REGUI_DATABASE_URL": database, "REGUI_REGISTRY_URL": registry.url, **settings}
    with running(data, workers, "worker", **known):
        until = time.monotonic() + PATIENCE
        while not ask(database, "SELECT COUNT(*) FROM index_sync WHERE finished_at IS NOT NULL"):
            assert time.monotonic() < until, rows(database)
            time.sleep(0.2)


def listings(registry: RunningRegistry, begin: int) -> Counter[str]:
    """How often each repository's tags were listed, by the lines of the access log from there on."""
    return Counter(one.path for one in registry.requests()[begin:] if "/tags/list" in one.path)


def test_two_workers_read_a_registry_once(full: RunningRegistry, database: str, data: Path) -> None:
    begin = len(full.requests())

    work(data, database, full, 2)

    assert rows(database) == COUNTS
    assert list(listings(full, begin).values()) == [1] * REPOSITORIES


def test_two_runs_share_one_round(full: RunningRegistry, database: str, data: Path) -> None:
    known = {"REGUI_DATABASE_URL": database, "REGUI_REGISTRY_URL": full.url}
    begin = len(full.requests())

    with running(data, 2, "sync", **known) as both:
        assert [process.wait(PATIENCE) for process in both] == [0, 0]

    assert {**rows(database), "sync": 1} == COUNTS
    # Whoever comes last may find a round that is done, and begins another; within one, each is read once.
    assert max(listings(full, begin).values()) <= 2


def test_redis_may_carry_the_tasks(full: RunningRegistry, data: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{data}/regui.sqlite3"
    with redis(tmp_path) as url:
        work(data, database, full, 1, REGUI_TASKS="rq", REGUI_REDIS_URL=url)

    assert rows(database) == COUNTS
    assert ask(database, "SELECT COUNT(*) FROM django_tasks_database_dbtaskresult") == 0
