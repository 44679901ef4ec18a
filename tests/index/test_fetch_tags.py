"""Reading through to repositories, against the real registry: what is asked, and when nothing is."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.demo import images as demo
from regui.index import fetch
from regui.index.models import Manifest, Registry, Repository, Tag
from tests import images
from tests.index.conftest import registered
from tests.registry import RunningRegistry

pytestmark = pytest.mark.django_db

# Seconds: what a page would wait is not the matter here, and the machine may be busy.
PATIENT = 20.0


def unsaved(registry: Registry, name: str) -> Repository:
    return Repository(registry=registry, name=name, first_seen_at=timezone.now())


def asked(registry: RunningRegistry, name: str) -> list[str]:
    """The requests about a repository so far, as "GET tags/list 200"."""
    return [
        f"{one.method} {one.path.partition(name)[2].partition('?')[0].strip('/')} {one.status}"
        for one in registry.requests()
        if f"/{name}/" in one.path and one.user_agent.startswith("regui/") and "uploads" not in one.path
    ]


def grow_old(repository: Repository) -> None:
    """Let two minutes pass for all that is known of a repository."""
    past = timezone.now() - timedelta(minutes=2)
    repository.tags.update(seen_at=past)
    repository.revisions.update(seen_at=past)
    Repository.objects.filter(pk=repository.pk).update(listed_at=past)
    repository.refresh_from_db()


def on(repository: Repository) -> dict[str, str]:
    """The digest each listed tag is on."""
    tags = repository.tags.listed().select_related("manifest")
    return {tag.name: tag.manifest.digest if tag.manifest else "" for tag in tags}


def test_what_was_pushed_is_shown(registry: RunningRegistry, index_registry: Registry) -> None:
    name = registry.unique()
    image = registry.push(name, tags=["1", "latest"], labels={"team": "ops"})
    index = registry.push_index(name, tags=["multi"], attested=True)
    repository = unsaved(index_registry, name)
    reading = fetch.repository(repository, budget=PATIENT)

    assert (reading.problem, reading.complete) == ("", True)
    assert on(repository) == {"1": image, "latest": image, "multi": index}
    assert repository.tag_count == 3
    row = Manifest.objects.get(digest=image)
    assert (row.kind, row.labels, row.platforms) == ("image", {"team": "ops"}, ["linux/amd64"])
    assert Manifest.objects.get(digest=index).platforms == ["linux/amd64", "linux/arm64"]
    assert Manifest.objects.get(digest=index).size is not None


def test_a_fresh_page_asks_nothing(
    registry: RunningRegistry,
    index_registry: Registry,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    name = registry.unique()
    registry.push(name, tags=["1", "2"])
    repository = unsaved(index_registry, name)
    fetch.repository(repository, budget=PATIENT)
    before = len(registry.requests())

    with django_assert_max_num_queries(3):
        reading = fetch.repository(Repository.objects.get(pk=repository.pk), first=["1", "2"], budget=PATIENT)
    assert len(registry.requests()) == before
    assert reading.complete


def test_an_old_page_costs_a_listing_and_a_condition_for_each_row_shown(
    registry: RunningRegistry, index_registry: Registry
) -> None:
    name = registry.unique()
    registry.push(name, tags=["1", "2", "3"])
    repository = unsaved(index_registry, name)
    fetch.repository(repository, budget=PATIENT)
    grow_old(repository)
    before = len(asked(registry, name))
    fetch.repository(repository, first=["1", "2"], budget=PATIENT)

    assert sorted(asked(registry, name)[before:]) == [
        "GET manifests/1 304",
        "GET manifests/2 304",
        "GET tags/list 200",
    ]


def test_a_moved_tag_a_new_one_and_a_deleted_one_are_noticed(
    registry: RunningRegistry, index_registry: Registry, client: oci.Client
) -> None:
    name = registry.unique()
    doomed = registry.push(name, tags=["doomed"])
    registry.push(name, tags=["moving"])
    repository = unsaved(index_registry, name)
    fetch.repository(repository, budget=PATIENT)
    grow_old(repository)
    moved = registry.push(name, tags=["moving", "new"])
    client.delete_manifest(name, doomed)
    fetch.repository(repository, first=lambda: list(on(repository)))

    assert on(repository) == {"moving": moved, "new": moved}
    assert repository.tags.get(name="doomed").gone_at is not None
    assert repository.tag_count == 2


def test_content_is_fetched_once_for_a_whole_registry(
    registry: RunningRegistry, index_registry: Registry
) -> None:
    one, other = registry.unique(), registry.unique()
    built = images.index()
    for name in (one, other):
        registry.push_built(name, built, ["1"])
    for name in (one, other):
        fetch.repository(unsaved(index_registry, name), budget=PATIENT)

    assert [line for line in asked(registry, other) if line.startswith("GET") and line.endswith(" 200")] == [
        "GET tags/list 200",
        "GET manifests/1 200",
    ]


def test_what_the_registry_does_not_have_leaves_no_row(
    registry: RunningRegistry, index_registry: Registry
) -> None:
    with pytest.raises(oci.NotFound):
        fetch.repository(unsaved(index_registry, registry.unique("no/such")))
    assert not Repository.objects.exists()


def test_a_repository_whose_tags_are_all_deleted_is_empty(
    registry: RunningRegistry, index_registry: Registry, client: oci.Client
) -> None:
    name = registry.unique()
    client.delete_manifest(name, registry.push(name))
    repository = unsaved(index_registry, name)
    reading = fetch.repository(repository, budget=PATIENT)

    assert (reading.problem, repository.tag_count, repository.size) == ("", 0, 0)


def test_a_failed_push_in_the_catalog_is_an_empty_repository(
    registry: RunningRegistry, index_registry: Registry, client: oci.Client
) -> None:
    name = registry.unique()
    client.push_blob(name, b"a layer and nothing else")
    repository = Repository.objects.create(registry=index_registry, name=name, first_seen_at=timezone.now())
    reading = fetch.repository(repository, budget=PATIENT)

    assert (reading.problem, repository.tag_count) == ("", 0)


def test_a_repository_that_vanishes_from_the_disk_says_so(
    registry: RunningRegistry, index_registry: Registry
) -> None:
    name = registry.unique()
    registry.push(name)
    repository = unsaved(index_registry, name)
    fetch.repository(repository, budget=PATIENT)
    grow_old(repository)
    folder = registry.storage / "docker/registry/v2/repositories" / name
    folder.rename(folder.with_name("elsewhere"))
    reading = fetch.repository(repository, budget=PATIENT)

    assert "no longer knows" in reading.problem
    assert repository.doubt, "it may be a disk that isn't mounted"
    assert set(on(repository)) == {"latest"}
    fetch.confirm(repository)
    assert on(repository) == {}


def test_a_dangling_tag_is_listed_with_its_problem(
    registry: RunningRegistry, index_registry: Registry
) -> None:
    name = registry.unique()
    registry.push(name, tags=["fine"])
    broken = registry.push(name, tags=["broken"])
    link = registry.storage / "docker/registry/v2/repositories" / name / "_manifests/revisions/sha256"
    (link / broken.hex / "link").unlink()
    repository = unsaved(index_registry, name)
    reading = fetch.repository(repository, budget=PATIENT)

    tag = repository.tags.listed().get(name="broken")
    assert "no manifest" in tag.problem
    assert tag.manifest is None
    assert (reading.problem, reading.complete) == ("", True)
    assert repository.size is not None


def test_an_index_whose_child_was_deleted_is_read_without_it(
    registry: RunningRegistry, index_registry: Registry, client: oci.Client
) -> None:
    name = registry.unique()
    built = images.index()
    index = registry.push_built(name, built, ["1"])
    client.delete_manifest(name, built.children[1].digest)
    repository = unsaved(index_registry, name)
    reading = fetch.repository(repository, budget=PATIENT)

    assert reading.complete
    assert Manifest.objects.get(digest=index).size == sum(map(len, set(built.children[0].blobs)))
    grow_old(repository)
    before = len(asked(registry, name))
    fetch.repository(repository, first=["1"], budget=PATIENT)
    assert sorted(asked(registry, name)[before:]) == ["GET manifests/1 304", "GET tags/list 200"]


def test_confirming_every_tag_says_how_many(registry: RunningRegistry, index_registry: Registry) -> None:
    name = registry.unique()
    registry.push(name, tags=[f"{n}" for n in range(30)])
    signature = f"{oci.referrers_tag(oci.Digest.of(b'x'))}.sig"
    registry.push_built(name, demo.signature(images.image(), name), [signature])
    repository = unsaved(index_registry, name)
    fetch.repository(repository, budget=PATIENT)
    Tag.objects.filter(name__in=["3", "4"]).update(seen_at=timezone.now() - timedelta(minutes=2))
    before = len(asked(registry, name))
    reading = fetch.repository(repository, every=True, budget=fetch.CHECK_BUDGET)

    assert (reading.checked, reading.total, reading.complete) == (31, 31, True)
    assert reading.at is not None
    assert sorted(asked(registry, name)[before:]) == [
        "GET manifests/3 304",
        "GET manifests/4 304",
        "GET tags/list 200",
    ]


def test_confirming_every_tag_reads_every_index(registry: RunningRegistry, index_registry: Registry) -> None:
    name = registry.unique()
    inner = images.index()
    registry.push_built(name, demo.index([inner]), ["outer"])
    repository = unsaved(index_registry, name)
    fetch.repository(repository, every=True, budget=PATIENT)

    assert not Manifest.objects.filter(read_at=None).exists()
    assert Manifest.objects.get(digest=inner.digest).kind == Manifest.Kind.INDEX


class TestDown:
    """A registry of its own, which can be stopped."""

    @pytest.fixture
    def down(self, stoppable: RunningRegistry, stoppable_row: Registry) -> Repository:
        """A repository that was read two minutes ago, in a registry that has stopped since."""
        stoppable.push("team/app", tags=["1"])
        repository = unsaved(stoppable_row, "team/app")
        fetch.catalog(stoppable_row)
        fetch.repository(repository)
        fetch.repositories([repository])
        grow_old(repository)
        past = timezone.now() - timedelta(minutes=2)
        Registry.objects.update(listed_at=past)
        stoppable_row.refresh_from_db()
        stoppable.stop()
        return repository

    def test_the_last_known_state_is_shown_dated_with_the_cause(self, down: Repository) -> None:
        reading = fetch.repository(down, first=["1"])

        assert reading.error_code == "unreachable"
        assert "refuses connections" in reading.problem
        assert reading.hint
        assert reading.as_of == down.listed_at
        assert not reading.complete
        assert list(on(down)) == ["1"]
        assert down.problem == reading.problem

    def test_every_call_has_the_same_to_say(self, down: Repository) -> None:
        catalog = fetch.catalog(down.registry)
        lists = fetch.repositories([down])
        manifest, one = fetch.manifest(down, "1")
        _, about = fetch.referrers(down, manifest)

        assert catalog.error_code == lists.error_code == one.error_code == about.error_code == "unreachable"
        assert Repository.objects.listed().count() == 1
        assert catalog.as_of is not None

    def test_a_check_of_every_tag_is_incomplete(self, down: Repository) -> None:
        reading = fetch.repository(down, every=True)

        assert (reading.complete, reading.error_code) == (False, "unreachable")

    def test_a_repository_nobody_has_read_is_an_error(self, down: Repository) -> None:
        with pytest.raises(oci.Unreachable):
            fetch.repository(unsaved(down.registry, "never/read"))
        assert Repository.objects.count() == 1

    def test_it_is_noticed_when_it_comes_back(
        self, down: Repository, stoppable: RunningRegistry, settings: Settings
    ) -> None:
        fetch.repository(down)
        stoppable.start()
        registered(settings, stoppable.url)
        reading = fetch.repository(down)

        assert (reading.problem, down.problem) == ("", "")
