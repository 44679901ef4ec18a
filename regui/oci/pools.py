"""urllib3's pools, with a short way for what a crawl sends a hundred thousand of: a GET, and an answer whose
head comes in one piece and says how long it is.

urllib3 and the standard library spend more on such an answer than registry and network together. Connections,
TLS and the way to reuse them are theirs here too, and whatever isn't as usual is left to them to read, from
its first byte.
"""

import re
from collections.abc import Mapping
from http.client import HTTPResponse as Response
from http.client import IncompleteRead
from typing import Any, Protocol, cast

from urllib3 import HTTPConnectionPool, HTTPHeaderDict, HTTPResponse
from urllib3.connection import HTTPConnection

from regui.oci.timed import TimedHTTPPool, TimedHTTPSPool, TimedSocket

PIECE = 64 * 1024
TARGET = re.compile(r"/[!-~]*")
# RFC 9112: no folded lines, no bare CR or LF.
HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5]\d\d)(?: [^\r\n]*)?\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n]*\r\n)*)\r\n"
)
# They change where a body ends, what it means or what becomes of the connection.
UNUSUAL = frozenset({"transfer-encoding", "content-encoding", "upgrade"})
KEPT = "keep-alive"
DIGITS = 18
BODILESS = frozenset({204, 304})


class Raw(Protocol):
    """An answer with its body unread, as `Reply` needs it; urllib3's is one."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> HTTPHeaderDict: ...
    def read(self, amt: int | None = None, decode_content: bool | None = None) -> bytes: ...
    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes: ...
    def close(self) -> None: ...
    def release_conn(self) -> None: ...


class Usual:
    """An answer that is as long as it says. The connection goes back once it is read to its end."""

    def __init__(
        self,
        status: int,
        headers: HTTPHeaderDict,
        come: bytes,
        length: int,
        connection: HTTPConnection,
        pool: "Short",
    ) -> None:
        self.status, self.headers = status, headers
        self._come, self._left = come, length - len(come)
        self._connection: HTTPConnection | None = connection
        self._pool = pool
        if not self._left:
            self.release_conn()

    def read(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """All that is left; IncompleteRead when it breaks off."""
        pieces = [self._come]
        self._come = b""
        while self._left:
            pieces.append(self._more())
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """What has come by now, or what comes next; empty at the end."""
        come, self._come = self._come, b""
        return come or (self._more() if self._left else b"")

    def _more(self) -> bytes:
        assert self._connection is not None
        sock = cast("TimedSocket", self._connection.sock)
        try:
            piece = sock.recv(min(self._left, PIECE))
            if not piece:
                raise IncompleteRead(b"", self._left)
        except BaseException:
            self.close()
            raise
        self._left -= len(piece)
        if not self._left:
            self.release_conn()
        return piece

    def close(self) -> None:
        """What is left is not wanted, and neither is a connection that it would still come from."""
        self._come, self._left = b"", 0
        if self._connection is not None:
            self._connection.close()
            self.release_conn()

    def release_conn(self) -> None:
        if self._connection is not None:
            self._pool.take_back(self._connection)
            self._connection = None


class Short(HTTPConnectionPool):
    """A pool with a short way."""

    def ask(
        self, method: str, target: str, host: str, headers: Mapping[str, str], timeout: tuple[float, float]
    ) -> Raw:
        """The answer to a request without a body, sent as it stands: `target` is printable ASCII."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "", ""])
        if head.count("\n") + head.count("\r") != 2 * len(lines) + 2:
            raise ValueError("a header must not hold a line's end")
        connect, read = timeout
        connection = cast("HTTPConnection", self._get_conn())
        try:
            if connection.sock is None:
                connection.timeout = connect
                connection.connect()
            sock = cast("TimedSocket", connection.sock)
            sock.settimeout(read)
            sock.sendall(head.encode("latin-1"))
            come = sock.recv(PIECE)
            return self._usual(method, come, connection) or self._unusual(method, come, connection)
        except BaseException:
            connection.close()
            self.take_back(connection)
            raise

    def take_back(self, connection: HTTPConnection) -> None:
        """Keep a connection, open or closed, for the next request."""
        self._put_conn(connection)

    def _usual(self, method: str, come: bytes, connection: HTTPConnection) -> Usual | None:
        """The answer that begins with these bytes, if it is one of the usual kind."""
        match = HEAD.match(come)
        if match is None:
            return None
        headers = HTTPHeaderDict()
        for line in match[2].decode("latin-1").split("\r\n")[:-1]:
            name, _, value = line.partition(":")
            if name.lower() in UNUSUAL:
                return None
            headers.add(name, value.strip(" \t"))
        if headers.get("Connection", KEPT).lower() != KEPT:
            return None
        status, length = int(match[1]), headers.get("Content-Length", "")
        if method == "HEAD" or status in BODILESS:
            length = "0"
        if not length.isdecimal() or len(length) > DIGITS or int(length) < len(come) - match.end():
            return None
        return Usual(status, headers, come[match.end() :], int(length), connection, self)

    def _unusual(self, method: str, come: bytes, connection: HTTPConnection) -> HTTPResponse:
        """The answer that begins with these bytes, however it is."""
        sock = cast("TimedSocket", connection.sock)
        sock.put_back(come)
        response = Response(cast("Any", sock), method=method)
        response.begin()
        if response.will_close:
            connection.close()  # once the answer is read
        return HTTPResponse(
            body=cast("Any", response),
            headers=HTTPHeaderDict(response.msg.items()),
            status=response.status,
            version=response.version,
            reason=response.reason,
            preload_content=False,
            decode_content=False,
            original_response=cast("Any", response),
            pool=self,
            connection=connection,
            request_method=method,
        )


class ShortHTTPPool(Short, TimedHTTPPool):
    pass


class ShortHTTPSPool(Short, TimedHTTPSPool):
    pass


POOLS = {"http": ShortHTTPPool, "https": ShortHTTPSPool}
