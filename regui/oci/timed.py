"""Connections that keep to a deadline, whatever the other side does.

A socket's own timeout begins anew with every byte, so a server that drips one now and then could hold a
request for ever, in the headers as well as in the body. Here each read and each write may take as long as
is left of the deadline of the thread that does it, and never longer than the socket's own timeout.

They are also the only connections there are, so they see to it that none leads to an address off limits.
"""

import io
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import IO, Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from regui.oci import addresses

PIECE = 64 * 1024


class Current(threading.local):
    deadline: float = float("inf")


_current = Current()


@contextmanager
def within(deadline: float) -> Iterator[None]:
    """What this thread sends and receives inside the block ends by `deadline`, a moment of
    `time.monotonic()`; TimeoutError comes out of the socket otherwise."""
    before = _current.deadline
    _current.deadline = deadline
    try:
        yield
    finally:
        _current.deadline = before


class TimedSocket:
    """A socket whose every step is bounded; it has what http.client and urllib3 use."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._idle = sock, sock.gettimeout()
        self._set = self._idle
        self._back = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, seconds: float | None) -> None:
        self._idle = seconds

    def allow(self) -> None:
        """Grant the next step what is left; TimeoutError when nothing is."""
        left = _current.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        seconds = left if self._idle is None else min(self._idle, left)
        if seconds != self._set:  # setting it is a system call
            self._sock.settimeout(seconds)
            self._set = seconds

    def recv(self, size: int) -> bytes:
        self.allow()
        return self._sock.recv(size)

    def put_back(self, data: bytes) -> None:
        """Let whoever reads from `makefile` begin with these bytes."""
        self._back = data

    def sendall(self, data: Any) -> None:
        # Python counts a timeout over the whole of sendall; over a piece it says that nothing moves.
        view = memoryview(data).cast("B")
        for start in range(0, len(view), PIECE):
            self.allow()
            self._sock.sendall(view[start : start + PIECE])

    def makefile(self, mode: str, *_: Any, **__: Any) -> IO[bytes]:
        back, self._back = self._back, b""
        return io.BufferedReader(TimedReader(self, self._sock.makefile("rb", buffering=0), back))


class TimedReader(io.RawIOBase):
    """The reading side of a `TimedSocket`, after what was read from it already."""

    def __init__(self, sock: TimedSocket, raw: io.RawIOBase, back: bytes) -> None:
        self._sock, self._raw, self._back = sock, raw, back

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._back:
            piece = self._back[: len(buffer)]
            buffer[: len(piece)] = piece
            self._back = self._back[len(piece) :]
            return len(piece)
        self._sock.allow()
        return cast("int | None", self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class Checked(HTTPConnection):
    """A connection to no address off limits; `link_local` as in `addresses.connect`."""

    def __init__(self, *args: Any, link_local: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.link_local = link_local

    def _new_conn(self) -> socket.socket:
        """A socket that leads there, or the errors that urllib3 knows."""
        try:
            return addresses.connect(
                self._dns_host,
                self.port,
                timeout=self.timeout,
                options=self.socket_options,
                link_local=self.link_local,
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection to {self.host}: {error}") from error


class TimedHTTPConnection(Checked):
    def connect(self) -> None:
        super().connect()
        self.sock = cast("socket.socket", TimedSocket(self.sock))


class TimedHTTPSConnection(Checked, HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = cast("socket.socket", TimedSocket(self.sock))
        # Whoever switched verification off said so in the settings; a warning for every request tells
        # nobody more.
        self.is_verified = True


class TimedHTTPPool(HTTPConnectionPool):
    ConnectionCls = TimedHTTPConnection


class TimedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = TimedHTTPSConnection


Classes = Mapping[str, type[HTTPConnectionPool]]
POOLS: Classes = {"http": TimedHTTPPool, "https": TimedHTTPSPool}


def opened(pools: Classes, *, link_local: bool) -> dict[str, Any]:
    """What makes a pool of each of these classes, as urllib3's managers want it."""
    return {scheme: partial(pool, link_local=link_local) for scheme, pool in pools.items()}
