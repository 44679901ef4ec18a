"""Manifests and blobs in other vendors' ways, old and new."""

import json

import pytest

from regui import oci
from regui.demo import images as builders
from tests import images
from tests.fake import Fake
from tests.memory import Ask, Out, error, out

NAME = "team/app"
DIGEST = oci.Digest.of(b"x")
SIGNED = json.dumps(
    {
        "schemaVersion": 1,
        "name": NAME,
        "tag": "old",
        "architecture": "amd64",
        "fsLayers": [{"blobSum": DIGEST}],
        "history": [{"v1Compatibility": "{}"}],
        "signatures": [{}],
    }
).encode()


def test_every_manifest_is_asked_for_in_all_four_types(fake: Fake, client: oci.Client) -> None:
    images.push(client, NAME, images.image(), ["latest"])
    client.manifest(NAME, "latest")
    client.head_manifest(NAME, "latest")

    asked = [
        ask.headers["Accept"]
        for ask in fake.seen
        if ask.method in {"GET", "HEAD"} and "manifests" in ask.path
    ]
    assert asked == [oci.ACCEPT] * 2
    assert set(oci.ACCEPT.split(", ")) == {
        oci.OCI_INDEX,
        oci.OCI_MANIFEST,
        oci.DOCKER_LIST,
        oci.DOCKER_MANIFEST,
    }


@pytest.mark.parametrize("said", [None, "", "nonsense", "md5:00"])
def test_a_missing_digest_header_is_worked_out(fake: Fake, client: oci.Client, said: str | None) -> None:
    built = images.image()
    headers = {} if said is None else {"Docker_Content_Digest": said}
    fake.on("GET", ".*/manifests/.*", out(200, built.body, built.media_type, **headers))
    fake.on("HEAD", ".*/manifests/.*", out(200, built.body, built.media_type, **headers))

    content = client.manifest(NAME, "latest")

    assert content
    assert content.digest == built.digest
    assert client.head_manifest(NAME, "latest") == oci.Descriptor(
        built.media_type, built.digest, len(built.body)
    )


@pytest.mark.parametrize("status", [404, 405])
def test_a_registry_without_head_is_asked_by_get(fake: Fake, client: oci.Client, status: int) -> None:
    """Nexus."""
    built = images.image()
    images.push(client, NAME, built, ["latest"])
    fake.on("HEAD", ".*", Out(status, headers=(("Content-Type", "text/html"),)))

    assert client.head_manifest(NAME, "latest").digest == built.digest
    with pytest.raises(oci.ManifestUnknown):
        client.head_manifest(NAME, "nothing")


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain; charset=utf-8"])
def test_a_content_type_that_says_nothing_is_worked_out(
    fake: Fake, client: oci.Client, content_type: str
) -> None:
    built = images.index(docker=True)
    fake.on("GET", ".*/manifests/.*", out(200, built.body, content_type))
    fake.on("HEAD", ".*/manifests/.*", out(200, built.body, content_type, Docker_Content_Digest=built.digest))

    content = client.manifest(NAME, "latest")

    assert content
    assert content.media_type == oci.DOCKER_LIST
    assert client.head_manifest(NAME, "latest").media_type == oci.DOCKER_LIST


