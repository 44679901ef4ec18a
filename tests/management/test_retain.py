"""`regui retain`: what would go and why, what is asked, and what its exit status says."""

import json
import threading
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from regui.accounts.access import Actor, Role
from regui.actions.models import PolicyRow, Run
from regui.actions.retention import book, runs, turns
from regui.index import fetch
from regui.index.models import Registry, Repository
from regui.management import foreground
from regui.management.commands.retain import Command, status_of
from regui.management.speaking import DONE, DROPS, FAILED, PERSON, REFUSED, Refusal
from regui.registries import RegistrySettings
from tests.actions.policies import policy
from tests.people import token
from tests.registry import RunningRegistry

pytestmark = pytest.mark.django_db

ROOT = Actor("local:root", Role.ADMIN, trusted=True)


@pytest.fixture
def there(known: None, registry: RunningRegistry, name: str) -> Repository:
    """A repository with tags of two pull requests, and a policy for it that nobody approved yet."""
    for tag in ("1.0", "pr-1", "pr-2"):
        registry.push(name, tags=[tag])
    main = Registry.objects.get(name="main")
    row = Repository(registry=main, name=name, first_seen_at=timezone.now())
    assert fetch.repository(row, budget=60.0, max_age=timedelta(), every=True).complete
    book.save(ROOT, main, policy(name), timezone.now())
    return main.repositories.get(name=name)


def tags(registry: RunningRegistry, name: str) -> set[str]:
    with registry.connect() as client:
        return set(client.tags(name))


