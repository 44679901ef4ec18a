"""Filling the index: what a run costs, what it does about trouble, and that it tells."""

from collections import Counter

import pytest

from regui import oci
from regui.index import sync
from regui.index.models import Manifest, Registry, Repository, Tag
from tests import images
from tests.fake import Fake
from tests.memory import Out, error
from tests.registry import RunningRegistry

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(registry: RunningRegistry) -> RunningRegistry:
    """The real registry with four repositories, seven tags and some shared content."""
    registry.wipe()
    shared = images.image()
    registry.push_built("a", shared, ["1", "2"])
    registry.push_built("b/c", shared, ["1"])
    registry.push("b/c", tags=["2", "3"])
    registry.push_index("multi", tags=["1"], attested=True)
    registry.push_artifact("art", tags=["1"])
    return registry


def asked(registry: RunningRegistry, begin: int) -> Counter[str]:
    """How often each kind of request was made since, by path and status."""
    found: Counter[str] = Counter()
    for one in registry.requests()[begin:]:
        kind = next(
            (kind for kind in ("_catalog", "tags", "manifests", "blobs") if f"/{kind}" in one.path), "?"
        )
        found[f"{kind} {one.status}"] += 1
    return found


def test_a_first_run_fetches_everything_once(filled: RunningRegistry, index_registry: Registry) -> None:
    begin = len(filled.requests())
    run = sync.run(index_registry)

    assert (run.problem, run.failures) == ("", [])
    assert (run.repositories, run.tags) == (4, 7)
    assert run.finished_at is not None
    assert not Manifest.objects.filter(read_at=None).exists()
    assert run.manifests == Manifest.objects.count() == 8
    assert asked(filled, begin) == {
        "_catalog 200": 1,
        "tags 200": 4,
        "manifests 200": 7 + 4,  # each tag, and the index's two images and two attestations
        "blobs 200": 4,  # each image's config; the shared image's once
    }
    assert run.requests == sum(asked(filled, begin).values())
    assert Repository.objects.get(name="b/c").tag_count == 3
    assert not Repository.objects.filter(size=None).exists()


def test_an_unchanged_run_costs_a_condition_for_each_tag(
    filled: RunningRegistry, index_registry: Registry
) -> None:
    sync.run(index_registry)
    begin = len(filled.requests())
    run = sync.run(index_registry)

    assert run.manifests == 0
    assert asked(filled, begin) == {"_catalog 200": 1, "tags 200": 4, "manifests 304": 7}


def test_a_run_follows_what_changed(
    filled: RunningRegistry, index_registry: Registry, client: oci.Client
) -> None:
    sync.run(index_registry)
    moved = filled.push("a", tags=["2", "new"])
    doomed = Tag.objects.get(repository__name="b/c", name="1").manifest
    assert doomed
    client.delete_manifest("b/c", oci.Digest(doomed.digest))
    run = sync.run(index_registry)

    assert run.manifests == 1
    tags = Tag.objects.listed().filter(repository__name="a").select_related("manifest")
    assert {tag.name for tag in tags if tag.manifest and tag.manifest.digest == moved} == {"2", "new"}
    assert Tag.objects.get(repository__name="b/c", name="1").gone_at is not None
    assert Repository.objects.get(name="b/c").tag_count == 2


def test_one_moved_tag_costs_its_manifest_and_config(
    filled: RunningRegistry, index_registry: Registry
) -> None:
    sync.run(index_registry)
    filled.push("a", tags=["2"])
    begin = len(filled.requests())
    run = sync.run(index_registry)

    assert run.manifests == 1
    assert asked(filled, begin) == {
        "_catalog 200": 1,
        "tags 200": 4,
        "manifests 304": 6,
        "manifests 200": 1,
        "blobs 200": 1,
    }


def test_one_tag_moved_to_what_is_known_costs_its_manifest(
    filled: RunningRegistry, index_registry: Registry, client: oci.Client
) -> None:
    sync.run(index_registry)
    there = client.manifest("b/c", "1")
    assert there
    client.put_manifest("b/c", "3", there.body, there.media_type)
    begin = len(filled.requests())
    run = sync.run(index_registry)

    assert run.manifests == 0
    assert asked(filled, begin) == {
        "_catalog 200": 1,
        "tags 200": 4,
        "manifests 304": 6,
        "manifests 200": 1,
    }


