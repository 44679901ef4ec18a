"""Brings blobs from one repository into another: by a mount where the registry can, else through here, a few
at a time and each in pieces, so that no more than some of its bytes are ever in memory.

What an interrupted upload has reached is the registry's to say; from there it goes on. The digest that the
registry checks at the end covers it all, however often it was taken up again.
"""

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from regui import oci
from regui.actions import plans

MIB = 1024 * 1024
# A piece of a large blob, in bytes; what is smaller than SMALL goes in one request.
PIECE, SMALL = 8 * MIB, 4 * MIB
# How many blobs are on their way at a time.
THREADS = 4
# How often in a row a blob may get no further, and the seconds before it is tried again, longer each time.
TRIES, PAUSE, GROWTH, LONGEST_PAUSE = 5, 0.5, 3.0, 30.0
# Seconds between two looks at how far it is.
MOMENT = 0.5
# Docker's and OCI's layers that may not be distributed: they stay where their `urls` say.
FOREIGN = ("foreign", "nondistributable")


class Halted(Exception):
    """Whoever waited for it wants it to end."""


class Astray(oci.Misbehaved):
    """An upload is elsewhere than it should be."""


@dataclass(frozen=True)
class Place:
    """A repository of a registry, by a client of it; `title` is what people call it."""

    client: oci.Client
    name: str
    title: str


@dataclass
class Transfer:
    """Brings blobs from `source` to `target`, each once. `mounts` names, for a blob's digest, a repository of
    the target's registry that has it. `tick` is called every moment, in the thread that waits, with how many
    bytes are there by now; what it raises ends the transfer. `pause` is how many seconds to wait before the
    first new try."""

    source: Place
    target: Place
    mounts: Mapping[str, str] = field(default_factory=dict)
    tick: Callable[[int], None] = lambda _: None
    pause: float = PAUSE
    done: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    halt: threading.Event = field(default_factory=threading.Event)

    @property
    def bytes(self) -> int:
        return sum(self.done.copy().values())

    def is_there(self, document: oci.Document) -> None:
        """Count a manifest's blobs as what needn't be brought."""
        for blob in movable(document):
            self.done[blob.digest] = blob.size
            self.ended.add(blob.digest)
        self.tick(self.bytes)

    def bring(self, document: oci.Manifest) -> None:
        """Have the target hold the manifest's blobs; raises the first `oci.Error` that won't pass, and what
        `tick` raises."""
        wanted = [blob for blob in movable(document) if blob.digest not in self.ended]
        with ThreadPoolExecutor(THREADS, thread_name_prefix="blob") as pool:
            pending: set[Future[None]] = {pool.submit(self.ensure, blob) for blob in wanted}
            try:
                while pending:
                    ended, pending = wait(pending, MOMENT, FIRST_EXCEPTION)
                    for future in ended:
                        future.result()
                    self.tick(self.bytes)
            except BaseException:
                self.halt.set()
                for future in pending:
                    future.cancel()
                raise

    # What each thread does. None of it touches a database.

    def ensure(self, blob: oci.Descriptor) -> None:
        """Have the target hold one blob."""
        if not (self.target.client.has_blob(self.target.name, blob.digest) or self.is_mounted(blob)):
            self.send(blob)
        self.done[blob.digest] = blob.size
        self.ended.add(blob.digest)

    def is_mounted(self, blob: oci.Descriptor) -> bool:
        """Whether the target has the blob now, from another repository of its registry."""
        place = self.mounts.get(blob.digest)
        if place is None:
            return False
        client, name = self.target.client, self.target.name
        try:
            mounted = client.mount_blob(name, blob.digest, place)
        except oci.Refused as error:
            if may_pass(error):
                raise
            return False  # it may not be read there, or mounts aren't offered: then it is sent
        # A registry that still remembers what a garbage collection has removed mounts that too.
        return mounted and client.has_blob(name, blob.digest)

    def send(self, blob: oci.Descriptor) -> None:
        """Upload the blob."""
        Sending(self, blob).go()


