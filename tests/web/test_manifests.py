"""A manifest's page: through a tag or by its digest, each kind with the tabs that apply to it."""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.demo import images as build
from regui.demo.images import Built
from regui.index.models import Revision, Tag
from tests import images
from tests.fake import Fake
from tests.memory import out
from tests.registry import RunningRegistry
from tests.web.conftest import Visitor, registered

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#panel"}
pytestmark = pytest.mark.usefixtures("index_registry")


def tabs(text: str) -> list[str]:
    """The tabs a page offers."""
    return re.findall(r'id="tab-(\w+)"', text)


def words(text: str) -> str:
    """The text with its white space made single."""
    return " ".join(text.split())


class Pushed:
    """Something pushed, and where its pages are."""

    def __init__(self, registry: RunningRegistry, built: Built, tags: Sequence[str] = ("1.0",)) -> None:
        self.name = registry.unique()
        self.built = built
        self.digest = registry.push_built(self.name, built, tags)
        self.by_tag = f"/main/{self.name}/-/tags/{tags[0] if tags else ''}/"
        self.by_digest = self.at(self.digest)

    def at(self, digest: str) -> str:
        return f"/main/{self.name}/-/manifests/{digest}/"


def test_an_image_shows_its_layers_with_what_made_them(registry: RunningRegistry, bob: Visitor) -> None:
    pushed = Pushed(registry, images.image(layers=[b"one", b"three"]), ["1.0", "latest"])
    page = bob.get(pushed.by_tag)
    assert tabs(page.text) == ["layers", "config", "history", "referrers", "raw", "pull"]
    assert re.findall(r"<b>(\w+)</b> (\d bytes)", words(page.text)) == [
        ("COPY", "3 bytes"),
        ("COPY", "5 bytes"),
    ]
    document = oci.parse(pushed.built.body)
    assert isinstance(document, oci.Manifest)
    assert re.findall(r'<li id="\w+" data-digest="([^"]*)"', page.text) == [
        one.digest for one in document.layers
    ]
    assert pushed.digest in page.text
    assert "application/vnd.oci.image.manifest.v1+json" in page.text
    assert f'href="/main/{pushed.name}/-/tags/latest/" data-tag="latest"' in page.text
    assert f"docker pull 127.0.0.1:{registry.port}/{pushed.name}:1.0" in page.text


def test_a_digest_has_the_same_page_and_names_all_its_tags(registry: RunningRegistry, bob: Visitor) -> None:
    pushed = Pushed(registry, images.image(), ["1.0", "latest"])
    bob.get(f"/main/{pushed.name}/")
    page = bob.get(pushed.by_digest).text
    assert re.findall(r'class="pill"[^>]*data-tag="([^"]*)"', page) == ["1.0", "latest"]
    assert f"docker pull 127.0.0.1:{registry.port}/{pushed.name}@{pushed.digest}" in page


def test_a_config_shows_what_a_container_starts_with(registry: RunningRegistry, bob: Visitor) -> None:
    built = build.image(
        [build.layer("COPY . /", {"file": b"x"})],
        created=images.CREATED,
        labels={"evil": "</bdi><script>alert(1)</script>\u202e", "emoji": "🪁"},
    )
    page = bob.get(Pushed(registry, built).by_tag, {"tab": "config"}).text
    assert "<script>alert" not in page
    assert "&lt;/bdi&gt;&lt;script&gt;alert(1)" in page
    assert "🪁" in page
    assert 'id="tab-config" href="?tab=config"' in page


def test_a_history_reads_as_a_dockerfile(registry: RunningRegistry, bob: Visitor) -> None:
    page = words(bob.get(Pushed(registry, images.image()).by_tag, {"tab": "history"}).text)
    assert "<b>COPY</b>" in page
    assert "layer 1</a>" in page


def test_an_index_lists_its_platforms_and_shows_the_image_chosen(
    registry: RunningRegistry, bob: Visitor
) -> None:
    pushed = Pushed(registry, images.index(["linux/arm64", "linux/amd64"], attested=True))
    page = bob.get(pushed.by_tag).text
    assert tabs(page) == ["platforms", "layers", "config", "history", "referrers", "raw", "pull"]
    children = [str(one.digest) for one in pushed.built.children]
    listed = re.findall(r'<tr data-digest="([^"]*)"', page)
    assert listed == children[:2], "attestations are among the referrers"
    assert "2 attestations" in page
    for platform, child in zip(["linux/arm64", "linux/amd64"], pushed.built.children, strict=False):
        part = bob.get(pushed.by_tag, {"tab": "layers", "platform": platform}, headers=HTMX).text
        document = oci.parse(child.body)
        assert isinstance(document, oci.Manifest)
        assert f'data-digest="{document.layers[0].digest}"' in part
        assert re.findall(r'aria-current="true">([^<]*)</a>', part) == [platform]
    usual = bob.get(pushed.by_tag, {"tab": "layers", "platform": "plan9/mips"}).text
    assert re.findall(r'aria-current="true">(linux/[^<]*)</a>', usual) == ["linux/amd64"]


