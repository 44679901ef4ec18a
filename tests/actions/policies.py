"""Policies of the tests, and their runs carried out as a worker would."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from pytest_django import Settings

from regui.accounts.access import Actor
from regui.actions import run as actions
from regui.actions.models import Action, PolicyRow, Run
from regui.actions.retention import book, runs, turns
from regui.index import fetch
from regui.index.models import Registry
from regui.registries import RegistrySettings
from regui.retention.policy import Policy
from tests.actions.stand import ALICE, Stand

DROP_PULLS = [{"drop": "matching", "tags": ["pr-*"]}]


def policy(*repositories: str, name: str = "pulls", **more: Any) -> Policy:
    """A policy that drops what pull requests left behind, unless said otherwise."""
    plain = {"name": name, "registry": "main", "repositories": list(repositories) or ["**"]}
    return Policy.read({"rules": DROP_PULLS, "otherwise": "keep", "limit": "90%"} | plain | more)


def saved(one: Policy, actor: Actor = ALICE, now: datetime | None = None) -> PolicyRow:
    return book.save(actor, Registry.objects.get(name="main"), one, now or timezone.now())


def approved(one: Policy, actor: Actor = ALICE) -> PolicyRow:
    """A policy that somebody let go ahead before, without a run."""
    row = saved(one, actor)
    Run.objects.filter(policy=row.name).delete()
    PolicyRow.objects.filter(pk=row.pk).update(approved=one.fingerprint, allowed=one.plain())
    return PolicyRow.objects.get(pk=row.pk)


def fill(stand: Stand, *tags: str, name: str = "") -> dict[str, str]:
    """The digests of new images under these tags, which the index knows."""
    found = {tag: str(stand.registry.push(name or stand.name, tags=[tag])) for tag in tags}
    read(stand, name)
    return found


def read(stand: Stand, name: str = "") -> None:
    """Let the index know what the registry has of a repository by now."""
    there = Stand(stand.registry, stand.client, name or stand.name)
    reading = fetch.repository(there.repository, budget=60.0, max_age=timedelta(), every=True)
    assert reading.complete, reading


def work(run: Run) -> Run:
    """The run once nothing more is to be done by a worker now, actions that wait for one included."""
    for _ in range(20):
        Run.objects.filter(pk=run.pk).update(leased_until=None)
        mine = turns.claim(Run.objects.get(pk=run.pk), timezone.now())
        while action := actions.next_due(timezone.now()):
            actions.carry_out(action)
        if mine is None:
            break
        runs.carry_out(mine)
    return Run.objects.get(pk=run.pk)


def begun(row: PolicyRow, actor: Actor = ALICE, **how: Any) -> Run:
    return runs.begin(row, actor, Run.Trigger.PERSON, timezone.now(), **how)


def acted(run: Run) -> list[Action]:
    keys = run.parts.exclude(action="").values_list("action", flat=True)
    return list(Action.objects.filter(pk__in=list(keys)).order_by("repository"))


def silent(stand: Stand, settings: Settings) -> Run:
    """A run that waits for its next try: its registry fell silent before anything went."""
    fill(stand, "1.0", "1.1", "pr-1")
    run = work(begun(approved(policy(stand.name, limit="10%"))))
    run = runs.approve(run, ALICE, timezone.now())
    Registry.objects.update(url="http://127.0.0.1:9")
    settings.REGISTRIES = {"main": RegistrySettings("main", "http://127.0.0.1:9")}
    mine = turns.claim(run, timezone.now())
    assert mine
    run = runs.carry_out(mine)
    assert (run.state, run.tries) == (Run.State.RUNNING, 1)
    assert turns.next_due(timezone.now()) is None, "its time comes later"
    return run