@dataclass
class Sending:
    """One blob on its way. `reached` is how far it ever came, `failures` how often in a row no further."""

    transfer: Transfer
    blob: oci.Descriptor
    upload: oci.Upload | None = None
    reached: int = 0
    failures: int = 0

    def __post_init__(self) -> None:
        self.source, self.target = self.transfer.source, self.transfer.target

    def go(self) -> None:
        """Send it. After trouble it goes on from where the registry says that it is, or begins anew where
        that can't be said; raises once it gets no further time after time."""
        while True:
            try:
                self.attempt()
            except oci.Error as error:
                self.recover(error)
            else:
                return

    def attempt(self) -> None:
        client, name = self.target.client, self.target.name
        if self.upload is not None:
            self.upload = client.upload_status(self.upload)
            if self.upload.offset > self.blob.size:
                raise Astray("The registry has more of an upload than was sent.")
        elif self.failures and client.has_blob(name, self.blob.digest):
            return  # only its answer was lost
        else:
            self.upload = client.start_upload(name)
        if self.blob.size < SMALL:
            self.whole()
        else:
            self.pieces()

    def whole(self) -> None:
        """Send a small blob at once, when all of it has come."""
        with lacking(self.source, self.blob):
            data = self.source.client.read_blob(self.source.name, self.blob.digest, limit=SMALL)
        self.finish(data)

    def pieces(self) -> None:
        """Send what the registry doesn't have yet."""
        assert self.upload is not None
        if self.upload.offset < self.blob.size:
            with contextlib.closing(self.read(self.upload.offset)) as chunks:
                for piece in gathered(chunks):
                    self.piece(piece)
                    del piece  # or it would lie in memory while the next one comes
        self.finish(b"")

    def read(self, offset: int) -> Generator[bytes, None, None]:
        """Yield the blob from there on."""
        with lacking(self.source, self.blob):
            yield from self.source.client.blob(self.source.name, self.blob.digest, offset=offset)

    def piece(self, data: bytes) -> None:
        assert self.upload is not None
        if self.transfer.halt.is_set():
            with contextlib.suppress(oci.Error):
                self.target.client.cancel_upload(self.upload)
            raise Halted
        due = self.upload.offset + len(data)
        self.upload = self.target.client.upload_chunk(self.upload, data)
        self.transfer.done[self.blob.digest] = min(self.upload.offset, self.blob.size)
        if self.upload.offset != due:
            raise Astray("The registry took another part of an upload than it was sent.")

    def finish(self, data: bytes) -> None:
        assert self.upload is not None
        self.target.client.finish_upload(self.upload, self.blob.digest, data)

    def recover(self, error: oci.Error) -> None:
        """Wait for the next attempt; raises the error when there is no point in one."""
        begun = self.upload is not None
        lost = begun and isinstance(error, Astray | oci.UploadUnknown | oci.Invalid)
        if not (lost or may_pass(error) or isinstance(error, oci.Unavailable)):
            raise error
        offset = self.upload.offset if self.upload else 0
        self.failures = 1 if offset - self.reached >= PIECE else self.failures + 1
        self.reached = max(self.reached, offset)
        if self.failures >= TRIES:
            raise error
        if lost or self.blob.size < SMALL:
            self.upload = None
        asked = error.retry_after if isinstance(error, oci.Refused) else None
        pause = self.transfer.pause * GROWTH ** (self.failures - 1) if asked is None else asked
        if self.transfer.halt.wait(min(pause, LONGEST_PAUSE)):
            raise Halted


def gathered(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what comes in pieces that are worth a request each. None is kept here once it was yielded."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= PIECE:
            piece = b"".join(parts)
            parts, size = [], 0
            yield piece
            del piece
    if parts:
        yield b"".join(parts)


@contextlib.contextmanager
def lacking(source: Place, blob: oci.Descriptor) -> Iterator[None]:
    """Says which blob it was that can't be had, and where."""
    short = plans.shortened(blob.digest)
    try:
        yield
    except oci.NotFound as error:
        raise oci.BlobUnknown(
            f"{source.title} no longer has the blob {short}.", status=error.status
        ) from error
    except oci.Misbehaved as error:
        raise oci.Misbehaved(f"{source.title} sends other content than the blob {short}.") from error


def movable(document: oci.Document) -> Iterator[oci.Descriptor]:
    """The blobs of a manifest that go along, each once."""
    if isinstance(document, oci.Manifest):
        blobs = {blob.digest: blob for blob in document.blobs if not is_foreign(blob)}
        yield from blobs.values()


def is_foreign(blob: oci.Descriptor) -> bool:
    """Whether a layer stays elsewhere, where its addresses say."""
    return bool(blob.urls) and any(word in blob.media_type for word in FOREIGN)


def may_pass(error: oci.Error) -> bool:
    """Whether nobody knows what became of the request, or asking again later may help: the registry scans
    every tag of a repository for a delete, and a proxy in between may lose patience first."""
    if isinstance(error, oci.BadCertificate | oci.OffLimits):
        return False
    return isinstance(error, oci.Unreachable | oci.TooManyRequests) or (
        isinstance(error, oci.Unavailable) and error.status in {502, 503, 504}
    )
