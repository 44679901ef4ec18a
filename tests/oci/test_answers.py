"""Answers that are none, too long, or other than what was asked for."""

import gc
from collections.abc import Iterator

import pytest

from regui import oci
from tests.fake import Fake
from tests.memory import Out, out
from tests.oci.calls import BODY, CALLS, DIGEST, NAME, Call

HTML = (("Content-Type", "text/html; charset=utf-8"),)


@pytest.mark.parametrize("call", [CALLS[name] for name in CALLS if name != "referrers"])
def test_a_web_page_is_no_registry(fake: Fake, client: oci.Client, call: Call) -> None:
    fake.on("GET", ".*", Out(200, b"<html>Sign in</html>", HTML))

    with pytest.raises(oci.NotARegistry) as caught:
        call(client)

    assert caught.value.code == "not-a-registry"


@pytest.mark.parametrize(
    "answer",
    [
        Out(404, b"<html>", HTML),
        out(404, b"404 page not found", "text/plain"),
        out(200, b"It works!", "text/plain"),
        out(200, b'"hello"', "application/json"),
        Out(raw=b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    ],
)
def test_something_else_at_the_address(fake: Fake, client: oci.Client, answer: Out) -> None:
    fake.on("GET", "/v2/", answer)

    with pytest.raises((oci.NotARegistry, oci.Malformed)):
        client.ping()


def test_a_proxys_error_page_is_the_registry_having_trouble(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*", Out(502, b"<html>Bad Gateway</html>", HTML))

    with pytest.raises(oci.Unavailable) as caught:
        list(client.tags(NAME))

    assert caught.value.detail == ""


@pytest.fixture
def no_litter() -> Iterator[None]:
    """Nothing that earlier tests left is cleared away meanwhile: what is cleared where the stack is at its
    limit can't close itself, and says so."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_litter")
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"tags": 5}', b'{"tags": [5]}', b"\xff", b"[" * 100_000]
)
def test_a_listing_that_is_none(fake: Fake, client: oci.Client, body: bytes) -> None:
    fake.on("GET", ".*/tags/list", out(200, body, "application/json"))

    with pytest.raises(oci.Malformed):
        list(client.tags(NAME))


@pytest.mark.parametrize("sized", [True, False], ids=["with length", "without"])
def test_more_bytes_than_sane_are_not_read(fake: Fake, client: oci.Client, sized: bool) -> None:
    huge = b"x" * 9_000_000
    answer = out(200, huge, oci.OCI_MANIFEST)
    if not sized:
        head = (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: "
            + oci.OCI_MANIFEST.encode()
            + b"\r\n\r\n"
        )
        answer = Out(raw=head + huge)
    fake.on("GET", ".*", answer)

    with pytest.raises(oci.Misbehaved):
        client.manifest(NAME, "latest")
    with pytest.raises(oci.Misbehaved):
        client.read_blob(NAME, oci.Digest.of(huge))
    with pytest.raises(oci.Misbehaved):
        client.read_blob(NAME, DIGEST, limit=3)


def test_a_huge_error_is_cut(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*", out(400, b"no " * 1_000_000, "text/plain"))

    with pytest.raises(oci.Invalid) as caught:
        client.manifest(NAME, "latest")

    assert len(caught.value.detail) == 500


def test_other_content_than_the_digest_says(fake: Fake, client: oci.Client) -> None:
    fake.on(
        "GET", ".*/manifests/.*", out(200, b'{"layers": []}', oci.OCI_MANIFEST, Docker_Content_Digest=DIGEST)
    )
    fake.on("GET", ".*/blobs/.*", out(200, b"some other bytes"))

    for call in ("manifest", "read_blob", "blob"):
        with pytest.raises(oci.Misbehaved):
            CALLS[call](client)
    with pytest.raises(oci.Misbehaved):
        client.manifest(NAME, DIGEST)


def test_a_part_that_was_not_asked_for(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*/blobs/.*", out(206, b"some", Content_Range="bytes 0-3/10"))

    with pytest.raises(oci.Misbehaved):
        list(client.blob(NAME, DIGEST, offset=5))


def test_a_range_that_is_ignored_is_cut_out_here(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*/blobs/.*", out(200, BODY))

    assert b"".join(client.blob(NAME, DIGEST, offset=5, length=3)) == BODY[5:8]
    assert client.has_blob(NAME, DIGEST)


def test_an_error_may_be_anything(fake: Fake, client: oci.Client) -> None:
    for body, kind, detail in [
        (b"404 page not found\n", "text/plain; charset=utf-8", "404 page not found"),
        (b'{"errors": null}', "application/json", ""),
        (b'{"errors": ["x"]}', "application/json", ""),
        (b'{"errors": [{"code": 5, "message": [], "detail": [1]}]}', "application/json", ""),
        (b'{"errors": [{"code": "X", "message": "m", "detail": null}]}', "application/json", "m"),
        (b"\xff\x00\x1b[31mred", "text/plain", "\ufffd\ufffd [31mred"),
        (b"", "", ""),
    ]:
        fake.on("GET", ".*", out(404, body, kind))
        with pytest.raises(oci.ManifestUnknown) as caught:
            client.manifest(NAME, "latest")
        assert caught.value.detail == detail


def test_a_warning_is_kept_once(fake: Fake, client: oci.Client) -> None:
    warned = (
        ("Warning", '299 - "the  end is \\"nigh\\""'),
        ("Warning", '110 x "stale"'),
        ("Warning", "299 - x"),
    )
    fake.on("GET", "/v2/", Out(200, b"{}", warned))

    client.ping()
    client.until(None).ping()

    assert client.warnings == ('the end is "nigh"',)


@pytest.mark.parametrize("url", ["", "registry", "ftp://x", "http://", "http://a:b@x", "http://x:port"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(oci.InvalidName):
        oci.Client(url)