def retain(*arguments: str) -> int:
    """The exit status."""
    try:
        call_command("retain", *arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return DONE


def test_a_dry_run_says_why_each_tag_would_go_and_changes_nothing(
    there: Repository, registry: RunningRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retain("main", "--dry-run") == DROPS
    said = capsys.readouterr().out
    assert "3 tags in 1 repository: 1 stay, 2 go" in said
    assert f"{there.name}: 2 of 3 tags" in said
    assert "pr-1 (sha256:" in said
    assert "dropped: rule 1" in said
    assert tags(registry, there.name) == {"1.0", "pr-1", "pr-2"}
    assert Run.objects.filter(state=Run.State.ASKING).count() == 0


def test_what_nobody_approved_asks_and_yes_approves_it(
    there: Repository, registry: RunningRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retain("main", "pulls") == PERSON
    assert "Nobody has approved this policy yet." in capsys.readouterr().err
    assert tags(registry, there.name) == {"1.0", "pr-1", "pr-2"}

    assert retain("--yes") == DONE
    assert "Dropped 2 of 2 tags, left 0; deleted 2 digests" in capsys.readouterr().out
    assert tags(registry, there.name) == {"1.0"}
    assert PolicyRow.objects.get().is_approved
    assert retain("main", "--dry-run") == DONE, "nothing is left to go"
    assert retain() == DONE


def test_a_whole_run_is_taken_back(
    there: Repository, registry: RunningRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retain("--yes") == DONE
    run = Run.objects.get()
    assert tags(registry, there.name) == {"1.0"}
    capsys.readouterr()

    call_command("undo", run.pk, "--dry-run")
    assert f"{there.name}: 2 tags come back" in capsys.readouterr().out
    with pytest.raises(Refusal, match="Nobody agreed to this"):
        call_command("undo", run.pk)
    assert tags(registry, there.name) == {"1.0"}

    call_command("undo", run.pk, "--yes")
    assert "Done." in capsys.readouterr().out
    assert tags(registry, there.name) == {"1.0", "pr-1", "pr-2"}
    assert not PolicyRow.objects.get().is_approved
    with pytest.raises(Refusal, match="There is nothing to take back of the run"):
        call_command("undo", run.pk, "--yes")


def test_a_run_that_asks_can_not_be_taken_back(there: Repository) -> None:
    assert retain() == PERSON
    with pytest.raises(Refusal, match="hasn't ended yet"):
        call_command("undo", Run.objects.get().pk, "--yes")


def test_one_object_tells_a_program_all_of_it(there: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    assert retain("main", "--dry-run", "--json") == DROPS
    found = json.loads(capsys.readouterr().out)
    (run,) = found["runs"]
    assert (run["state"], run["policy"], run["drops"], run["keeps"]) == ("dry", "pulls", 2, 1)
    (part,) = run["parts"]
    assert [one["tag"] for one in part["dropped"]] == ["pr-2", "pr-1"]
    assert all(one["digest"].startswith("sha256:") and one["reason"] for one in part["dropped"])
    assert {"keep": False, "how": "rule", "rule": 1, "policy": "", "tags": 2} in run["counts"]


def test_a_policy_that_is_paused_runs_only_by_its_name(there: Repository) -> None:
    book.pause(PolicyRow.objects.get(), ROOT, timezone.now(), paused=True)
    assert retain("main", "--dry-run") == DONE
    assert retain("main", "pulls", "--dry-run") == DROPS


def test_a_policy_that_is_not_there_is_refused(there: Repository) -> None:
    with pytest.raises(Refusal, match=r"There is no policy named releases, only pulls\."):
        retain("main", "releases")


def test_a_run_that_fails_says_so(there: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    asks = runs.begin(PolicyRow.objects.get(), ROOT, Run.Trigger.COMMAND, timezone.now())
    assert retain("main") == PERSON
    Run.objects.filter(pk=asks.pk).update(state=Run.State.RUNNING, actor="nobody")
    assert retain("main") == FAILED
    said = capsys.readouterr().err
    assert f"{there.name}: There is no account of nobody any more." in said
    assert "pulls: Failed. 1 of 1 repository was not done" in said


def silence(settings: Settings) -> Run:
    """A run that was let go ahead; its registry answers no more."""
    asks = runs.begin(PolicyRow.objects.get(), ROOT, Run.Trigger.COMMAND, timezone.now())
    asks = foreground.carry_out_run(asks, ROOT, threading.Event())
    Registry.objects.update(url="http://127.0.0.1:9")
    settings.REGISTRIES = {"main": RegistrySettings("main", "http://127.0.0.1:9")}
    return runs.approve(asks, ROOT, timezone.now())


def test_a_run_whose_registry_stays_silent_is_left_to_a_worker(
    there: Repository, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.monotonic()
    left = foreground.carry_out_run(silence(settings), ROOT, threading.Event(), patience=4)
    assert time.monotonic() - begun < 30
    assert left.state == Run.State.RUNNING
    assert left.tries >= 2, "it asked again"
    command = Command()
    command.actor = ROOT
    command.conclude(left)
    said = capsys.readouterr().err
    assert "pulls: left to a worker: Nothing went on for a minute and a half." in said
    assert "refuses connections" in said
    assert status_of(left) == FAILED


def test_a_run_whose_registry_is_silent_ends_at_once_when_it_is_stopped(
    there: Repository, settings: Settings
) -> None:
    run, stop = silence(settings), threading.Event()
    threading.Timer(2, stop.set).start()
    begun, work = time.monotonic(), time.process_time()
    ended = foreground.carry_out_run(run, ROOT, stop, patience=60)
    assert time.monotonic() - begun < 20
    assert time.process_time() - work < 2, "it waits, and doesn't spin"
    assert (ended.state, ended.reason) == (
        Run.State.CANCELLED,
        "local:root declined it. Stopped after 0 of 1.",
    )


def test_who_is_stopped_while_a_worker_has_the_run_waits_for_it_without_spinning(
    there: Repository, settings: Settings
) -> None:
    run, stop = silence(settings), threading.Event()
    assert turns.claim(run, timezone.now())
    stop.set()
    work = time.process_time()
    left = foreground.carry_out_run(run, ROOT, stop, patience=3)
    assert time.process_time() - work < 0.5
    assert (left.state, left.stop) == (Run.State.RUNNING, True)


def test_who_is_stopped_does_not_begin_with_the_next_repository(
    there: Repository, registry: RunningRegistry
) -> None:
    asks = runs.begin(PolicyRow.objects.get(), ROOT, Run.Trigger.COMMAND, timezone.now())
    run = runs.approve(foreground.carry_out_run(asks, ROOT, threading.Event()), ROOT, timezone.now())
    mine = turns.claim(run, timezone.now())
    assert mine

    def step() -> bool:
        runs.decline(run, ROOT, timezone.now())
        return False

    assert runs.carry_out(mine, step).state == Run.State.CANCELLED
    assert tags(registry, there.name) == {"1.0", "pr-1", "pr-2"}


def test_a_token_runs_only_what_its_scope_allows(
    there: Repository, registry: RunningRegistry, settings: Settings
) -> None:
    settings.TOKEN = token(Role.READER)
    with pytest.raises(Refusal, match="may not delete from main"):
        retain("main")
    settings.TOKEN = token(Role.MAINTAINER, name="cleaner")
    assert retain("main", "--yes") == DONE
    assert tags(registry, there.name) == {"1.0"}
    assert Run.objects.latest().actor == "robot:cleaner"


def test_a_token_of_too_few_rights_is_refused_and_not_told_that_there_is_nothing_to_do(
    there: Repository, settings: Settings
) -> None:
    settings.TOKEN = token(Role.READER)
    with pytest.raises(Refusal, match="may not delete from main") as refused:
        retain("--dry-run")
    assert refused.value.returncode == REFUSED

    settings.TOKEN = token(Role.MAINTAINER, "elsewhere/**", name="elsewhere")
    for place in ([], ["main"]):
        with pytest.raises(Refusal, match=r"robot:elsewhere may see only policies of their own, and there"):
            retain(*place, "--dry-run")


def test_there_is_nothing_to_do_where_there_are_no_policies(
    known: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retain("--dry-run") == DONE
    assert capsys.readouterr().out == "There is no policy to run.\n"
