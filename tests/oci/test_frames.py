"""An answer may begin and end in any way that HTTP allows: both ways to the network read it alike."""

import gzip

import pytest

from regui import oci
from regui.oci import pools
from tests.fake import Fake
from tests.memory import Out, out
from tests.oci.calls import BODY, DIGEST, NAME

TYPE = b"Content-Type: application/octet-stream\r\n"
SIZED = TYPE + b"Content-Length: 10\r\n"
ZIPPED = gzip.compress(BODY)
FRAMES = {
    "sized": b"HTTP/1.1 200 OK\r\n" + SIZED + b"\r\n" + BODY,
    "no reason": b"HTTP/1.1 200\r\n" + SIZED + b"\r\n" + BODY,
    "kept alive": b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\n" + SIZED + b"\r\n" + BODY,
    "closing": b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + SIZED + b"\r\n" + BODY,
    "until the end": b"HTTP/1.1 200 OK\r\n" + TYPE + b"\r\n" + BODY,
    "old": b"HTTP/1.0 200 OK\r\n" + SIZED + b"\r\n" + BODY,
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n6\r\n bytes\r\n0\r\n\r\n",
    "zipped": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(ZIPPED)
    + ZIPPED,
    "folded": b"HTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\n" + SIZED + b"\r\n" + BODY,
    "bare": b"HTTP/1.1 200 OK\nContent-Length: 10\n\n" + BODY,
    "announced": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + SIZED + b"\r\n" + BODY,
    "surplus": b"HTTP/1.1 200 OK\r\n" + SIZED + b"\r\n" + BODY + b"surplus" * 300,
    "large head": b"HTTP/1.1 200 OK\r\n" + (b"X-Word: " + b"x" * 999 + b"\r\n") * 80 + SIZED + b"\r\n" + BODY,
}


@pytest.mark.parametrize("drip", [0, 0.001], ids=["at once", "in pieces"])
@pytest.mark.parametrize("raw", FRAMES.values(), ids=FRAMES)
def test_every_frame_is_read(fake: Fake, client: oci.Client, raw: bytes, drip: float) -> None:
    fake.on("GET", ".*", Out(raw=raw, drip=drip if len(raw) < 1000 else 0))  # long ones come at once

    assert client.read_blob(NAME, DIGEST) == BODY
    assert b"".join(client.blob(NAME, DIGEST)) == BODY
    assert len(fake.seen) == 2


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nsome", b"HTTP/1.1 2"],
    ids=["nothing", "not HTTP", "too short", "half a line"],
)
def test_what_is_no_answer_is_an_error(fake: Fake, client: oci.Client, raw: bytes) -> None:
    fake.on("GET", ".*", Out(raw=raw))

    with pytest.raises(oci.Error):
        client.read_blob(NAME, DIGEST)


def test_a_connection_serves_one_request_after_the_other(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*/blobs/.*", out(200, BODY))
    fake.on("GET", ".*/manifests/.*", [out(304), out(404)])
    client.ping()

    assert client.read_blob(NAME, DIGEST) == BODY
    assert client.manifest(NAME, "latest", etag=DIGEST) is None
    with pytest.raises(oci.NotFound):
        client.manifest(NAME, "latest")
    assert client.read_blob(NAME, DIGEST) == BODY
    assert len(fake.callers) == 1


def test_what_is_left_unread_is_not_the_next_answer(fake: Fake, client: oci.Client) -> None:
    large = bytes(1_000_000)
    fake.on("GET", ".*/blobs/.*", [out(200, large), out(200, BODY)])

    pieces = client.blob(NAME, oci.Digest.of(large))
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert client.read_blob(NAME, DIGEST) == BODY


@pytest.mark.parametrize("value", ["a\r\nX-Smuggled: b", "a\nb", "a\rb"])
def test_a_header_holds_no_second_line(fake: Fake, value: str) -> None:
    with pools.ShortHTTPPool("127.0.0.1", fake.port) as pool, pytest.raises(ValueError, match="line"):
        pool.ask("GET", "/v2/", fake.host, {"X-Name": value}, (1, 1))

    assert fake.seen == []
