"""Reading a registry anew."""

import shutil

import pytest
from django.utils import timezone

from regui.index import listing, reindex, sync
from regui.index.models import BlobUse, Child, Manifest, Registry, Repository, Revision, Tag, TagMove
from tests.registry import RunningRegistry

pytestmark = pytest.mark.django_db


def test_all_comes_back_and_nothing_is_lost(registry: RunningRegistry, index_registry: Registry) -> None:
    registry.wipe()
    registry.push("a", tags=["1", "2"])
    registry.push_index("multi", tags=["1"], attested=True)
    sync.run(index_registry)
    registry.push("a", tags=["1"])
    sync.run(index_registry)
    tables = (Manifest, Child, BlobUse, Revision, TagMove)
    before = [table.objects.count() for table in tables]
    first_seen = dict(Tag.objects.values_list("pk", "first_seen_at"))

    assert reindex.forget(index_registry, timezone.now()) == 7
    assert Manifest.objects.filter(read_at=None).count() == 7
    run = sync.run(index_registry)

    assert (run.problem, run.manifests) == ("", 7)
    assert [table.objects.count() for table in tables] == before
    assert dict(Tag.objects.values_list("pk", "first_seen_at")) == first_seen
    assert not Manifest.objects.filter(read_at=None).exists()


def test_what_the_registry_is_in_doubt_about_keeps_what_is_known_of_it(
    stoppable: RunningRegistry, stoppable_row: Registry
) -> None:
    """A registry without its disk can't bring anything back."""
    for tag in ("1", "2", "3", "4"):
        stoppable.push("team/app", tags=[tag])
    stoppable.push("team/other", tags=["1"])
    sync.run(stoppable_row)
    shutil.rmtree(stoppable.storage / "docker/registry/v2/repositories/team/app/_manifests/tags")
    sync.run(stoppable_row)
    assert Repository.objects.get(name="team/app").doubt
    assert reindex.forget(stoppable_row, timezone.now()) == 1
    unread = Manifest.objects.filter(read_at=None)
    assert list(unread.values_list("tags__repository__name", flat=True)) == ["team/other"]
    stoppable_row.refresh_from_db()
    assert sync.run(stoppable_row).problem == ""
    assert not Manifest.objects.filter(read_at=None).exists()


def test_a_tag_that_leads_nowhere_keeps_what_it_was_on(
    stoppable: RunningRegistry, stoppable_row: Registry
) -> None:
    digest = stoppable.push("team/app", tags=["1"])
    stoppable.push("team/app", tags=["2"])
    sync.run(stoppable_row)
    revisions = stoppable.storage / "docker/registry/v2/repositories/team/app/_manifests/revisions"
    shutil.rmtree(revisions / "sha256" / digest.hex)
    # 2.8.2 answers 304 for what it no longer has, as long as it is asked with an ETag.
    Tag.objects.filter(name="1").update(problem="It could not be read.")
    sync.run(stoppable_row)
    assert Tag.objects.get(name="1").problem == listing.DANGLING
    assert reindex.forget(stoppable_row, timezone.now()) == 1
    assert Manifest.objects.get(digest=digest).read_at
