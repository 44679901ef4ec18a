"""Manifests: reading, pushing, deleting, and what refers to them."""

import contextlib

import pytest

from regui import oci
from regui.demo import images as builders
from tests import images

NOWHERE = oci.Digest.of(b"nowhere")


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_an_image_comes_back_byte_for_byte(client: oci.Client, name: str, docker: bool) -> None:
    built = images.image(labels={"a": "b"}, docker=docker)
    images.push(client, name, built, ["latest"])

    for reference in ("latest", built.digest):
        assert client.manifest(name, reference) == oci.Content(built.body, built.media_type, built.digest)
    document = oci.parse(built.body)
    assert isinstance(document, oci.Manifest)
    assert document.config
    config = oci.Config.parse(client.read_blob(name, document.config.digest))
    assert config.labels == {"a": "b"}
    assert config.claimed_created == images.CREATED


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_an_index_comes_back_and_not_one_of_its_images(client: oci.Client, name: str, docker: bool) -> None:
    built = images.index(docker=docker)
    images.push(client, name, built, ["latest"])

    content = client.manifest(name, "latest")

    assert content
    assert content.digest == built.digest
    assert isinstance(content.document, oci.Index)
    assert [str(child.platform) for child in content.document.manifests] == ["linux/amd64", "linux/arm64"]


def test_what_buildkit_pushes_comes_back(client: oci.Client, name: str) -> None:
    images.push(client, name, images.index(attested=True), ["latest"])

    content = client.manifest(name, "latest")

    assert content
    assert isinstance(content.document, oci.Index)
    platforms = [child.platform for child in content.document.manifests]
    assert [platform is not None and platform.unknown for platform in platforms] == [False, False, True, True]


def test_an_index_of_an_index_comes_back(client: oci.Client, name: str) -> None:
    built = builders.index([images.index(), images.index()])
    images.push(client, name, built, ["nested"])

    content = client.manifest(name, "nested")

    assert content
    assert isinstance(content.document, oci.Index)
    assert all(oci.is_index(child.media_type) for child in content.document.manifests)


def test_head_says_type_digest_and_size(client: oci.Client, name: str) -> None:
    built = images.image()
    images.push(client, name, built, ["latest"])

    described = oci.Descriptor(built.media_type, built.digest, len(built.body))
    assert client.head_manifest(name, "latest") == described
    assert client.head_manifest(name, built.digest) == described


def test_an_unchanged_manifest_is_not_sent_again(client: oci.Client, name: str) -> None:
    first = images.push(client, name, images.image(), ["latest"])
    assert client.manifest(name, "latest", etag=first) is None

    second = images.push(client, name, images.image(), ["latest"])
    content = client.manifest(name, "latest", etag=first)
    assert content
    assert content.digest == second


@pytest.mark.parametrize("reference", ["nothing", NOWHERE])
def test_an_unknown_manifest_is_not_found(client: oci.Client, name: str, reference: str) -> None:
    images.push(client, name, images.image(), ["latest"])

    with pytest.raises(oci.ManifestUnknown):
        client.manifest(name, reference)
    with pytest.raises(oci.ManifestUnknown):
        client.head_manifest(name, reference)
    with pytest.raises(oci.ManifestUnknown):
        client.manifest(f"{name}/nothing", "latest")


def test_a_manifest_can_be_pushed_by_digest_alone(client: oci.Client, name: str) -> None:
    built = images.image()

    assert images.push(client, name, built) == built.digest
    assert client.head_manifest(name, built.digest).digest == built.digest
    with contextlib.suppress(oci.NameUnknown):  # distribution 2 knows no repository that never had a tag
        assert list(client.tags(name)) == []


def test_a_tag_moves_with_two_requests(client: oci.Client, name: str) -> None:
    built = images.image()
    images.push(client, name, built, ["1.0"])

    content = client.manifest(name, "1.0")
    assert content
    assert client.put_manifest(name, "stable", content.body, content.media_type) == built.digest
    assert client.head_manifest(name, "stable").digest == built.digest


def test_a_manifest_without_its_blobs_is_refused_by_name(client: oci.Client, name: str) -> None:
    built = images.image()

    with pytest.raises(oci.Invalid) as caught:
        client.put_manifest(name, "latest", built.body, built.media_type)

    assert set(caught.value.codes) == {"MANIFEST_BLOB_UNKNOWN"}
    assert caught.value.detail


def test_a_manifest_that_is_none_is_refused(client: oci.Client, name: str) -> None:
    with pytest.raises(oci.Invalid):
        client.put_manifest(name, "latest", b"{", oci.OCI_MANIFEST)


def test_deleting_a_digest_takes_all_its_tags_along(client: oci.Client, name: str) -> None:
    digest = images.push(client, name, images.image(), ["a", "b"])
    images.push(client, name, images.image(), ["other"])

    client.delete_manifest(name, digest)

    assert list(client.tags(name)) == ["other"]
    with pytest.raises(oci.ManifestUnknown):
        client.manifest(name, digest)
    with pytest.raises(oci.ManifestUnknown):
        client.delete_manifest(name, digest)


def test_deleting_a_tag_takes_it_alone_or_nothing(client: oci.Client, name: str) -> None:
    images.push(client, name, images.image(), ["a", "b"])

    try:
        client.delete_manifest(name, "a")
    except oci.Unsupported:  # distribution 2
        assert sorted(client.tags(name)) == ["a", "b"]
    else:
        assert list(client.tags(name)) == ["b"]


def test_a_deleted_image_can_be_put_back(client: oci.Client, name: str) -> None:
    built = images.image()
    images.push(client, name, built, ["latest"])
    client.delete_manifest(name, built.digest)

    assert client.put_manifest(name, "latest", built.body, built.media_type) == built.digest
    assert client.manifest(name, "latest")


def test_referrers_come_from_the_api_or_from_the_fallback_tag(client: oci.Client, name: str) -> None:
    subject = images.image()
    note, bill = (
        images.artifact("application/vnd.example.note", subject=subject),
        images.artifact(oci.SPDX, subject=subject),
    )
    images.push(client, name, subject, ["latest"])
    assert client.referrers(name, subject.digest).descriptors == ()
    for referrer in (note, bill):
        images.push(client, name, referrer)
    if client.referrers(name, subject.digest).source == "tag":
        images.push(client, name, builders.fallback([note, bill]), [oci.referrers_tag(subject.digest)])

    found = client.referrers(name, subject.digest).descriptors
    assert {(one.digest, one.artifact_type) for one in found} == {
        (note.digest, note.artifact_type),
        (bill.digest, bill.artifact_type),
    }
    only = client.referrers(name, subject.digest, artifact_type=oci.SPDX).descriptors
    assert [one.digest for one in only] == [bill.digest]
