"""Blobs on their way from one registry to another: broken off, refused, forgotten, too large for memory."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from regui import oci
from regui.actions import transfer
from regui.actions.transfer import PIECE, Halted, Place, Transfer
from regui.demo.images import noise
from tests.fake import Fake
from tests.memory import Ask, Out, error
from tests.registry import RunningRegistry, open_registry

NAME = "team/app"
UPLOAD = r"/v2/.+/blobs/uploads/[0-9a-f-]+"
LARGE = noise("large", 2 * PIECE + PIECE // 2)
DROPPED = Out(raw=b"")


@dataclass(frozen=True)
class Way:
    """Two registries, and the one blob that is to go from one to the other."""

    source: Fake
    target: Fake
    transfer: Transfer

    @property
    def sent(self) -> int:
        """How many bytes came in, whatever became of them."""
        return sum(len(ask.body) for ask in self.target.seen)

    def asked(self, method: str, of: Fake | None = None) -> list[Ask]:
        return [ask for ask in (of or self.target).seen if ask.method == method and "/blobs/" in ask.path]

    def arrived(self, body: bytes) -> bool:
        digest = oci.Digest.of(body)
        return self.target.memory.blobs.get(digest) == body


@pytest.fixture
def way() -> Iterator[Way]:
    with Fake() as source, Fake() as target, oci.Client(source.url) as one, oci.Client(target.url) as other:
        place = Place(one, NAME, f"main/{NAME}"), Place(other, NAME, f"other/{NAME}")
        yield Way(source, target, Transfer(*place, pause=0.01))


def document(*blobs: bytes) -> oci.Manifest:
    """A manifest that needs these blobs, and whose config is the first."""
    described = [oci.Descriptor(oci.OCTETS, oci.Digest.of(blob), len(blob)) for blob in blobs]
    return oci.Manifest(oci.OCI_MANIFEST, described[0], tuple(described[1:]))


def pushed(way: Way, *blobs: bytes) -> oci.Manifest:
    for blob in blobs:
        way.transfer.source.client.push_blob(NAME, blob)
    way.source.seen.clear()
    return document(*blobs)


def test_a_small_blob_goes_in_one_request(way: Way) -> None:
    way.transfer.bring(pushed(way, b"{}", b"small"))
    assert way.arrived(b"{}")
    assert way.arrived(b"small")
    assert way.asked("PATCH") == []
    assert way.transfer.bytes == 7


def test_a_large_blob_goes_in_pieces(way: Way) -> None:
    way.transfer.bring(pushed(way, LARGE))
    assert way.arrived(LARGE)
    sizes = [len(ask.body) for ask in way.asked("PATCH")]
    assert len(sizes) == 3
    assert max(sizes) < PIECE + 2**17
    assert len(way.asked("GET", way.source)) == 1
    assert way.transfer.bytes == len(LARGE)


def test_an_upload_cut_in_the_middle_goes_on_where_it_was(way: Way) -> None:
    document = pushed(way, LARGE)
    cut: list[int] = []

    def half(ask: Ask) -> Out | None:
        if len(way.asked("PATCH")) != 2:
            return None
        upload = way.target.memory.uploads[ask.path.rpartition("/")[2]]
        upload += ask.body[: len(ask.body) // 2]
        cut.append(len(upload))
        return DROPPED

    way.target.on("PATCH", UPLOAD, half)
    way.transfer.bring(document)
    assert way.arrived(LARGE)
    ranges = [ask.headers["Range"] for ask in way.asked("GET", way.source)]
    assert ranges == [None, f"bytes={cut[0]}-"]
    assert way.sent < len(LARGE) + PIECE


def test_a_source_that_breaks_off_is_read_on_from_there(way: Way) -> None:
    document = pushed(way, LARGE)

    def broken(ask: Ask) -> Out | None:
        whole = ask.headers["Range"] is None
        return Out(200, LARGE, cut=PIECE + PIECE // 2) if whole else None

    way.source.on("GET", rf"/v2/{NAME}/blobs/sha256:.*", broken)
    way.transfer.bring(document)
    assert way.arrived(LARGE)
    second = way.asked("GET", way.source)[1].headers["Range"]
    assert re.fullmatch(r"bytes=\d+-", second)
    assert int(second[6:-1]) >= PIECE


def test_an_upload_that_the_registry_forgot_is_begun_anew(way: Way) -> None:
    document = pushed(way, LARGE)

    def forget(ask: Ask) -> Out | None:
        if len(way.asked("PATCH")) == 2:
            way.target.memory.uploads.clear()
        return None

    way.target.on("PATCH", UPLOAD, forget)
    way.transfer.bring(document)
    assert way.arrived(LARGE)
    assert len([ask for ask in way.asked("POST") if ask.path.endswith("/uploads/")]) == 2


def test_a_registry_that_takes_a_piece_twice_is_sent_it_all_again(way: Way) -> None:
    document = pushed(way, LARGE)

    def twice(ask: Ask) -> Out | None:
        if len(way.asked("PATCH")) == 2:
            upload = way.target.memory.uploads[ask.path.rpartition("/")[2]]
            upload += ask.body + ask.body
            return DROPPED
        return None

    way.target.on("PATCH", UPLOAD, twice)
    way.transfer.bring(document)
    assert way.arrived(LARGE)


@pytest.mark.parametrize("body", [b"small", LARGE], ids=["small", "large"])
def test_when_only_the_last_answer_is_lost_nothing_is_sent_again(way: Way, body: bytes) -> None:
    document = pushed(way, body)

    def mute(ask: Ask) -> Out | None:
        way.target.memory.answer(ask)
        return DROPPED

    way.target.on("PUT", UPLOAD, mute)
    way.transfer.bring(document)
    assert way.arrived(body)
    assert way.sent < len(body) + 4096
    assert len(way.asked("PUT")) == 1


def test_a_registry_that_asks_for_a_pause_gets_it(way: Way) -> None:
    document = pushed(way, LARGE)
    refusals = [error(429, "TOOMANYREQUESTS", Retry_After="0"), error(503, "UNAVAILABLE")]
    way.target.on("PATCH", UPLOAD, lambda _: refusals.pop() if refusals else None)
    way.transfer.bring(document)
    assert way.arrived(LARGE)


def test_what_gets_no_further_is_given_up(way: Way) -> None:
    document = pushed(way, LARGE)
    way.target.on("PATCH", UPLOAD, DROPPED)
    with pytest.raises(oci.Dropped):
        way.transfer.bring(document)
    assert len(way.asked("PATCH")) == transfer.TRIES


def test_a_refusal_ends_it_at_once(way: Way) -> None:
    document = pushed(way, LARGE)
    way.target.on("PATCH", UPLOAD, error(403, "DENIED"))
    with pytest.raises(oci.Denied):
        way.transfer.bring(document)
    assert len(way.asked("PATCH")) == 1


def test_a_source_that_sends_something_else_is_told(way: Way) -> None:
    body = bytes(len(LARGE))
    document = pushed(way, LARGE)
    way.source.on("GET", rf"/v2/{NAME}/blobs/sha256:.*", Out(200, body))
    with pytest.raises(oci.Misbehaved, match=f"main/{NAME} sends other content than the blob sha256:"):
        way.transfer.bring(document)
    assert way.target.memory.blobs == {}


def test_a_blob_that_is_gone_is_named(way: Way) -> None:
    missing = oci.Digest.of(b"missing")
    with pytest.raises(oci.BlobUnknown, match=f"main/{NAME} no longer has the blob {missing[:19]}"):
        way.transfer.bring(document(b"missing"))


def test_a_mount_that_is_denied_is_sent_instead(way: Way) -> None:
    document = pushed(way, b"small")
    way.transfer.mounts = {oci.Digest.of(b"small"): "team/secret"}
    way.target.on(
        "POST", r"/v2/.+/uploads/", lambda ask: error(403, "DENIED") if "mount" in ask.query else None
    )
    way.transfer.bring(document)
    assert way.arrived(b"small")


def test_layers_that_stay_elsewhere_are_left_there(way: Way) -> None:
    config = oci.Descriptor(oci.OCI_CONFIG, oci.Digest.of(b"{}"), 2)
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    layer = oci.Descriptor(kind, oci.Digest.of(b"windows"), 7, urls=("https://example.com/windows",))
    pushed(way, b"{}")
    way.transfer.bring(oci.Manifest(oci.OCI_MANIFEST, config, (layer,)))
    assert way.arrived(b"{}")
    assert way.transfer.bytes == 2


def test_what_is_asked_to_end_ends_between_two_pieces(way: Way) -> None:
    document = pushed(way, LARGE)

    def stop(_: int) -> None:
        raise Halted

    way.transfer.tick = stop
    way.target.on("PATCH", UPLOAD, lambda ask: slow(way, ask))
    with pytest.raises(Halted):
        way.transfer.bring(document)
    assert not way.arrived(LARGE)
    assert way.target.memory.uploads == {}


def slow(way: Way, ask: Ask) -> Out:
    answered = way.target.memory.answer(ask)
    return Out(answered.status, answered.body, answered.headers, stall=1)


def test_several_blobs_are_on_their_way_at_a_time(way: Way) -> None:
    blobs = [f"blob {number}".encode() for number in range(transfer.THREADS)]
    document = pushed(way, *blobs)
    together = threading.Barrier(transfer.THREADS, timeout=10)

    def wait(_: Ask) -> None:
        together.wait()

    way.target.on("PUT", UPLOAD, wait)
    way.transfer.bring(document)
    assert all(way.arrived(blob) for blob in blobs)


# Memory

CARRY = r"""
import re, sys
from pathlib import Path
from regui import oci
from regui.actions.transfer import Place, Transfer


