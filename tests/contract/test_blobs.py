"""Blobs: reading them, whole and in part, and the ways to push them."""

import pytest

from regui import oci
from tests import images

BODY = bytes(range(256)) * 1000
NOWHERE = oci.Digest.of(b"nowhere")


def test_a_blob_comes_back_whole(client: oci.Client, name: str) -> None:
    digest = client.push_blob(name, BODY)

    assert digest == oci.Digest.of(BODY)
    assert client.head_blob(name, digest) == len(BODY)
    assert client.has_blob(name, digest)
    assert client.read_blob(name, digest) == BODY
    assert b"".join(client.blob(name, digest)) == BODY


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 10), (100_000, None), (255_990, 10), (255_990, 1000), (7, 0)]
)
def test_a_part_of_a_blob(client: oci.Client, name: str, offset: int, length: int | None) -> None:
    digest = client.push_blob(name, BODY)

    got = b"".join(client.blob(name, digest, offset=offset, length=length))

    assert got == (BODY[offset:] if length is None else BODY[offset : offset + length])


def test_an_empty_blob_is_there(client: oci.Client, name: str) -> None:
    digest = client.push_blob(name, b"")

    assert client.has_blob(name, digest)
    assert client.read_blob(name, digest) == b""


def test_a_blob_that_is_not_there(client: oci.Client, name: str) -> None:
    images.push(client, name, images.image(), ["latest"])

    assert not client.has_blob(name, NOWHERE)
    for ask in (client.read_blob, client.head_blob, client.delete_blob):
        with pytest.raises(oci.BlobUnknown):
            ask(name, NOWHERE)
    with pytest.raises(oci.BlobUnknown):
        list(client.blob(name, NOWHERE))


def test_a_blob_is_not_sent_twice(client: oci.Client, name: str) -> None:
    client.push_blob(name, BODY)
    before = client.requests

    client.push_blob(name, BODY)

    assert client.requests == before + 1


def test_a_blob_can_be_taken_out_of_a_repository(client: oci.Client, name: str) -> None:
    digest = client.push_blob(name, BODY)

    client.delete_blob(name, digest)

    assert not client.has_blob(name, digest)


def test_an_upload_in_chunks(client: oci.Client, name: str) -> None:
    upload = client.start_upload(name)
    assert upload.uuid
    for start in range(0, 30, 10):
        assert upload.offset == start
        upload = client.upload_chunk(upload, BODY[start : start + 10])
        assert client.upload_status(upload).offset == start + 10

    digest = client.finish_upload(upload, oci.Digest.of(BODY[:35]), BODY[30:35])

    assert client.read_blob(name, digest) == BODY[:35]
    with pytest.raises(oci.UploadUnknown):
        client.upload_status(upload)


def test_an_upload_of_a_single_byte_at_a_time(client: oci.Client, name: str) -> None:
    upload = client.start_upload(name)
    upload = client.upload_chunk(upload, b"a")
    assert upload.offset == client.upload_status(upload).offset == 1
    upload = client.upload_chunk(upload, b"b")

    assert client.read_blob(name, client.finish_upload(upload, oci.Digest.of(b"ab"))) == b"ab"


def test_an_upload_with_another_content_is_refused(client: oci.Client, name: str) -> None:
    upload = client.start_upload(name)

    with pytest.raises(oci.Invalid) as caught:
        client.finish_upload(upload, NOWHERE, b"something else")

    assert caught.value.codes == ("DIGEST_INVALID",)


def test_an_upload_can_be_cancelled(client: oci.Client, name: str) -> None:
    upload = client.upload_chunk(client.start_upload(name), b"half")

    client.cancel_upload(upload)

    with pytest.raises(oci.UploadUnknown):
        client.upload_status(upload)
    with pytest.raises(oci.UploadUnknown):
        client.cancel_upload(upload)


def test_a_blob_is_mounted_from_another_repository(client: oci.Client, name: str) -> None:
    digest = client.push_blob(name, BODY)

    assert client.mount_blob(f"{name}/other", digest, name)
    assert client.read_blob(f"{name}/other", digest) == BODY


def test_a_mount_of_nothing_leaves_nothing(client: oci.Client, name: str) -> None:
    client.push_blob(name, BODY)

    assert not client.mount_blob(f"{name}/other", NOWHERE, name)
    assert not client.has_blob(f"{name}/other", NOWHERE)