def test_a_body_without_media_type_is_what_the_header_says(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*", out(200, b'{"schemaVersion": 2, "manifests": []}', oci.OCI_INDEX))

    content = client.manifest(NAME, "latest")

    assert content
    assert content.document == oci.Index(oci.OCI_INDEX, ())


def test_a_media_type_with_parameters_loses_them(fake: Fake, client: oci.Client) -> None:
    built = images.image()
    fake.on("GET", ".*", out(200, built.body, f"{oci.OCI_MANIFEST}; charset=utf-8"))

    content = client.manifest(NAME, "latest")

    assert content
    assert content.media_type == oci.OCI_MANIFEST


def test_schema_1_comes_without_proof(fake: Fake, client: oci.Client) -> None:
    """Its digest leaves out the signatures, which the registry makes anew each time."""
    answer = out(200, SIGNED, oci.SCHEMA1_SIGNED, Docker_Content_Digest=DIGEST)
    fake.on("GET", ".*", answer)

    for reference in ("old", DIGEST):
        content = client.manifest(NAME, reference)
        assert content
        assert not content.verified
        assert content.digest == DIGEST
        assert isinstance(content.document, oci.Legacy)


def test_schema_1_is_no_way_round_the_proof(fake: Fake, client: oci.Client) -> None:
    built = images.image()
    fake.on("GET", ".*", out(200, built.body, oci.SCHEMA1_SIGNED, Docker_Content_Digest=DIGEST))

    for reference in ("old", DIGEST):
        with pytest.raises(oci.Misbehaved):
            client.manifest(NAME, reference)


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_longer_digests_are_proven_too(fake: Fake, client: oci.Client, algorithm: str) -> None:
    built = images.image()
    for body in built.blobs:
        client.push_blob(NAME, body)
    digest = oci.Digest.of(built.body, algorithm)

    assert client.put_manifest(NAME, digest, built.body, built.media_type) == digest
    content = client.manifest(NAME, digest)
    assert content
    assert content.verified
    upload = client.start_upload(NAME)
    blob = client.finish_upload(upload, oci.Digest.of(b"blob", algorithm), b"blob")
    assert client.read_blob(NAME, blob) == b"blob"
    assert b"".join(client.blob(NAME, blob)) == b"blob"
    fake.on("GET", ".*", out(200, b"other", oci.OCI_MANIFEST))
    with pytest.raises(oci.Misbehaved):
        client.manifest(NAME, digest)


def test_a_registry_that_stores_something_else_is_found_out(fake: Fake, client: oci.Client) -> None:
    fake.on("PUT", ".*", out(201, Docker_Content_Digest=DIGEST))

    with pytest.raises(oci.Misbehaved):
        client.put_manifest(NAME, "latest", b"{}", oci.OCI_MANIFEST)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_delete_succeeds_in_several_ways(fake: Fake, client: oci.Client, status: int) -> None:
    fake.on("DELETE", ".*", out(status))

    client.delete_manifest(NAME, DIGEST)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (error(405, "UNSUPPORTED"), oci.Unsupported, "unsupported"),  # deletes switched off
        (out(405, b"Method not allowed", "text/plain"), oci.Unsupported, "unsupported"),  # read-only
        (error(405, "DENIED"), oci.Denied, "denied"),  # zot: an index needs it
        (error(412, "PRECONDITION"), oci.Conflict, "conflict"),  # Harbor: an index needs it
        (error(409, "CONFLICT"), oci.Conflict, "conflict"),  # zot: several tags
        (error(403, "DENIED"), oci.Denied, "denied"),
        (error(404, "MANIFEST_UNKNOWN"), oci.ManifestUnknown, "not-found"),
        (out(404, b"404 page not found", "text/plain"), oci.ManifestUnknown, "not-found"),
        (error(404, "NAME_UNKNOWN"), oci.NameUnknown, "not-found"),
        (error(400, "TOOMANYREQUESTS"), oci.TooManyRequests, "too-many-requests"),
        (error(500, "UNKNOWN"), oci.Unavailable, "unavailable"),
        (error(418, "TEAPOT"), oci.Refused, "refused"),
    ],
)
def test_a_refusal_says_what_can_be_done(
    fake: Fake, client: oci.Client, answer: Out, kind: type[oci.Refused], code: str
) -> None:
    fake.on("DELETE", ".*", answer)

    with pytest.raises(kind) as caught:
        client.delete_manifest(NAME, DIGEST)

    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.status) == (code, answer.status)
    assert caught.value.hint


