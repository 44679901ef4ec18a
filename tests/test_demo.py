"""The demo: its images, its registry, and `regui demo` as a whole."""

import gzip
import io
import json
import os
import re
import signal
import sys
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from regui import oci
from regui.demo import CannotStart, company, images, parts, registry_binary
from regui.demo.binary import download
from regui.demo.company import Contents
from regui.demo.fill import fill
from regui.demo.images import Built
from regui.demo.server import running
from tests.registry import RunningRegistry, binary
from tests.serving import processes, serving

ROOT = Path(__file__).parent.parent


@cache
def contents() -> dict[str, Contents]:
    return {repository.name: repository for repository in company.contents()}


def built(repository: str, tag: str) -> Built:
    return next(push.built for push in contents()[repository].pushes if tag in push.tags)


def everything(built: Built) -> Iterator[Built]:
    """A manifest and, at any depth, its children."""
    yield built
    for child in built.children:
        yield from everything(child)


def all_manifests() -> Iterator[Built]:
    for repository in contents().values():
        for push in repository.pushes:
            yield from everything(push.built)


def parsed(built: Built) -> oci.Document:
    return oci.parse(built.body, built.media_type)


def test_the_images_are_the_same_each_time() -> None:
    again = [push.built.digest for repository in company.contents() for push in repository.pushes]
    assert [push.built.digest for each in contents().values() for push in each.pushes] == again


def test_each_manifest_names_the_blobs_that_come_with_it() -> None:
    for manifest in all_manifests():
        document = parsed(manifest)
        if isinstance(document, oci.Manifest):
            assert document.config is not None
            named = [(part.digest, part.size) for part in (document.config, *document.layers)]
            assert named == [(oci.Digest.of(blob), len(blob)) for blob in manifest.blobs]
        else:
            assert isinstance(document, oci.Index)
            assert {entry.digest for entry in document.manifests} == {
                child.digest for child in manifest.children
            }


def test_they_are_small_but_of_different_sizes() -> None:
    blobs = {oci.Digest.of(blob): len(blob) for manifest in all_manifests() for blob in manifest.blobs}
    assert sum(blobs.values()) < 40_000_000
    assert min(blobs.values()) < 1_000 < 1_000_000 < max(blobs.values())


def test_both_formats_of_images_are_there() -> None:
    kinds = {manifest.media_type for manifest in all_manifests()}
    assert kinds == {oci.DOCKER_MANIFEST, oci.DOCKER_LIST, oci.OCI_MANIFEST, oci.OCI_INDEX}


def test_an_index_has_attestations_for_no_platform() -> None:
    document = parsed(built("shop/checkout/api", "latest"))
    assert isinstance(document, oci.Index)
    unknown = [entry for entry in document.manifests if entry.platform and entry.platform.unknown]
    known = {entry.digest for entry in document.manifests if entry not in unknown}
    assert [str(entry.platform) for entry in unknown] == ["unknown/unknown"] * 2
    assert {entry.annotations["vnd.docker.reference.digest"] for entry in unknown} == known


def test_an_index_holds_an_index() -> None:
    document = parsed(built("base/toolbox", "1.8"))
    assert isinstance(document, oci.Index)
    assert oci.OCI_INDEX in {entry.media_type for entry in document.manifests}


def test_a_chart_and_an_artifact_are_there() -> None:
    chart, artifact = (
        parsed(built("charts/storefront", "1.6.0")),
        parsed(built("data/recommender", "2026-11")),
    )
    assert isinstance(chart, oci.Manifest)
    assert isinstance(artifact, oci.Manifest)
    assert chart.config is not None
    assert artifact.config is not None
    assert chart.config.media_type == oci.HELM_CONFIG
    assert artifact.config.media_type == oci.EMPTY
    assert artifact.artifact_type == "application/vnd.kitewerk.model.v1"


def test_an_image_is_signed_and_has_an_sbom() -> None:
    target = built("shop/checkout/api", "latest").digest
    fallback = parsed(built("shop/checkout/api", oci.referrers_tag(target)))
    signature = parsed(built("shop/checkout/api", f"{oci.referrers_tag(target)}.sig"))
    assert isinstance(fallback, oci.Index)
    assert isinstance(signature, oci.Manifest)
    assert [entry.artifact_type for entry in fallback.manifests] == [oci.SPDX]
    assert signature.layers[0].media_type == oci.COSIGN_SIGNATURE
    sbom = parsed(built("shop/checkout/api", oci.referrers_tag(target)).children[0])
    assert isinstance(sbom, oci.Manifest)
    assert sbom.subject is not None
    assert sbom.subject.digest == target


