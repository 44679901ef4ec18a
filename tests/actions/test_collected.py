"""After the registry's own garbage collection an undo says what is gone, and changes nothing; and that there
was one is noticed by what it took."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.actions import delete, forget, garbage, remains, undo
from regui.actions.models import Action, Collection, Garbage, Kept, Remains
from regui.index.connect import ensure_registries
from regui.registries import RegistrySettings
from tests import images
from tests.actions.stand import Stand
from tests.registry import RunningRegistry, binary, open_registry


@pytest.fixture
def own(tmp_path: Path, settings: Settings, db: None) -> Iterator[Stand]:
    """A repository of a registry that this test may collect."""
    running = open_registry(tmp_path / "registry")
    settings.REGISTRIES = {"main": RegistrySettings("main", running.url)}
    ensure_registries()
    with running.connect() as client:
        yield Stand(running, client, "team/app")
    running.stop()


def collect(registry: RunningRegistry) -> None:
    """Run the collection; distribution 2.8 takes its log for an error only when it fails."""
    command = [str(binary()), "garbage-collect", str(registry.folder / "config.yml")]
    subprocess.run(command, check=True, capture_output=True)


def test_what_was_collected_is_named_blob_by_blob(own: Stand) -> None:
    shared = b"a layer that another image has too"
    own.registry.push(own.name, tags=["stays"], layers=[shared])
    doomed = images.image(layers=[shared, b"a layer of its own"])
    digest = own.registry.push_built(own.name, doomed, ["1.0", "latest"])
    action = own.run(delete.look(own.repository, digest))
    assert undo.look(action).lost == ()
    collect(own.registry)
    before = own.tags()
    plan = undo.look(action)
    document = oci.parse(doomed.body, doomed.media_type)
    assert isinstance(document, oci.Manifest)
    assert document.config is not None
    gone = [document.config.digest, document.layers[1].digest]
    (said,) = plan.lost
    assert said == (
        f"sha256:{digest.short} can't come back: the registry no longer has "
        f"{', '.join(f'sha256:{one.short}' for one in gone)}."
    )
    assert plan.steps == ()
    assert own.tags() == before
    assert Action.objects.count() == 1


def test_what_a_collection_spared_comes_back(own: Stand) -> None:
    layers = [b"one layer"]
    own.registry.push(own.name, tags=["stays"], layers=layers, created="2026-01-01T00:00:00Z")
    other = images.index()
    digest = own.registry.push_built(own.name, other, ["multi"])
    action = own.run(delete.look(own.repository, digest))
    collect(own.registry)
    plan = undo.look(action)
    assert plan.lost == (), "a plain collection spares untagged manifests, and so the children"
    assert own.run(plan).state == "done"
    assert own.on("multi") == digest


def test_while_what_was_deleted_is_there_nothing_was_collected(own: Stand) -> None:
    own.registry.push(own.name, tags=["stays"])
    doomed = own.registry.push(own.name, tags=["1.0"], layers=[b"a layer of its own"])
    action = own.run(delete.look(own.repository, doomed))
    registry = own.repository.registry
    before = timezone.now()
    assert remains.look(registry) is None
    item = action.items.get(do="delete-digest")
    assert (item.remains.gone, item.remains.blobs, item.remains.alone) == ([], 2, 2)
    assert item.remains.there_at is not None
    assert item.remains.there_at >= before
    assert garbage.spared_since(registry) == (action.finished_at, item.remains.there_at)
    waiting = Garbage.objects.get()
    assert (waiting.manifests, waiting.doubt) == (1, "")
    assert waiting.size == sum(size_of(own, doomed))
    assert waiting.since is not None


def size_of(own: Stand, digest: str) -> list[int]:
    """The sizes of a deleted image's blobs, by the bytes that were kept."""
    kept = Kept.objects.get(digest=digest)
    document = oci.parse(kept.body, kept.media_type)
    assert isinstance(document, oci.Manifest)
    return [one.size for one in document.blobs]


def test_a_collection_is_noticed_between_two_looks_and_said_once(own: Stand) -> None:
    own.registry.push(own.name, tags=["stays"])
    one = own.registry.push(own.name, tags=["1.0"], layers=[b"the first"])
    other = own.registry.push(own.name, tags=["2.0"], layers=[b"the second"])
    own.run(delete.look(own.repository, one))
    action = own.run(delete.look(own.repository, other))
    registry = own.repository.registry
    remains.look(registry)
    there = timezone.now()
    collect(own.registry)
    found = remains.look(registry)
    assert found is not None
    assert action.finished_at is not None
    assert action.finished_at < found.after < there < found.before < timezone.now()
    assert found.blobs == 4
    assert remains.look(registry) is None, "what is gone is not news"
    assert Collection.objects.count() == 1
    assert garbage.spared_since(registry) is None
    waiting = Garbage.objects.get()
    assert (waiting.size, waiting.manifests) == (0, 0)


def test_what_is_deleted_after_a_collection_waits_for_the_next(own: Stand) -> None:
    own.registry.push(own.name, tags=["stays"])
    first = own.registry.push(own.name, tags=["1.0"], layers=[b"the first"])
    own.run(delete.look(own.repository, first))
    registry = own.repository.registry
    collect(own.registry)
    found = remains.look(registry)
    assert found is not None
    second = own.registry.push(own.name, tags=["2.0"], layers=[b"the second"])
    action = own.run(delete.look(own.repository, second))
    assert remains.look(registry) is None
    assert Garbage.objects.get().manifests == 1
    spared = garbage.spared_since(registry)
    assert spared is not None
    assert spared[0] == action.finished_at
    collect(own.registry)
    again = remains.look(registry)
    assert again is not None
    assert again.after > found.before


