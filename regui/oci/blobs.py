"""Blobs: reading them, verified, and asking whether they are there.

Specification: distribution, "Pulling blobs", "Deleting Blobs". Registries on cloud storage answer with a
redirect to another host; it is followed without credentials.
"""

import hashlib
from collections.abc import Iterator

from regui.oci.caller import Caller, Request
from regui.oci.errors import BlobUnknown, Dropped, Malformed, Misbehaved, Unsupported
from regui.oci.headers import content_range
from regui.oci.names import Digest, check_repository
from regui.oci.transport import Reply

MAX_CONFIG = 8 * 1024 * 1024


class Blobs(Caller):
    """The calls about blobs."""

    def blob(
        self, name: str, digest: Digest, *, offset: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """Yield the blob in pieces, from the byte `offset` on and at most `length` bytes; nothing is asked
        before the first piece is taken. When it is read whole, it is verified before the iteration ends, with
        Misbehaved if the content is another. BlobUnknown. Close the iterator when you stop before its end."""
        whole = offset == 0 and length is None
        with_range = (
            {} if whole else {"Range": f"bytes={offset}-{'' if length is None else offset + length - 1}"}
        )
        request = self._blob("GET", name, digest, with_range, (200,) if whole else (200, 206))
        if length == 0:
            return
        reply = self.open(request)
        chunks = self.stream(reply)
        try:
            yield from verified(chunks, digest) if whole else part(reply, chunks, offset, length)
        finally:
            reply.close()

    def read_blob(self, name: str, digest: Digest, *, limit: int = MAX_CONFIG) -> bytes:
        """The whole blob, verified; Misbehaved when it is longer than `limit` bytes. BlobUnknown."""
        body = self.call(self._blob("GET", name, digest, {}, (200,)), limit=limit).body
        if Digest.of(body, digest.algorithm) != digest:
            raise Misbehaved(f"The registry sent other content than {digest}.")
        return body

    def head_blob(self, name: str, digest: Digest) -> int:
        """The blob's size in bytes, as far as the registry remembers: after a garbage collection it may be
        wrong, see `has_blob`. BlobUnknown."""
        size = self.call(self._blob("HEAD", name, digest, {}, (200,))).headers.get("Content-Length", "")
        if not size.isdecimal():
            raise Malformed(f"The registry doesn't say how long {digest} is.")
        return int(size)

    def has_blob(self, name: str, digest: Digest) -> bool:
        """Whether the blob's content can be read, found out by reading a byte of it.

        distribution's cache goes on answering HEAD with 200 after a garbage collection; only reading shows
        that the content has gone: the connection breaks off."""
        request = self._blob("GET", name, digest, {"Range": "bytes=0-0"}, (200, 206, 416))
        try:
            reply = self.open(request)
        except BlobUnknown:
            return False
        if reply.status == 416 or reply.length == 0:  # there, and empty
            reply.close()
            return True
        try:
            return bool(reply.read(1) if reply.status == 206 else reply.first())
        except Dropped:
            return False

    def delete_blob(self, name: str, digest: Digest) -> None:
        """Take the blob out of this repository; other repositories keep it. Nobody but a test or a repair
        should: manifests that need it stay listed and broken. BlobUnknown, Unsupported."""
        try:
            self.call(self._blob("DELETE", name, digest, {}, (200, 202, 204)))
        except Unsupported as error:
            error.hint = error.deleting
            raise

    def _blob(
        self, method: str, name: str, digest: Digest, headers: dict[str, str], expect: tuple[int, ...]
    ) -> Request:
        return Request(
            method,
            f"/v2/{check_repository(name)}/blobs/{Digest.parse(digest)}",
            frozenset({f"repository:{name}:{'delete' if method == 'DELETE' else 'pull'}"}),
            headers,
            expect=expect,
            missing=BlobUnknown,
            elsewhere=True,
        )


def verified(chunks: Iterator[bytes], digest: Digest) -> Iterator[bytes]:
    """Yield the pieces; Misbehaved at its end when they aren't what the digest says."""
    hashed = hashlib.new(digest.algorithm, usedforsecurity=False)
    for chunk in chunks:
        hashed.update(chunk)
        yield chunk
    if hashed.hexdigest() != digest.hex:
        raise Misbehaved(f"The registry sent other content than {digest}.")


def part(reply: Reply, chunks: Iterator[bytes], offset: int, length: int | None) -> Iterator[bytes]:
    """Yield the part that was asked for, also when the registry ignored the range and sent the whole blob."""
    skip = offset
    if reply.status == 206:
        sent = content_range(reply.headers.get("Content-Range", ""))
        if sent and sent[0] != offset:
            raise Misbehaved("The registry sent another part of the blob than it was asked for.")
        skip = 0
    left = length
    for chunk in chunks:
        piece = chunk[skip:] if left is None else chunk[skip : skip + left]
        skip = max(0, skip - len(chunk))
        if piece:
            yield piece
        if left is not None:
            left -= len(piece)
            if left <= 0:
                return
