"""After the registry's own garbage collection an undo says what is gone, and changes nothing."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from regui import oci
from regui.actions import delete, undo
from regui.actions.models import Action
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
