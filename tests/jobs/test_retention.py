"""The worker's loop that runs policies: by schedule, once for all that was missed, and after a kill."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest

from tests.registry import RunningRegistry, open_registry
from tests.serving import PYTHON, environment, regui

PATIENCE = 90.0
POLICY = """
from datetime import timedelta
from django.utils import timezone
from regui.accounts.access import Actor, Role
from regui.actions.models import PolicyRow, Run
from regui.actions.retention import book
from regui.index.models import Registry
from regui.retention.policy import Policy

policy = Policy.read({
    "name": "pulls", "registry": "main", "repositories": ["**"], "otherwise": "keep", "limit": "90%",
    "rules": [{"drop": "matching", "tags": ["pr-*"]}], "schedule": "*/5 * * * *",
})
root = Actor("local:root", Role.ADMIN, trusted=True)
book.save(root, Registry.objects.get(), policy, timezone.now())
Run.objects.all().delete()
PolicyRow.objects.update(approved=policy.fingerprint, next_at=timezone.now() - timedelta(days=3))
"""


@pytest.fixture
def full(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry with four repositories, of which each has a tag that goes and two that stay."""
    running = open_registry(tmp_path / "full")
    for number in range(4):
        for tag in ("1.0", "1.1", "pr-1"):
            running.push(f"team/app-{number}", tags=[tag])
    yield running
    running.stop()


def tags(registry: RunningRegistry) -> set[str]:
    with registry.connect() as client:
        return {f"{number}:{tag}" for number in range(4) for tag in client.tags(f"team/app-{number}")}


STAY = {f"{number}:{tag}" for number in range(4) for tag in ("1.0", "1.1")}


@contextmanager
def workers(data: Path, count: int, **settings: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [*PYTHON, "-m", "regui", "worker"]
    found = [subprocess.Popen(command, env=environment(data, **settings)) for _ in range(count)]
    try:
        yield found
    finally:
        for one in found:
            one.terminate()
        for one in found:
            one.wait(PATIENCE)


def ask(data: Path, statement: str) -> list[Any]:
    with closing(connect(data / "regui.sqlite3", timeout=20)) as connected, connected:
        return connected.execute(statement).fetchall()


def until(come: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not come():
        assert time.monotonic() < end
        time.sleep(0.1)


def begin(data: Path, registry: RunningRegistry) -> dict[str, str]:
    """The settings, once the index knows the registry and a policy has missed three days."""
    known = {"REGUI_REGISTRY_URL": registry.url}
    for arguments in (("sync",), ("shell", "-c", POLICY)):
        done = regui(data, *arguments, **known)
        assert done.returncode == 0, done.stderr
    return known


def ended(data: Path) -> bool:
    return bool(ask(data, "SELECT 1 FROM actions_run WHERE finished_at IS NOT NULL"))


def test_two_workers_run_once_what_was_missed(full: RunningRegistry, data: Path) -> None:
    known = begin(data, full)
    with workers(data, 2, **known):
        until(lambda: ended(data))
        time.sleep(2)
    ran = ask(data, "SELECT state, trigger, actor, reason FROM actions_run")
    assert ran == [("done", "schedule", "local:root", "")]
    assert tags(full) == STAY
    repositories = ask(data, "SELECT repository FROM actions_action ORDER BY repository")
    assert repositories == [(f"team/app-{number}",) for number in range(4)], "each once"


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_killed_run_is_gone_on_with_and_nothing_done_twice(
    full: RunningRegistry, data: Path, after: int
) -> None:
    known = begin(data, full)
    with workers(data, 1, **known) as (first,):
        until(lambda: ask(data, "SELECT COUNT(*) FROM actions_part WHERE done") >= [(after,)])
        until(lambda: bool(ask(data, "SELECT 1 FROM actions_run")))
        first.send_signal(signal.SIGKILL)
        first.wait(PATIENCE)
    # As if its leases were over.
    ask(data, "UPDATE actions_run SET leased_until = NULL")
    ask(data, "UPDATE actions_action SET leased_until = NULL")
    with workers(data, 1, **known):
        until(lambda: ended(data))
    assert ask(data, "SELECT state FROM actions_run") == [("done",)]
    assert tags(full) == STAY
    counts = "SELECT repository, digest, COUNT(*) FROM actions_item WHERE do <> 'goes-along' GROUP BY 1, 2"
    steps = ask(data, counts)
    assert [count for _, _, count in steps] == [1] * 4, "each once"