def test_attestations_stand_among_the_referrers(registry: RunningRegistry, bob: Visitor) -> None:
    pushed = Pushed(registry, images.index(["linux/amd64"], attested=True))
    page = words(bob.get(pushed.by_tag, {"tab": "referrers"}).text)
    assert "Attestation</a>" in page
    assert '<span class="mono">linux/amd64</span>' in page


def test_a_child_knows_the_index_it_is_part_of(registry: RunningRegistry, bob: Visitor) -> None:
    pushed = Pushed(registry, images.index())
    bob.get(pushed.by_tag)
    page = bob.get(pushed.at(pushed.built.children[0].digest)).text
    assert "Part of" in page
    assert f'href="{pushed.by_digest}"' in page


def test_a_nested_index_is_opened_by_its_own_page(registry: RunningRegistry, bob: Visitor) -> None:
    inner = images.index(["linux/amd64"])
    pushed = Pushed(registry, build.index([inner, images.image(platform="linux/arm64")]))
    page = bob.get(pushed.by_tag).text
    assert "nested index" in page
    assert f'href="{pushed.at(inner.digest)}"' in page
    assert bob.get(pushed.at(inner.digest)).status_code == 200


def test_a_platform_that_was_deleted_is_missing(registry: RunningRegistry, bob: Visitor) -> None:
    pushed = Pushed(registry, images.index(["linux/amd64", "linux/arm64"]))
    with registry.connect() as client:
        client.delete_manifest(pushed.name, pushed.built.children[0].digest)
    page = bob.get(pushed.by_tag).text
    assert page.count('class="pill bad"') == 1
    assert "missing" in page.partition(str(pushed.built.children[0].digest))[2].partition("</tr>")[0]
    assert "layers" in tabs(page), "the other platform is there to show"


def test_signatures_and_sboms_are_referrers(registry: RunningRegistry, bob: Visitor) -> None:
    pushed = Pushed(registry, images.image())
    sbom = images.artifact(oci.SPDX, subject=pushed.built)
    registry.push_built(pushed.name, sbom)
    registry.push_built(pushed.name, build.index([sbom]), [oci.referrers_tag(pushed.digest)])
    signature = registry.push_artifact(
        pushed.name, oci.COSIGN_SIGNATURE, tags=[f"{oci.referrers_tag(pushed.digest)}.sig"]
    )
    bob.get(f"/main/{pushed.name}/")
    page = bob.get(pushed.by_tag, {"tab": "referrers"}).text
    assert set(re.findall(r'<tr data-digest="([^"]*)"', page)) == {sbom.digest, signature}
    assert "SBOM</a>" in page
    assert "Signature</a>" in page
    assert "Refers to" in bob.get(pushed.at(sbom.digest)).text


def test_an_image_nobody_signed_says_so(registry: RunningRegistry, bob: Visitor) -> None:
    page = bob.get(Pushed(registry, images.image()).by_tag, {"tab": "referrers"}).text
    assert "Nothing refers to this" in page


def test_the_raw_manifest_links_every_digest(registry: RunningRegistry, bob: Visitor) -> None:
    pushed = Pushed(registry, images.index())
    page = bob.get(pushed.by_tag, {"tab": "raw"}).text
    for child in pushed.built.children:
        assert f'<a href="{pushed.at(child.digest)}">{child.digest}</a>' in page
    image = pushed.built.children[0]
    document = oci.parse(image.body)
    assert isinstance(document, oci.Manifest)
    assert document.config is not None
    raw = bob.get(pushed.at(image.digest), {"tab": "raw"}).text
    assert f'<a href="?tab=layers#{document.layers[0].digest.short}">{document.layers[0].digest}</a>' in raw
    assert f'<a href="?tab=config">{document.config.digest}</a>' in raw
    assert 'aria-label="Config"' in raw


def test_the_raw_config_is_whole_while_the_registry_answers(
    registry: RunningRegistry, bob: Visitor, settings: Settings
) -> None:
    pushed = Pushed(registry, images.image(labels={"team": "ops"}))
    (config, *_) = pushed.built.blobs
    assert b"diff_ids" in config

    page = bob.get(pushed.by_tag, {"tab": "raw"}).text
    assert 'aria-label="Config"' in page
    assert "diff_ids" in page
    assert "remembers" not in page

    with Fake() as fake:
        registered(settings, fake.url)
    page = bob.get(pushed.by_tag, {"tab": "raw"}, headers=HTMX).text
    assert 'aria-label="Kept of the config"' in page
    assert "diff_ids" not in page
    assert "team" in page
    assert "This is what regui remembers" in page


def test_a_chart_is_described_by_all_of_its_config(registry: RunningRegistry, bob: Visitor) -> None:
    about = {
        "name": "web",
        "version": "1.0.0",
        "description": "Web",
        "home": "https://example.org",
        "keywords": ["a", "b"],
    }
    pushed = Pushed(registry, build.chart(about, {}, created=images.CREATED))

    page = bob.get(pushed.by_tag, {"tab": "config"}).text
    assert "https://example.org" in page
    assert "keywords" in page
    assert "keywords" in bob.get(pushed.by_tag, {"tab": "raw"}).text


