"""skopeo, a client written by others: what it pushes we read, what we push it reads."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from regui import oci
from regui.demo import images as builders
from tests import images
from tests.registry import RunningRegistry

PATIENCE = 60  # seconds


@pytest.fixture
def client(registry: RunningRegistry) -> Iterator[oci.Client]:
    """A client of the real registry."""
    with registry.connect() as connected:
        yield connected


def skopeo(*arguments: str) -> bytes:
    """What skopeo prints; fails with what it says went wrong."""
    binary = shutil.which("skopeo")
    assert binary, "these tests need skopeo: apt-get install skopeo"
    command = [binary, "--insecure-policy", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def at(registry: RunningRegistry, name: str, tag: str) -> str:
    return f"docker://127.0.0.1:{registry.port}/{name}:{tag}"


def layout(folder: Path, built: builders.Built, tag: str) -> str:
    """An OCI layout on disk with that image; what skopeo calls it."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def save(one: builders.Built) -> None:
        for body in (*one.blobs, one.body):
            (blobs / oci.Digest.of(body).hex).write_bytes(body)
        for child in one.children:
            save(child)

    save(built)
    name = {"org.opencontainers.image.ref.name": tag}
    index = {"schemaVersion": 2, "manifests": [built.descriptor(annotations=name)]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return f"oci:{folder}:{tag}"


@pytest.mark.parametrize("format_", ["oci", "v2s2"])
def test_an_image_that_skopeo_pushed(
    registry: RunningRegistry, client: oci.Client, tmp_path: Path, format_: str
) -> None:
    name, built = registry.unique("skopeo/pushed"), images.image(labels={"a": "b"})
    source = layout(tmp_path / "layout", built, "1.0")

    skopeo("copy", "--dest-tls-verify=false", "--format", format_, source, at(registry, name, "1.0"))

    assert list(client.tags(name)) == ["1.0"]
    content = client.manifest(name, "1.0")
    assert content
    document = content.document
    assert isinstance(document, oci.Manifest)
    assert document.media_type == {"oci": oci.OCI_MANIFEST, "v2s2": oci.DOCKER_MANIFEST}[format_]
    assert (content.digest == built.digest) == (format_ == "oci")
    assert document.config
    assert oci.Config.parse(client.read_blob(name, document.config.digest)).labels == {"a": "b"}
    for layer in document.layers:
        assert sum(map(len, client.blob(name, layer.digest))) == layer.size


def test_an_index_that_skopeo_pushed(registry: RunningRegistry, client: oci.Client, tmp_path: Path) -> None:
    name, built = registry.unique("skopeo/index"), images.index()
    source = layout(tmp_path / "layout", built, "1.0")

    skopeo("copy", "--all", "--dest-tls-verify=false", source, at(registry, name, "1.0"))

    content = client.manifest(name, "1.0")
    assert content
    assert isinstance(content.document, oci.Index)
    assert [str(one.platform) for one in content.document.manifests] == ["linux/amd64", "linux/arm64"]
    for child in content.document.manifests:
        assert client.manifest(name, child.digest)


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_an_image_that_we_pushed(
    registry: RunningRegistry, client: oci.Client, tmp_path: Path, docker: bool
) -> None:
    name, built = registry.unique("skopeo/pulled"), images.image(docker=docker)
    images.push(client, name, built, ["1.0"])

    skopeo("copy", "--src-tls-verify=false", at(registry, name, "1.0"), f"dir:{tmp_path}")

    assert (tmp_path / "manifest.json").read_bytes() == built.body
    for body in built.blobs:
        assert (tmp_path / oci.Digest.of(body).hex).read_bytes() == body


def test_an_index_that_we_pushed(registry: RunningRegistry, client: oci.Client, tmp_path: Path) -> None:
    name, built = registry.unique("skopeo/pulled"), images.index()
    images.push(client, name, built, ["1.0"])

    skopeo("copy", "--all", "--src-tls-verify=false", at(registry, name, "1.0"), f"oci:{tmp_path}/layout:1.0")

    saved = tmp_path / "layout/blobs/sha256"
    for child in built.children:
        assert (saved / child.digest.hex).read_bytes() == child.body


def test_an_image_that_we_pushed_in_chunks_and_by_mounts(
    registry: RunningRegistry, client: oci.Client, tmp_path: Path
) -> None:
    name, built = registry.unique("skopeo/chunks"), images.image()
    config, layer = built.blobs
    upload = client.start_upload(name)
    for start in range(0, len(layer), 50):
        upload = client.upload_chunk(upload, layer[start : start + 50])
    client.finish_upload(upload, oci.Digest.of(layer))
    client.push_blob(f"{name}/source", config)
    assert client.mount_blob(name, oci.Digest.of(config), f"{name}/source")
    client.put_manifest(name, "1.0", built.body, built.media_type)

    skopeo("copy", "--src-tls-verify=false", at(registry, name, "1.0"), f"dir:{tmp_path}")

    assert (tmp_path / oci.Digest.of(layer).hex).read_bytes() == layer


def test_skopeo_lists_the_same_tags(registry: RunningRegistry, client: oci.Client) -> None:
    name = registry.unique("skopeo/tags")
    registry.push(name, tags=["1.0", "1.1", "latest"])

    listed = json.loads(
        skopeo("list-tags", "--tls-verify=false", f"docker://127.0.0.1:{registry.port}/{name}")
    )

    assert sorted(listed["Tags"]) == sorted(client.tags(name))


def test_what_we_deleted_skopeo_misses(registry: RunningRegistry, client: oci.Client) -> None:
    name = registry.unique("skopeo/deleted")
    client.delete_manifest(name, registry.push(name, tags=["1.0"]))

    with pytest.raises(AssertionError, match="manifest unknown"):
        skopeo("inspect", "--tls-verify=false", at(registry, name, "1.0"))
