"""What a real registry does when it is set up in a special way, or has been tidied up behind our back."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from regui import oci
from tests import images
from tests.registry import RunningRegistry, binary

NAME = "team/app"


def started(folder: Path, **sections: object) -> Iterator[RunningRegistry]:
    running = RunningRegistry(folder, **sections)  # type: ignore[arg-type]
    yield running
    running.stop()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry with deletes switched off."""
    yield from started(tmp_path / "keeper", delete=False)


@pytest.fixture
def caching(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry that remembers blobs, as Debian's and most others do."""
    yield from started(tmp_path / "caching", storage__cache={"blobdescriptor": "inmemory"})


def test_deletes_that_are_switched_off_say_what_to_set(keeper: RunningRegistry) -> None:
    digest = keeper.push(NAME)

    with keeper.connect() as client:
        for delete in (client.delete_manifest, client.delete_blob):
            with pytest.raises(oci.Unsupported) as caught:
                delete(NAME, digest)
            assert caught.value.status == 405
            assert "REGISTRY_STORAGE_DELETE_ENABLED" in caught.value.hint


def test_a_registry_that_is_read_only(tmp_path: Path) -> None:
    maintenance = {"uploadpurging": {"enabled": False}, "readonly": {"enabled": True}}
    for running in started(tmp_path, storage__maintenance=maintenance):
        with running.connect() as client:
            with pytest.raises(oci.Unsupported):
                client.start_upload(NAME)
            with pytest.raises(oci.Unsupported):
                client.delete_manifest(NAME, oci.Digest.of(b""))


def test_blobs_that_were_collected_are_gone_whatever_the_cache_says(caching: RunningRegistry) -> None:
    built = images.image()
    caching.push_built(NAME, built, ["latest"])
    with caching.connect() as client:
        client.delete_manifest(NAME, built.digest)
        assert all(client.has_blob(NAME, oci.Digest.of(body)) for body in built.blobs)
        config = caching.folder / "config.yml"
        subprocess.run(
            [str(binary()), "garbage-collect", str(config)], check=True, capture_output=True, timeout=60
        )

        for body in built.blobs:
            assert client.head_blob(NAME, oci.Digest.of(body)) == len(body)  # which is not true
            assert not client.has_blob(NAME, oci.Digest.of(body))


def test_a_tag_without_its_manifest(registry: RunningRegistry) -> None:
    name = registry.unique("dangling")
    digest = registry.push(name, tags=["1.0", "latest"])
    link = f"repositories/{name}/_manifests/revisions/sha256/{digest.hex}/link"
    (registry.storage / "docker/registry/v2" / link).unlink()

    with registry.connect() as client:
        assert sorted(client.tags(name)) == ["1.0", "latest"]
        with pytest.raises(oci.ManifestUnknown):
            client.manifest(name, "latest")
        assert client.manifest(name, "latest", etag=digest) is None  # unchanged, and can't be read


def test_an_untag_for_registries_that_know_none(registry: RunningRegistry) -> None:
    """An empty index under the tag, deleted by its digest, takes the tag along and nothing else."""
    name = registry.unique("untag")
    digest = registry.push(name, tags=["1.0", "latest"])
    dummy = (
        b'{"schemaVersion":2,"mediaType":"%s","manifests":[],"annotations":{"x":"1"}}'
        % oci.OCI_INDEX.encode()
    )

    with registry.connect() as client:
        client.delete_manifest(name, client.put_manifest(name, "1.0", dummy, oci.OCI_INDEX))

        assert list(client.tags(name)) == ["latest"]
        assert client.head_manifest(name, "latest").digest == digest


def test_hundreds_of_names_come_in_pages(registry: RunningRegistry) -> None:
    name = registry.unique("many")
    with registry.connect() as client:
        built = images.image()
        images.push(client, name, built, ["first"])
        template = registry.storage / f"docker/registry/v2/repositories/{name}"
        for number in range(250):
            (template / f"_manifests/tags/t{number}/current").mkdir(parents=True)
            link = template / f"_manifests/tags/t{number}/current/link"
            link.write_text(built.digest)

        expected = sorted(["first", *(f"t{number}" for number in range(250))])
        assert sorted(client.tags(name)) == expected
        assert sorted(client.tags(name, page_size=10)) == expected


def test_an_empty_registry_lists_nothing(tmp_path: Path) -> None:
    for running in started(tmp_path):
        with running.connect() as client:
            assert list(client.catalog()) == []


def test_the_access_log_shows_what_was_asked(registry: RunningRegistry) -> None:
    name = registry.unique("logged")
    registry.push(name)
    before = len(registry.requests())

    with registry.connect(user_agent="counting") as client:
        client.head_manifest(name, "latest")

    new = [one for one in registry.requests()[before:] if one.user_agent == "counting"]
    assert [(one.method, one.path, one.status) for one in new] == [
        ("HEAD", f"/v2/{name}/manifests/latest", 200)
    ]