def test_one_new_tag_costs_its_manifest(
    filled: RunningRegistry, index_registry: Registry, client: oci.Client
) -> None:
    sync.run(index_registry)
    there = client.manifest("a", "1")
    assert there
    client.put_manifest("a", "new", there.body, there.media_type)
    begin = len(filled.requests())
    run = sync.run(index_registry)

    assert (run.tags, run.manifests) == (8, 0)
    assert asked(filled, begin) == {
        "_catalog 200": 1,
        "tags 200": 4,
        "manifests 304": 7,
        "manifests 200": 1,
    }


def test_one_deleted_tag_costs_nothing(
    filled: RunningRegistry, index_registry: Registry, client: oci.Client
) -> None:
    sync.run(index_registry)
    doomed = Tag.objects.get(repository__name="b/c", name="1").manifest
    assert doomed
    client.delete_manifest("b/c", oci.Digest(doomed.digest))
    for _ in ("it leaves", "it is buried", "it is no longer known"):
        begin = len(filled.requests())
        run = sync.run(index_registry)

        assert (run.tags, run.manifests) == (6, 0)
        assert asked(filled, begin) == {"_catalog 200": 1, "tags 200": 4, "manifests 304": 6}
    assert not Tag.objects.filter(repository__name="b/c", name="1").exists()


def test_progress_is_told(filled: RunningRegistry, index_registry: Registry) -> None:
    states: list[sync.State] = []
    sync.run(index_registry, states.append)

    assert states[-1].done == states[-1].total == 4
    assert states[-1].tags == 7
    assert states[-1].manifests == 8
    assert {state.name for state in states} == {"", "a", "art", "b/c", "multi"}
    assert [state.done for state in states] == sorted(state.done for state in states)
    assert states[-1].requests == 1 + 4 + 7 + 4 + 4
    assert states[-1].rate > 0
    assert (states[0].left, states[-1].left) == (None, 0)


def push(fake: Fake, *names: str) -> None:
    with oci.Client(fake.url) as client:
        for name in names:
            images.push(client, name, images.image(), ["1", "2"])


def test_a_repository_that_fails_is_named_and_the_others_are_read(fake: Fake, fake_row: Registry) -> None:
    push(fake, "bad", "good", "half")
    fake.on("GET", r"/v2/bad/tags/list", error(500, "UNKNOWN"))
    fake.on("GET", r"/v2/half/manifests/2", error(500, "UNKNOWN"))
    run = sync.run(fake_row)

    assert [failure["repository"] for failure in run.failures] == ["bad", "half"]
    assert run.problem == ""
    assert Repository.objects.get(name="good").size is not None
    assert Repository.objects.get(name="bad").problem
    assert Tag.objects.get(repository__name="half", name="1").manifest


def test_a_registry_that_goes_away_ends_the_run_and_loses_nothing(fake: Fake, fake_row: Registry) -> None:
    push(fake, "a", "b")
    sync.run(fake_row)
    fake.on("GET", r"/v2/.*", error(503, "UNAVAILABLE"))
    run = sync.run(fake_row)

    assert run.problem
    assert run.finished_at is not None
    assert Tag.objects.listed().count() == 4
    assert Repository.objects.listed().count() == 2


def test_a_registry_without_a_catalog_is_read_as_far_as_it_is_known(fake: Fake, fake_row: Registry) -> None:
    push(fake, "a")
    sync.run(fake_row)
    fake.on("GET", r"/v2/_catalog", error(405, "UNSUPPORTED"))
    push(fake, "a")
    run = sync.run(fake_row)

    assert (run.problem, run.repositories, run.manifests) == ("", 1, 1)


def test_a_registry_that_lists_nothing_and_has_no_name_says_what_to_do(
    fake: Fake, fake_row: Registry
) -> None:
    fake.on("GET", r"/v2/_catalog", error(405, "UNSUPPORTED"))
    assert "Name those to be read" in sync.run(fake_row).problem


def test_a_run_that_is_interrupted_says_so_and_prunes_nothing(fake: Fake, fake_row: Registry) -> None:
    push(fake, *[f"app-{number}" for number in range(40)])
    sync.run(fake_row)

    def interrupt(state: sync.State) -> None:
        if state.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync.run(fake_row, interrupt)
    run = fake_row.syncs.latest()
    assert "interrupted" in run.problem
    assert run.finished_at is not None
    assert Tag.objects.listed().count() == 80
    assert sync.run(fake_row).problem == ""


def test_a_tag_whose_manifest_makes_no_sense_fails_the_run(fake: Fake, fake_row: Registry) -> None:
    push(fake, "a")
    fake.on("GET", r"/v2/a/manifests/2", Out(200, b"[]", (("Content-Type", oci.OCI_MANIFEST),)))
    run = sync.run(fake_row)

    assert [failure["repository"] for failure in run.failures] == ["a"]
    assert Tag.objects.get(name="2").problem
