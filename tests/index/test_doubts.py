"""What a registry no longer shows is kept while that may be trouble, and told of when it has really left."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from regui import oci
from regui.index import fetch, history, sync
from regui.index.models import Registry, Repository, Sync, Tag, TagMove
from tests import images
from tests.fake import Fake
from tests.index.conftest import age
from tests.memory import error, out
from tests.registry import RunningRegistry

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(stoppable: RunningRegistry, stoppable_row: Registry) -> Registry:
    """Five repositories of four tags, all read."""
    for number in range(5):
        for tag in ("1", "2", "3", "4"):
            stoppable.push(f"team/app-{number}", tags=[tag])
    assert sync.run(stoppable_row).tags == 20
    return stoppable_row


def on() -> dict[tuple[str, str], str]:
    """What every listed tag is on by the index."""
    rows = Tag.objects.listed().exclude(manifest=None)
    return {
        (repository, name): digest
        for repository, name, digest in rows.values_list("repository__name", "name", "manifest__digest")
    }


def moves(name: str) -> list[tuple[str, str, str]]:
    repository = Repository.objects.get(name=name)
    return [(move.tag, move.before, move.after) for move in history.of_repository(repository)][::-1]


def folder(registry: RunningRegistry, name: str) -> Path:
    return registry.storage / "docker/registry/v2/repositories" / name


def test_a_disk_that_isnt_there_takes_nothing_away(stoppable: RunningRegistry, filled: Registry) -> None:
    before, sizes = on(), dict(Repository.objects.values_list("name", "size"))
    away = stoppable.storage.rename(stoppable.folder / "away")
    for _ in range(3):
        assert "it listed 5 repositories before" in sync.run(filled).problem
    for row in Repository.objects.all():
        age(row)
        assert fetch.repository(row, first=["1"], budget=20).problem
        assert "it listed 4 tags before" in Repository.objects.get(pk=row.pk).doubt
    assert on() == before
    assert dict(Repository.objects.values_list("name", "size")) == sizes
    shutil.rmtree(stoppable.storage, ignore_errors=True)
    away.rename(stoppable.storage)
    assert sync.run(filled).problem == ""
    assert on() == before
    assert not Repository.objects.exclude(doubt="").exists()
    assert not Tag.objects.exclude(problem="").exists()
    assert not TagMove.objects.exists(), "nothing has moved"


def test_a_list_that_lacks_most_is_doubted_until_a_person_confirms_it(
    stoppable: RunningRegistry, filled: Registry
) -> None:
    before = {tag: digest for (name, tag), digest in on().items() if name == "team/app-1"}
    with stoppable.connect() as client:
        for tag in ("1", "2", "3"):
            client.delete_manifest("team/app-1", oci.Digest(before[tag]))
    for _ in range(3):
        sync.run(filled)
        row = Repository.objects.get(name="team/app-1")
        assert row.doubt == "The registry no longer lists 3 of 4 tags; they are kept here."
        assert row.tags.listed().count() == 4
    fetch.confirm(row)
    sync.run(filled)
    assert set(row.tags.values_list("name", flat=True)) == {"4"}
    assert sorted(moves("team/app-1")) == [(tag, before[tag], "") for tag in ("1", "2", "3")]


def test_what_a_doubted_registry_denies_is_shown_as_it_was(
    stoppable: RunningRegistry, filled: Registry
) -> None:
    before = on()["team/app-0", "1"]
    stoppable.storage.rename(stoppable.folder / "away")
    sync.run(filled)
    row = Repository.objects.select_related("registry").get(name="team/app-0")
    for reference in ("1", before):
        manifest, reading = fetch.manifest(row, reference, max_age=timedelta(), budget=20, lenient=True)
        assert manifest.digest == before
        assert "it listed 4 tags before" in reading.problem
    with pytest.raises(oci.NotFound):
        fetch.manifest(row, "never-seen", budget=20, lenient=True)
    with pytest.raises(oci.NotFound):
        fetch.manifest(row, "1", max_age=timedelta(), budget=20)


def test_a_repository_that_left_the_catalog_leaves_and_its_tags_are_told_of(
    stoppable: RunningRegistry, filled: Registry
) -> None:
    before = {tag: digest for (name, tag), digest in on().items() if name == "team/app-2"}
    shutil.rmtree(folder(stoppable, "team/app-2"))
    sync.run(filled)
    row = Repository.objects.get(name="team/app-2")
    assert row.gone_at is not None
    assert not row.tags.listed().exists()
    sync.run(filled)
    assert not row.tags.exists()
    assert sorted(moves("team/app-2")) == [(tag, before[tag], "") for tag in sorted(before)]
    assert len(on()) == 16


def test_a_repository_that_comes_back_between_two_catalogs_lost_nothing(
    stoppable: RunningRegistry, filled: Registry
) -> None:
    before = on()
    away = folder(stoppable, "team/app-2").rename(stoppable.folder / "app-2")
    sync.run(filled)
    away.rename(folder(stoppable, "team/app-2"))
    sync.run(filled)
    assert on() == before
    assert not TagMove.objects.exists()


@pytest.mark.parametrize("answer", [error(404, "MANIFEST_UNKNOWN"), out(200, b"not json", oci.OCI_MANIFEST)])
def test_a_tag_that_was_unreadable_for_a_while_keeps_where_it_came_from(
    fake: Fake, fake_row: Registry, answer: object
) -> None:
    with oci.Client(fake.url) as client:
        old = images.push(client, "team/app", images.image(), ["1", "other"])
        sync.run(fake_row)
        trouble = [answer]
        fake.on("GET", "/v2/team/app/manifests/1", lambda _: trouble[0])  # type: ignore[arg-type,return-value]
        sync.run(fake_row)
        tag = Tag.objects.select_related("manifest").get(name="1")
        assert tag.problem
        assert tag.manifest is not None
        assert tag.manifest.digest == old
        trouble[0] = None
        new = images.push(client, "team/app", images.image(), ["1"])
    sync.run(fake_row)
    tag.refresh_from_db()
    assert (tag.problem, on()["team/app", "1"]) == ("", new)
    assert moves("team/app") == [("1", old, new)]


def test_what_cant_be_read_fails_a_run_by_name(fake: Fake, fake_row: Registry) -> None:
    with oci.Client(fake.url) as client:
        images.push(client, "team/app", images.image(), ["1"])
    fake.on("GET", "/v2/team/app/manifests/1", out(200, b"not json", oci.OCI_MANIFEST))
    (failure,) = sync.run(fake_row).failures
    assert failure["repository"] == "team/app"
    assert failure["problem"].startswith("1: ")


def test_a_run_that_somebody_waits_for_reads_again_what_another_read_long_ago(
    fake: Fake, fake_row: Registry
) -> None:
    with oci.Client(fake.url) as client:
        images.push(client, "team/app", images.image(), ["1"])
        sync.run(fake_row)
        # A round that was killed a while ago, when it had read this.
        then, later = timezone.now() - timedelta(hours=2), timezone.now() + timedelta(hours=1)
        Sync.objects.create(registry=fake_row, started_at=then)
        Repository.objects.update(tried_at=then, due_at=later)
        images.push(client, "team/app", images.image(), ["2"])
    sync.run(fake_row)
    assert set(Tag.objects.values_list("name", flat=True)) == {"1", "2"}


def test_pushes_to_an_empty_disk_dont_end_the_doubt(stoppable: RunningRegistry, filled: Registry) -> None:
    before = on()
    stoppable.storage.rename(stoppable.folder / "away")
    sync.run(filled)
    for number in range(6):
        stoppable.push("team/app-1", tags=[f"new-{number}"])
        stoppable.push(f"team/new-{number}", tags=["1"])
    for _ in range(3):
        assert sync.run(filled).problem
    assert before.items() <= on().items()
    assert ("team/app-1", "new-5") in on()


def test_a_disk_that_goes_between_the_listing_and_the_asking_takes_nothing_away(
    fake: Fake, fake_row: Registry
) -> None:
    with oci.Client(fake.url) as client:
        for tag in ("1", "2", "3"):
            images.push(client, "team/app", images.image(), [tag])
    sync.run(fake_row)
    before = on()
    fake.on("GET", r"/v2/team/app/manifests/.+", error(404, "MANIFEST_UNKNOWN"))
    sync.run(fake_row)
    fake.on("GET", r"/v2/team/app/tags/list", out(200, {"name": "team/app", "tags": None}))
    for _ in range(3):
        sync.run(fake_row)
    assert Repository.objects.get().doubt
    assert on() == before
