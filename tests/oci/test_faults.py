"""What a registry, or whatever stands in its place, may do to us: every wait ends, every size is bounded."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from regui import oci
from tests import images
from tests.fake import Fake
from tests.memory import Out, error, out
from tests.oci.calls import BODY, CALLS, DIGEST, NAME, Call, every_call


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fails when the block takes longer."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


@every_call
def test_a_stall_times_out(fake: Fake, impatient: oci.Client, call: Call) -> None:
    fake.on("GET", ".*", Out(stall=30))

    with at_most(10), pytest.raises(oci.TimedOut) as caught:
        call(impatient)

    assert fake.host in str(caught.value)
    assert len(fake.seen) == 1  # what timed out isn't asked again


@every_call
@pytest.mark.parametrize("drip_head", [False, True], ids=["body", "head"])
def test_a_drip_times_out(fake: Fake, impatient: oci.Client, call: Call, drip_head: bool) -> None:
    """A byte now and then keeps any socket's timeout from ending."""
    fake.on("GET", ".*", Out(body=b"[" * 1000, drip=0.1, drip_head=drip_head))

    with at_most(10), pytest.raises(oci.TimedOut):
        call(impatient)


def test_a_drip_times_out_however_long_it_says_it_is(fake: Fake, impatient: oci.Client) -> None:
    endless = (("Content-Length", str(10**15)),)
    fake.on("GET", ".*", Out(200, b"x" * 1000, endless, drip=0.05))

    with at_most(10), pytest.raises(oci.TimedOut):
        list(impatient.blob(NAME, DIGEST))


def test_whoever_takes_a_blob_may_take_their_time(fake: Fake, impatient: oci.Client) -> None:
    body = bytes(1_000_000)
    fake.on("GET", ".*", out(200, body))
    got = 0

    for number, chunk in enumerate(impatient.blob(NAME, oci.Digest.of(body))):
        got += len(chunk)
        if number < 4:
            time.sleep(0.2)  # all together more than the client's patience

    assert got == len(body)


def test_a_registry_that_takes_nothing_in_times_out(fake: Fake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        patience = oci.Timeout(connect=1, read=0.3, total=1)
        with at_most(10), oci.Client(url, timeout=patience) as client, pytest.raises(oci.TimedOut):
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

    with at_most(10), pytest.raises(oci.TimedOut):
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
    fake: Fake, client: oci.Client, call: Call, sent: bytes
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

    with at_most(10), pytest.raises(oci.TooManyRequests) as caught:
        client.until(time.monotonic() + 60).ping()

    assert caught.value.retry_after == 3600
    assert len(fake.seen) == 1


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
