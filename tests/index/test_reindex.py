"""Reading a registry anew."""

import pytest
from django.utils import timezone

from regui.index import reindex, sync
from regui.index.models import BlobUse, Child, Manifest, Registry, Revision, Tag, TagMove
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
