"""The journal on the command line."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from regui.actions import journal, plans
from regui.actions.models import Action
from regui.actions.plans import Plan, Step, TagOn
from tests import factories
from tests.actions.stand import ALICE

pytestmark = pytest.mark.usefixtures("known")


def waiting(repository: str, tags: list[str], minutes: int = 0) -> Action:
    """An action that began so long ago."""
    digest = factories.digest(repository)
    plan = Plan(
        plans.DELETE_DIGEST,
        "main",
        repository,
        digest,
        steps=(Step(plans.DELETE_DIGEST, repository, digest),),
        tags=tuple(TagOn(tag, digest) for tag in tags),
    )
    return journal.begin(plan, ALICE, [], timezone.now() - timedelta(minutes=minutes), held=False)


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    call_command("activity", *arguments, "--json")
    said = capsys.readouterr()
    assert said.err == ""
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_the_newest_stand_first_and_pages_meet(capsys: pytest.CaptureFixture[str]) -> None:
    begun = [waiting(f"team/app-{number}", ["1.0"], minutes=number // 2) for number in range(7)]
    wanted = [one.pk for one in sorted(begun, key=lambda one: (one.started_at, one.pk), reverse=True)]
    found: list[str] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        before = ["--before", page["next"]] if page["next"] else []
        page = listed(capsys, "--limit", "3", *before)
        assert len(page["items"]) <= 3
        found += [one["id"] for one in page["items"]]
    assert found == wanted


def test_it_speaks_the_language_of_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    one = waiting("team/app", ["1.0", "latest"])
    waiting("team/web", ["2.0"])
    for query in ("tag:latest", "repo:team/app", "latest", "team/app waiting"):
        (found,) = listed(capsys, "--matching", query)["items"]
        assert (found["id"], found["tags"]) == (one.pk, ["1.0", "latest"])
    call_command("activity", "--matching", "tag:latest")
    line = capsys.readouterr().out
    assert line.startswith(f"{one.pk}  ")
    assert line.endswith("waiting      Deleting 1.0, latest from main/team/app  by alice\n")


def test_a_list_costs_the_same_however_much_was_done(
    capsys: pytest.CaptureFixture[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    waiting("team/app-0", [])
    with django_assert_num_queries(2):
        listed(capsys)
    for number in range(20):
        waiting(f"team/app-{number}", [f"v{tag}" for tag in range(30)])
    with django_assert_num_queries(2):
        items = listed(capsys)["items"]
    assert len(items) == 21
    assert {len(one["tags"]) for one in items} == {0, 20}, "the first of many"


def test_one_action_is_told_whole(capsys: pytest.CaptureFixture[str]) -> None:
    action = waiting("team/app", [f"v{number}" for number in range(30)])
    found = listed(capsys, action.pk)
    assert (found["id"], found["state"], len(found["steps"])) == (action.pk, "waiting", 31)
    call_command("activity", action.pk)
    assert capsys.readouterr().out.count("\n  waits: v") == 30


def test_what_a_registry_said_does_not_reach_the_terminal_as_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    action = waiting("team/app", ["1.0"])
    reason = "It said \x1b[2J\x1b]0;title\x07 [red]no[/red]."
    Action.objects.filter(pk=action.pk).update(state="failed", reason=reason)
    call_command("activity", action.pk)
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "[red]no[/red]" in said


def test_what_waits_is_stopped_by_undoing_it(capsys: pytest.CaptureFixture[str]) -> None:
    action = waiting("team/app", ["1.0"])
    with pytest.raises(CommandError, match="hasn't ended"):
        call_command("undo", action.pk, "--dry-run")
    assert Action.objects.get().state == "waiting"
    call_command("undo", action.pk)
    assert "nothing was changed" in capsys.readouterr().out
    assert Action.objects.get().state == "cancelled"