def peak():
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


source, target, digest, size = sys.argv[1:]
blob = oci.Descriptor(oci.OCTETS, oci.Digest.parse(digest), int(size))
with oci.Client(source) as one, oci.Client(target) as other:
    config = oci.Descriptor(oci.OCTETS, one.push_blob("big/app", b"{}"), 2)
    transfer = Transfer(Place(one, "big/app", "one"), Place(other, "big/app", "other"))
    transfer.bring(oci.Manifest(oci.OCI_MANIFEST, None, (config,)))
    before = peak()
    transfer.bring(oci.Manifest(oci.OCI_MANIFEST, None, (blob,)))
    print(peak() - before)
"""


def test_a_blob_larger_than_memory_may_be_is_copied_in_little_of_it(tmp_path: Path) -> None:
    size = 160 * 2**20
    source, target = open_registry(tmp_path / "source"), open_registry(tmp_path / "target")
    try:
        digest = sparse(source, size)
        done = subprocess.run(
            [sys.executable, "-c", CARRY, source.url, target.url, digest, str(size)],
            capture_output=True,
            check=True,
            text=True,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "regui.settings"},
        )
        with target.connect() as client:
            assert client.head_blob("big/app", digest) == size
    finally:
        source.stop()
        target.stop()
    assert int(done.stdout) < 4 * PIECE // 1024  # it is in kilobytes


def sparse(registry: RunningRegistry, size: int) -> oci.Digest:
    """A blob of zeros that the registry has, sent in pieces."""
    with registry.connect() as client:
        upload = client.start_upload("big/app")
        for _ in range(size // PIECE):
            upload = client.upload_chunk(upload, bytes(PIECE))
        digest = oci.Digest.of(bytes(size))
        return client.finish_upload(upload, digest)