@pytest.mark.parametrize("code", ["DIGEST_INVALID", "UNSUPPORTED"], ids=["distribution 2", "Harbor"])
def test_a_tag_that_can_not_be_deleted_alone(fake: Fake, client: oci.Client, code: str) -> None:
    fake.on("DELETE", ".*", error(400, code))

    with pytest.raises(oci.Unsupported) as caught:
        client.delete_manifest(NAME, "latest")

    assert "all its tags" in caught.value.hint


def test_a_registry_without_referrers_is_not_asked_again(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*/referrers/.*", out(404, b"404 page not found", "text/plain"))

    for _ in range(3):
        assert client.until(None).referrers(NAME, DIGEST) == oci.Referrers((), "tag")

    assert sum("referrers" in ask.path for ask in fake.seen) == 1


def test_a_subject_without_referrers_does_not_switch_the_api_off(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*/referrers/.*", error(404, "NAME_UNKNOWN"))

    for _ in range(2):
        assert client.referrers(NAME, DIGEST).source == "tag"

    assert sum("referrers" in ask.path for ask in fake.seen) == 2


def test_referrers_come_in_pages(fake: Fake, client: oci.Client) -> None:
    first, second = images.artifact(), images.artifact()
    pages = [builders.fallback([first]), builders.fallback([second])]
    fake.on(
        "GET",
        ".*/referrers/.*",
        [
            out(200, pages[0].body, oci.OCI_INDEX, Link="<?next=1>; rel=next"),
            out(200, pages[1].body, oci.OCI_INDEX),
        ],
    )

    found = client.referrers(NAME, DIGEST)

    assert [one.digest for one in found.descriptors] == [first.digest, second.digest]
    assert found.source == "api"


def test_referrers_without_an_end(fake: Fake, client: oci.Client) -> None:
    page = builders.fallback([images.artifact()])
    fake.on("GET", ".*/referrers/.*", out(200, page.body, oci.OCI_INDEX, Link="<?next=1>; rel=next"))

    with pytest.raises(oci.Misbehaved):
        client.referrers(NAME, DIGEST)


def test_a_filter_that_is_ignored_is_applied_here(fake: Fake, client: oci.Client) -> None:
    note, bill = images.artifact(), images.artifact(oci.SPDX)
    fake.on("GET", ".*/referrers/.*", out(200, builders.fallback([note, bill]).body, oci.OCI_INDEX))

    found = client.referrers(NAME, DIGEST, artifact_type=oci.SPDX).descriptors

    assert [one.digest for one in found] == [bill.digest]
    assert fake.seen[-1].query["artifactType"] == oci.SPDX


def test_a_fallback_tag_that_is_no_index_names_nobody(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*/referrers/.*", Out(404))
    images.push(client, NAME, images.image(), [oci.referrers_tag(DIGEST)])

    assert client.referrers(NAME, DIGEST).descriptors == ()


def test_a_mount_that_may_not_be_cancelled_is_left(fake: Fake, client: oci.Client) -> None:
    fake.on("DELETE", ".*", error(403, "DENIED"))

    assert not client.mount_blob(NAME, DIGEST, "other/app")


def test_regui_says_who_asks(fake: Fake, client: oci.Client) -> None:
    """So that its own reads can be told from pulls in the registry's events."""
    client.ping()

    assert fake.seen[0].headers["User-Agent"].startswith("regui/")


def test_no_compression_is_asked_for_and_some_is_understood(fake: Fake, client: oci.Client) -> None:
    body = json.dumps({"repositories": ["a"]}).encode()

    def squeezed(ask: Ask) -> Out:
        assert ask.headers["Accept-Encoding"] == "identity"
        return out(200, builders.squeeze(body), "application/json", Content_Encoding="gzip")

    fake.on("GET", "/v2/_catalog", squeezed)

    assert list(client.catalog()) == ["a"]


def test_a_bomb_is_not_unpacked(fake: Fake, client: oci.Client) -> None:
    bomb = builders.squeeze(b"0" * 50_000_000)
    fake.on("GET", ".*", out(200, bomb, "application/json", Content_Encoding="gzip"))

    with pytest.raises(oci.Misbehaved):
        list(client.catalog())
