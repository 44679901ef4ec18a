"""Manifests and configs as a database keeps them.

A document of a few kilobytes deflates badly by itself, since what it repeats it mostly repeats from others.
So each is deflated by a dictionary of what they all say. The first byte names the format; without it, this is
a stream of zlib's own, which begins with 0x78, as rows were written before there was one."""

import zlib

from regui.index import phrases

FORMAT = b"\x01"
# Without zlib's frame: the checksum would say less than the digest does.
BARE = -zlib.MAX_WBITS
# To copy one that has the dictionary takes half the time of giving it to a new one.
READY = zlib.compressobj(wbits=BARE, zdict=phrases.FIRST)


def packed(body: bytes) -> bytes:
    deflate = READY.copy()
    return FORMAT + deflate.compress(body) + deflate.flush()


def unpacked(data: bytes | memoryview) -> bytes:
    """What was packed; `zlib.error` for what never was."""
    if data[:1] != FORMAT:
        return zlib.decompress(data)
    inflate = zlib.decompressobj(BARE, phrases.FIRST)
    return inflate.decompress(data[len(FORMAT) :]) + inflate.flush()