def test_an_artifact_has_files_and_nothing_an_image_has(registry: RunningRegistry, bob: Visitor) -> None:
    page = bob.get(Pushed(registry, images.artifact("application/vnd.example.note")).by_tag).text
    assert tabs(page) == ["files", "referrers", "raw", "pull"]
    assert "note.txt" in page
    assert "application/vnd.example.note" in page
    assert "oras pull" in page


def test_the_pull_tab_has_the_commands_by_tag_and_by_digest(registry: RunningRegistry, bob: Visitor) -> None:
    pushed = Pushed(registry, images.image())
    page = bob.get(pushed.by_tag, {"tab": "pull"}).text
    for tool in ("docker", "podman", "skopeo", "crane"):
        assert page.count(f">{tool} ") >= 2
    assert f"@{pushed.digest}" in page


@pytest.mark.parametrize("tab", ["", "nonsense", "<script>", "files"])
def test_a_tab_that_does_not_apply_is_the_first_one(
    tab: str, registry: RunningRegistry, bob: Visitor
) -> None:
    page = bob.get(Pushed(registry, images.image()).by_tag, {"tab": tab}).text
    assert re.findall(r'id="tab-(\w+)"[^>]*aria-current', page) == ["layers"]


def test_htmx_gets_the_open_tab_alone(registry: RunningRegistry, bob: Visitor) -> None:
    part = bob.get(Pushed(registry, images.image()).by_tag, {"tab": "config"}, headers=HTMX)
    assert part.text.lstrip().startswith('<div id="panel">')
    assert "<html" not in part.text


def test_who_may_not_delete_sees_why(registry: RunningRegistry, alice: Visitor, bob: Visitor) -> None:
    pushed = Pushed(registry, images.image())
    assert f'href="{pushed.by_digest}delete/"' in alice.get(pushed.by_tag).text
    page = bob.get(pushed.by_tag).text
    assert "/delete/" not in page
    assert re.search(r"<button[^>]* disabled[^>]*bob may not delete here", page)


@pytest.mark.parametrize("kind", ["tags/gone", "manifests/sha256:" + "0" * 64])
def test_what_is_gone_is_a_404(kind: str, registry: RunningRegistry, bob: Visitor) -> None:
    pushed = Pushed(registry, images.image())
    page = bob.get(f"/main/{pushed.name}/-/{kind}/")
    assert page.status_code == 404
    assert "any more" in page.text
    assert f'href="/main/{pushed.name}/"' in page.text
    assert not Tag.objects.filter(name="gone").exists()


def test_another_repositorys_digest_is_not_shown_here(registry: RunningRegistry, bob: Visitor) -> None:
    pushed, other = Pushed(registry, images.image()), Pushed(registry, images.image())
    assert bob.get(pushed.by_digest).status_code == 200
    assert bob.get(other.at(pushed.digest)).status_code == 404


def test_a_date_that_can_not_be_is_quoted_not_shown(registry: RunningRegistry, bob: Visitor) -> None:
    page = bob.get(Pushed(registry, images.image(created="0001-01-01T00:00:00Z")).by_tag).text
    assert "created" in page
    assert 'title="The image says 0001-01-01T00:00:00Z">unknown' in page


def test_with_the_registry_down_the_last_known_state_is_shown(
    registry: RunningRegistry, bob: Visitor, settings: Settings
) -> None:
    pushed = Pushed(registry, images.image())
    bob.get(pushed.by_tag)
    with Fake() as fake:
        registered(settings, fake.url)
    long_ago = timezone.now() - timedelta(hours=5)
    Tag.objects.update(seen_at=long_ago)
    Revision.objects.update(seen_at=long_ago)
    page = bob.get(pushed.by_tag)
    assert page.status_code == 200
    assert "5 h ago" in page.text
    assert pushed.digest in page.text
    assert bob.get(f"/main/{pushed.name}/-/tags/other/").status_code == 502


def test_a_legacy_manifest_says_what_little_it_knows(bob: Visitor, settings: Settings) -> None:
    layer = oci.Digest.of(b"layer")
    body = (
        f'{{"schemaVersion": 1, "name": "team/app", "tag": "old", "architecture": "amd64",'
        f' "fsLayers": [{{"blobSum": "{layer}"}}], "history": []}}'
    ).encode()
    with Fake() as fake:
        fake.on("GET", r"/v2/team/app/manifests/old", out(200, body, oci.SCHEMA1))
        fake.on("HEAD", r"/v2/team/app/manifests/old", out(200, b"", oci.SCHEMA1))
        fake.on("GET", r"/v2/team/app/tags/list", out(200, {"name": "team/app", "tags": ["old"]}))
        registered(settings, fake.url)
        page = bob.get("/main/team/app/-/tags/old/").text
    assert "schema 1" in page
    assert "size unknown" in page
    assert tabs(page) == ["layers", "referrers", "raw", "pull"]
    assert layer.short in page