def test_a_layer_that_others_need_is_no_witness(own: Stand) -> None:
    shared = b"a layer that another image has too"
    built = images.image(layers=[shared])
    own.registry.push_built(own.name, built, ["stays"])
    index = own.registry.push_index(own.name, tags=["multi"])
    action = own.run(delete.look(own.repository, index))
    registry = own.repository.registry
    collect(own.registry)
    assert remains.look(registry) is None, "its images are untagged, which a plain collection spares"
    item = action.items.get(do="delete-digest")
    assert item.remains.alone == 0
    assert item.remains.gone == []
    assert garbage.spared_since(registry) is None, "nor does it show that there was none"


def test_a_registry_without_its_disk_was_not_collected(own: Stand) -> None:
    own.registry.push(own.name, tags=["stays"])
    doomed = own.registry.push(own.name, tags=["1.0"], layers=[b"a layer of its own"])
    action = own.run(delete.look(own.repository, doomed))
    away = own.registry.storage.rename(own.registry.folder / "elsewhere")
    registry = own.repository.registry
    assert remains.look(registry) is None
    assert not hasattr(action.items.get(do="delete-digest"), "remains")
    assert Garbage.objects.get().doubt == remains.UNREADABLE
    away.rename(own.registry.storage)
    assert remains.look(registry) is None
    assert Garbage.objects.get().doubt == ""


def test_with_nothing_to_compare_with_what_is_gone_is_said_and_no_more(own: Stand) -> None:
    doomed = own.registry.push(own.name, tags=["1.0"])
    action = own.run(delete.look(own.repository, doomed))
    collect(own.registry)
    registry = own.repository.registry
    assert remains.look(registry) is None
    assert len(action.items.get(do="delete-digest").remains.gone) == 2
    assert Garbage.objects.get().doubt == remains.NO_CONTROL
    list(forget.bytes_kept(timezone.now(), timedelta()))
    assert Kept.objects.count() == 1, "it may come back with the disk"


def test_a_look_changes_nothing_and_asks_a_handful(own: Stand) -> None:
    own.registry.push(own.name, tags=["stays"])
    for number in range(remains.HANDFUL + 3):
        built = images.image(layers=[f"layer {number}".encode()])
        own.run(delete.look(own.repository, own.registry.push_built(own.name, built, [f"{number}"])))
    asked = len(own.registry.requests())
    assert remains.keep_up(own.repository.registry, timezone.now())
    requests = own.registry.requests()[asked:]
    assert {one.method for one in requests} == {"GET"}
    assert len(requests) <= 2 * remains.HANDFUL + 1
    assert Remains.objects.count() == remains.HANDFUL
    assert not remains.keep_up(own.repository.registry, timezone.now()), "not so soon again"
    remains.look(own.repository.registry)
    assert Remains.objects.count() == remains.HANDFUL + 3


def test_what_a_registry_cannot_say_stays_as_it_was(own: Stand) -> None:
    own.registry.push(own.name, tags=["stays"])
    doomed = own.registry.push(own.name, tags=["1.0"])
    own.run(delete.look(own.repository, doomed))
    registry = own.repository.registry
    remains.look(registry)
    before = Remains.objects.get().looked_at
    own.registry.stop()
    assert remains.look(registry) is None
    assert Remains.objects.get().looked_at == before
    assert Garbage.objects.get().doubt
    own.registry.start()


def test_bytes_go_once_they_bring_nothing_back_and_the_journal_stays(own: Stand) -> None:
    own.registry.push(own.name, tags=["stays"])
    gone = own.registry.push(own.name, tags=["1.0"], layers=[b"the first"])
    action = own.run(delete.look(own.repository, gone))
    registry = own.repository.registry
    collect(own.registry)
    assert remains.look(registry) is not None
    later = own.registry.push(own.name, tags=["2.0"], layers=[b"the second"])
    own.run(delete.look(own.repository, later))
    remains.look(registry)
    assert sum(forget.bytes_kept(timezone.now(), timedelta(days=90))) == 1
    assert [one.digest for one in Kept.objects.all()] == [later]
    assert action.items.count() == 2
    (said,) = undo.look(action).lost
    assert said.endswith("can't come back: nobody has its bytes.")


def test_bytes_that_are_too_old_go_unless_they_are_kept_for_ever(own: Stand) -> None:
    digest = own.registry.push(own.name, tags=["1.0"])
    own.run(delete.look(own.repository, digest))
    later = timezone.now() + timedelta(days=91)
    assert sum(forget.bytes_kept(later, timedelta())) == 0
    assert sum(forget.bytes_kept(later, timedelta(days=92))) == 0
    assert sum(forget.bytes_kept(later, timedelta(days=90))) == 1
    assert Action.objects.count() == 1


def test_what_is_pushed_and_deleted_anew_waits_again(own: Stand) -> None:
    own.registry.push(own.name, tags=["stays"])
    built = images.image(layers=[b"a layer of its own"])
    registry = own.repository.registry
    for _ in range(2):
        digest = own.registry.push_built(own.name, built, ["1.0"])
        own.run(delete.look(own.repository, digest))
        assert Garbage.objects.get().manifests == 1
        collect(own.registry)
        assert remains.look(registry) is not None
        assert Garbage.objects.get().manifests == 0
    assert Collection.objects.count() == 2