def test_names_and_tags_are_as_awkward_as_promised() -> None:
    assert {"shop/checkout/api", "a/tags/list"} <= set(contents())
    assert contents()["shop/storefront"].steps > 60
    assert contents()["marketing/newsletter"].emptied
    assert any(len(push.tags) > 1 for push in contents()["base/python"].pushes)
    for repository in contents().values():
        oci.check_repository(repository.name)
        for push in repository.pushes:
            for tag in push.tags:
                oci.check_tag(tag)


def test_labels_hold_html_emoji_and_right_to_left_text() -> None:
    config = oci.Config.parse(built("i18n/greeter", "1.0").blobs[0])
    text = " ".join(config.labels.values())
    assert "<script>" in text
    assert "👋🏽" in text
    assert "مرحبا" in text


def test_dates_may_be_1970_or_missing() -> None:
    dates = {
        push.tags[0]: json.loads(push.built.blobs[0]).get("created")
        for push in contents()["data/etl/nightly"].pushes
    }
    assert dates == {"2026.46": "1970-01-01T00:00:00Z", "2026.45": "0001-01-01T00:00:00Z", "next": None}


def test_no_date_is_later_than_the_last_release() -> None:
    dates = re.findall(
        rb'"created":"([^"]+)"', b"".join(b"".join(each.blobs[:1]) for each in all_manifests())
    )
    assert max(dates).decode() <= parts.when(0)


def test_a_layer_is_a_gzipped_tar_with_the_promised_diff_id() -> None:
    layer = images.layer("COPY . .", {"app/bin/run": b"#!/bin/sh\n", "etc/motd": b"hello"})
    assert oci.Digest.of(gzip.decompress(layer.body)) == layer.diff_id
    with tarfile.open(fileobj=io.BytesIO(layer.body)) as tar:
        assert {member.name: member.mode for member in tar} == {"app/bin/run": 0o755, "etc/motd": 0o644}


def test_a_registry_takes_it_all_and_gives_it_back(registry: RunningRegistry, client: oci.Client) -> None:
    prefix = registry.unique("demo/fill")
    some = [
        Contents(f"{prefix}/{name}", contents()[name].pushes, contents()[name].emptied)
        for name in (
            "base/toolbox",
            "charts/storefront",
            "marketing/newsletter",
            "i18n/greeter",
            "a/tags/list",
        )
    ]
    steps: list[None] = []
    fill(client, some, lambda: steps.append(None))
    assert len(steps) == sum(repository.steps for repository in some)
    assert sorted(client.tags(f"{prefix}/a/tags/list")) == ["list", "tags", "v2"]
    assert list(client.tags(f"{prefix}/marketing/newsletter")) == []
    content = client.manifest(f"{prefix}/base/toolbox", "1.8")
    assert content is not None
    assert content.digest == built("base/toolbox", "1.8").digest
    # Filling it again changes nothing.
    fill(client, some[:1], lambda: None)
    assert sorted(client.tags(f"{prefix}/base/toolbox")) == ["1.8", "1.8-debug"]


