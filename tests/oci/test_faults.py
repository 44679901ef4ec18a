"""What a registry, or whatever stands in its place, may do to us: every wait ends, every size is bounded."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from regui import oci
from tests import images
from tests.fake import Fake
from tests.memory import Out, error, out

NAME = "team/app"
BODY = b"some bytes"
DIGEST = oci.Digest.of(BODY)
HTML = (("Content-Type", "text/html; charset=utf-8"),)
CALLS: dict[str, Callable[[oci.Client], object]] = {
    "ping": lambda client: client.ping(),
    "catalog": lambda client: list(client.catalog()),
    "tags": lambda client: list(client.tags(NAME)),
    "manifest": lambda client: client.manifest(NAME, "latest"),
    "read_blob": lambda client: client.read_blob(NAME, DIGEST),
    "blob": lambda client: list(client.blob(NAME, DIGEST)),
    "referrers": lambda client: client.referrers(NAME, DIGEST),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fails when the block takes longer."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


@every_call
def test_a_stall_times_out(fake: Fake, impatient: oci.Client, call: Callable[[oci.Client], object]) -> None:
    fake.on("GET", ".*", Out(stall=30))

    with at_most(3), pytest.raises(oci.TimedOut) as caught:
        call(impatient)

    assert fake.host in str(caught.value)
    assert len(fake.seen) == 1  # what timed out isn't asked again


@every_call
@pytest.mark.parametrize("drip_head", [False, True], ids=["body", "head"])
def test_a_drip_times_out(
    fake: Fake, impatient: oci.Client, call: Callable[[oci.Client], object], drip_head: bool
) -> None:
    """A byte now and then keeps any socket's timeout from ending."""
    fake.on("GET", ".*", Out(body=b"[" * 1000, drip=0.1, drip_head=drip_head))

    with at_most(4), pytest.raises(oci.TimedOut):
        call(impatient)


def test_a_registry_that_takes_nothing_in_times_out(fake: Fake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        patience = oci.Timeout(connect=1, read=0.3, total=1)
        with at_most(3), oci.Client(url, timeout=patience) as client, pytest.raises(oci.TimedOut):
            client.put_manifest(NAME, "latest", b"x" * 20_000_000, oci.OCI_MANIFEST)


def test_a_deadline_bounds_every_call_before_it_begins(fake: Fake, client: oci.Client) -> None:
    late = client.until(time.monotonic() - 1)

    for call in CALLS.values():
        with pytest.raises(oci.TimedOut):
            call(late)
    assert fake.seen == []
    assert client.ping()
    assert client.requests == late.requests == 1


def test_a_deadline_cuts_a_listing_short(fake: Fake, client: oci.Client) -> None:
    pages = [
        out(200, {"repositories": [f"r{number}"]}, Link=f"<?last={number}>; rel=next") for number in range(99)
    ]
    fake.on("GET", "/v2/_catalog", [Out(page.status, page.body, page.headers, stall=0.05) for page in pages])

    with at_most(3), pytest.raises(oci.TimedOut):
        list(client.until(time.monotonic() + 0.5).catalog())

    assert 1 < len(fake.seen) < 99


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    with (
        oci.Client(f"http://127.0.0.1:{port}") as nobody,
        pytest.raises(oci.Unreachable, match="refuses") as caught,
    ):
        nobody.ping()
    assert caught.value.code == "unreachable"
    with oci.Client("http://registry.invalid") as unknown, pytest.raises(oci.Unreachable, match="found"):
        unknown.ping()


@every_call
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"], ids=["nothing", "half"])
def test_an_answer_cut_off_is_asked_for_again(
    fake: Fake, client: oci.Client, call: Callable[[oci.Client], object], sent: bytes
) -> None:
    fake.on("GET", ".*", Out(raw=sent))

    with pytest.raises(oci.Unreachable, match="broke the connection off"):
        call(client)

    assert len(fake.seen) == 3 or call is CALLS["blob"]  # pieces that were handed on can't be taken back


def test_a_body_cut_off_is_asked_for_again(fake: Fake, client: oci.Client) -> None:
    built = images.image()
    images.push(client, NAME, built, ["latest"])
    cut = out(200, built.body, built.media_type)
    fake.on("GET", ".*/manifests/.*", [Out(200, cut.body, cut.headers, cut=10), out(502), cut])

    content = client.manifest(NAME, "latest")

    assert content
    assert content.body == built.body


def test_a_blob_cut_off_is_an_error_not_an_end(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", ".*/blobs/.*", Out(200, BODY, cut=4))

    with pytest.raises(oci.Unreachable):
        list(client.blob(NAME, DIGEST))


def test_a_connection_closed_in_the_meantime_is_made_anew(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", "/v2/", [out(200, {}, Connection="close"), out(200, {})])

    for _ in range(3):
        assert client.ping()


def test_changes_are_never_repeated(fake: Fake, client: oci.Client) -> None:
    for broken in (Out(raw=b""), out(503), out(429, Retry_After="0")):
        for method in ("PUT", "DELETE", "POST"):
            fake.on(method, ".*", broken)
        before = len(fake.seen)
        for change in (
            lambda: client.put_manifest(NAME, "latest", b"{}", oci.OCI_MANIFEST),
            lambda: client.delete_manifest(NAME, DIGEST),
            lambda: client.start_upload(NAME),
        ):
            with pytest.raises(oci.Error):
                change()
        assert len(fake.seen) == before + 3


def test_a_passing_failure_is_asked_again(fake: Fake, client: oci.Client) -> None:
    for status in (502, 503, 504):
        fake.on("GET", "/v2/", [out(status), out(200, {})])
        assert client.ping()


def test_a_lasting_failure_is_said(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", "/v2/", error(500, "UNKNOWN", {}))

    with pytest.raises(oci.Unavailable) as caught:
        client.ping()

    assert (caught.value.status, caught.value.codes) == (500, ("UNKNOWN",))
    assert len(fake.seen) == 1


def test_a_pause_that_was_asked_for_is_made(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", "/v2/", [error(429, "TOOMANYREQUESTS", Retry_After="1"), out(200, {})])
    start = time.monotonic()

    client.ping()

    assert time.monotonic() - start >= 1


def test_a_pause_beyond_the_deadline_is_told_instead(fake: Fake, client: oci.Client) -> None:
    fake.on("GET", "/v2/", error(429, "TOOMANYREQUESTS", Retry_After="3600"))

    with at_most(1), pytest.raises(oci.TooManyRequests) as caught:
        client.until(time.monotonic() + 5).ping()

    assert caught.value.retry_after == 3600
    assert len(fake.seen) == 1


@pytest.mark.parametrize("call", [CALLS[name] for name in CALLS if name != "referrers"])
def test_a_web_page_is_no_registry(
    fake: Fake, client: oci.Client, call: Callable[[oci.Client], object]
) -> None:
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


def test_a_client_serves_many_threads(fake: Fake, client: oci.Client) -> None:
    built = images.image()
    images.push(client, NAME, built, ["latest"])
    before, found = client.requests, list[str]()

    def work() -> None:
        for _ in range(20):
            content = client.manifest(NAME, "latest")
            assert content
            found.append(content.digest)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [built.digest] * 160
    assert client.requests == before + 160


@pytest.mark.parametrize("url", ["", "registry", "ftp://x", "http://", "http://a:b@x", "http://x:port"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(oci.InvalidName):
        oci.Client(url)
