"""What an authenticator app shows (RFC 6238): the code of now, told from the key alone."""

import base64
import hmac
import struct
import time

PERIOD = 30


def now(key: str, ahead: int = 0) -> str:
    """The six digits of this half minute, or of one so many later."""
    counter = int(time.time()) // PERIOD + ahead
    digest = hmac.digest(base64.b32decode(key), struct.pack(">Q", counter), "sha1")
    (value,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(value & 0x7FFFFFFF) % 1_000_000:06}"