def test_the_server_is_unpacked_once_for_all_who_ask(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = set(pool.map(registry_binary, [tmp_path] * 3))
    assert len(found) == 1
    path = found.pop()
    assert os.access(path, os.X_OK)
    made = path.stat().st_mtime_ns, path.stat().st_ino
    assert registry_binary(tmp_path) == path
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == made
    assert {each.name for each in tmp_path.iterdir()} <= {"registry", "registry.lock"}


@pytest.fixture
def bare_path(tmp_path: Path) -> Iterator[Path]:
    """A PATH that holds nothing but what a test puts there."""
    before, folder = os.environ["PATH"], tmp_path / "bin"
    folder.mkdir()
    os.environ["PATH"] = str(folder)
    yield folder
    os.environ["PATH"] = before


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_without_debian_s_tools_it_says_what_would_help(bare_path: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="set REGUI_REGISTRY_URL"):
        download(tmp_path)


def test_when_no_package_can_be_had_it_says_what_apt_said(bare_path: Path, tmp_path: Path) -> None:
    program(bare_path / "apt-get", "#!/bin/sh\necho 'E: Could not resolve deb.example' >&2\nexit 100\n")
    program(bare_path / "dpkg-deb", "#!/bin/sh\n")
    with pytest.raises(CannotStart, match=r"Could not resolve deb\.example"):
        registry_binary(tmp_path / "data")
    assert not (tmp_path / "data" / "registry").exists()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that has the server already, so that no test depends on a network."""
    folder = tmp_path / "data"
    server = folder / "registry" / "usr" / "bin" / "docker-registry"
    server.parent.mkdir(parents=True)
    server.symlink_to(binary())
    return folder


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH whose `docker` is the tests' own."""
    folder = tmp_path / "docker"
    folder.mkdir()
    program(
        folder / "docker",
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.fake_docker "$@"\n',
    )
    return f"{folder}:{os.environ['PATH']}"


def test_the_demo_starts_a_registry_fills_it_and_serves_it(data: Path, path: str) -> None:
    with serving(data, "demo", PATH=path) as site:
        page = site.get("/main/")
        assert page.status == 200
        assert 'data-repository="shop/checkout/api"' in page.text
        assert any(f"becomes the administrator: {site.url}/-/account/first/" in line for line in site.output)
        (address,) = re.findall(r"the demo registry is (http://127\.0\.0\.1:\d+);", "\n".join(site.output))
        with oci.Client(address) as client:
            assert set(client.catalog()) == set(contents())
            assert list(client.tags("marketing/newsletter")) == []
            client.delete_manifest("a/tags/list", built("a/tags/list", "v2").digest)
        began = time.monotonic()
        assert site.stop(signal.SIGINT) < 10
        assert site.process.returncode == 0
        with oci.Client(address) as client, pytest.raises(oci.Unreachable):
            client.ping()
        assert time.monotonic() - began < 10

    # It is filled once: what was deleted stays deleted.
    with serving(data, "demo", PATH=path) as site:
        assert site.get("/main/").status == 200
        (address,) = re.findall(r"the demo registry is (http://127\.0\.0\.1:\d+);", "\n".join(site.output))
        assert not any("filling" in line for line in site.output)
        with oci.Client(address) as client:
            assert list(client.tags("a/tags/list")) == []
        assert site.stop() < 10
        with oci.Client(address) as client, pytest.raises(oci.Unreachable):
            client.ping()


def wait_until_it_fills(data: Path) -> dict[str, Any]:
    """The registry's configuration, once it has got something."""
    deadline = time.monotonic() + 30
    while not (data / "demo" / "storage" / "docker").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return dict(json.loads((data / "demo" / "config.json").read_text()))


def test_a_signal_while_it_still_works_ends_everything_too(data: Path, path: str) -> None:
    with serving(data, "demo", PATH=path) as site:
        config = wait_until_it_fills(data)
        session = os.getsid(site.process.pid)
        assert site.stop() < 10
        assert site.process.returncode == 128 + signal.SIGTERM
        assert processes(session) == []
        with oci.Client(f"http://{config['http']['addr']}") as client, pytest.raises(oci.Unreachable):
            client.ping()


def test_the_registry_ends_even_when_the_demo_is_killed(data: Path, path: str) -> None:
    with serving(data, "demo", PATH=path) as site:
        config = wait_until_it_fills(data)
        os.killpg(site.process.pid, signal.SIGKILL)
        site.process.wait()
        deadline = time.monotonic() + 10
        with oci.Client(f"http://{config['http']['addr']}") as client:
            while time.monotonic() < deadline:
                try:
                    client.ping()
                except oci.Unreachable:
                    break
                time.sleep(0.05)
            with pytest.raises(oci.Unreachable):
                client.ping()


def test_where_a_docker_engine_runs_it_is_used(data: Path, path: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with serving(data, "demo", PATH=path, FAKE_DOCKER=str(state)) as site:
        assert site.get("/main/").status == 200
        assert "starting a demo registry with Docker (registry:3)" in site.output
        assert site.stop() < 10
    calls = [json.loads(line) for line in (state / "calls").read_text().splitlines()]
    (run,) = [call for call in calls if call[0] == "run"]
    name = run[run.index("--name") + 1]
    assert run[run.index("--publish") + 1] == "127.0.0.1::5000"
    assert "REGISTRY_STORAGE_DELETE_ENABLED=true" in run
    assert [call for call in calls if call[0] == "stop"] == [["stop", "--time", "3", name]]
    assert not (data / "demo" / "storage").exists()


def test_an_engine_that_can_not_run_it_gives_way_to_debian_s_server(
    data: Path, tmp_path: Path, bare_path: Path
) -> None:
    program(
        bare_path / "docker",
        '#!/bin/sh\n[ "$1" != run ] || { echo "no such image" >&2; exit 125; }\n',
    )
    said: list[str] = []
    with running(data, said.append) as url, oci.Client(url) as client:
        assert client.ping().auth == "none"
    assert any("no such image; trying Debian's server instead" in line for line in said)
