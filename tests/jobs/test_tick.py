"""The worker's upkeep: sums, and the day's snapshots."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui.accounts.models import AuditEntry
from regui.actions.models import Action, Kept
from regui.index import usage
from regui.index.models import Repository, Snapshot, Storage
from regui.jobs.tick import Ticker
from tests import factories

pytestmark = pytest.mark.django_db


def whole() -> list[int]:
    """The registry's tags in its snapshots, day by day."""
    return list(Snapshot.objects.filter(scope="").order_by("day").values_list("tags", flat=True))


def push(repository: Repository, tag: str) -> None:
    factories.tag(repository, tag, factories.manifest(repository), seen_at=timezone.now())
    usage.total(repository)


def test_upkeep_sums_up_and_keeps_what_the_day_came_to() -> None:
    repository = factories.repository("team/app")
    push(repository, "1.0")
    ticker = Ticker()
    ticker.look_after()
    assert whole() == [1]
    assert Snapshot.objects.filter(scope="team/app").get().tags == 1

    push(repository, "2.0")
    Storage.objects.update(as_of=timezone.now() - timedelta(hours=1))  # a pass is due again
    ticker.look_after()
    assert whole() == [2], "the day's later sums hold"


def test_each_day_has_a_snapshot_though_nothing_changed() -> None:
    repository = factories.repository("team/app")
    push(repository, "1.0")
    ticker = Ticker()
    ticker.look_after()
    Snapshot.objects.update(day=timezone.now().date() - timedelta(days=1))
    ticker.look_after()
    assert whole() == [1], "once a day"

    Ticker().look_after()
    assert whole() == [1, 1]


def test_bytes_are_let_go_of_once_a_day() -> None:
    old = timezone.now() - timedelta(days=91)
    action = Action.objects.create(
        registry="main", repository="team/app", kind="delete-digest", actor="alice", started_at=old
    )
    Action.objects.update(state=Action.State.DONE, finished_at=old)

    def keep(position: int) -> None:
        Kept.objects.create(
            action=action,
            position=position,
            repository="team/app",
            digest=f"sha256:{position:064}",
            media_type="application/vnd.oci.image.manifest.v1+json",
            deflated=b"",
        )

    keep(1)
    ticker = Ticker()
    ticker.look_after()
    assert Kept.objects.count() == 0
    keep(2)
    ticker.look_after()
    assert Kept.objects.count() == 1, "once a day"
    assert Action.objects.count() == 1


def test_upkeep_lets_go_of_what_the_journal_of_access_has_kept_for_long_enough(settings: Settings) -> None:
    now = timezone.now()
    for days in (11, 9):
        AuditEntry.objects.create(at=now - timedelta(days=days), what="signed-in", who=f"{days} days ago")
    settings.AUDIT_KEEP = timedelta()
    Ticker().forget()
    assert AuditEntry.objects.count() == 2, "nothing is set to end it"
    settings.AUDIT_KEEP = timedelta(days=10)
    Ticker().forget()
    assert AuditEntry.objects.get().who == "9 days ago"
