"""A registry that does as it is told, behind a real socket: faults, slowness, other vendors' ways, hostile
answers.

Untold, it is well-behaved (`tests.memory`) and passes the contract's tests. `fake.on("GET",
r"/v2/_catalog", …)` says otherwise for some requests: with an `Out`, a list of them for one request after
the other, or a function.
"""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.memory import Ask, Memory, Out

Answerer = Callable[[Ask], Out | None]


@dataclass
class Fake:
    """Serves on a free loopback port from `start`, or the beginning of a `with`, until closed. `seen` is what
    was asked of it, `callers` the connections it came by; `base` a path that stands before /v2/; `context`
    makes it speak TLS."""

    memory: Memory = field(default_factory=Memory)
    base: str = ""
    context: ssl.SSLContext | None = None
    seen: list[Ask] = field(default_factory=list)
    callers: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._script: list[tuple[str, re.Pattern[str], Answerer]] = []
        self._server = Server(("127.0.0.1", 0), handler(self))
        if self.context:
            self._server.socket = self.context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        self.closing = threading.Event()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://{self.host}{self.base}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def on(self, method: str, path: str, answer: Out | Sequence[Out] | Answerer) -> None:
        """From now on answer requests whose path (without base and query) is matched by that pattern in this
        way. A list is used up, its last answer stays; a function may return None to let the memory answer."""
        if isinstance(answer, Sequence):
            self._script.insert(0, (method, re.compile(path), in_turn(answer)))
        elif isinstance(answer, Out):
            self._script.insert(0, (method, re.compile(path), in_turn([answer])))
        else:
            self._script.insert(0, (method, re.compile(path), answer))

    def answer(self, ask: Ask) -> Out:
        self.seen.append(ask)
        for method, path, answerer in self._script:
            if ask.method == method and path.fullmatch(ask.path) and (out := answerer(ask)):
                return out
        return self.memory.answer(ask)


def in_turn(answers: Sequence[Out]) -> Answerer:
    """Gives one answer after the other, and the last for ever."""
    waiting, lock = list(answers), threading.Lock()

    def answerer(_: Ask) -> Out:
        with lock:
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return answerer


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Nothing: clients that hang up are what the tests are about."""


def handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    """The request handler that answers for this fake."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            fake.callers.add(self.client_address)
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            ask = Ask(
                self.command,
                unquote(parts.path).removeprefix(fake.base),
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                self.headers,
                body,
                parts.query,
            )
            self.send(fake.answer(ask))

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815

        def send(self, out: Out) -> None:
            """Send the answer, as well or as badly as it says."""
            if out.stall:
                fake.closing.wait(out.stall)
            if out.raw is not None:
                self.dribble(out.raw, out.drip)
                self.hang_up()
                return
            lines = [f"HTTP/1.1 {out.status} {responses.get(out.status, 'Unknown')}"]
            lines += [f"{name}: {value}" for name, value in out.headers]
            if not any(name.lower() == "content-length" for name, _ in out.headers):
                lines.append(f"Content-Length: {len(out.body)}")
            head = "\r\n".join([*lines, "", ""]).encode("latin-1")
            self.dribble(head, out.drip if out.drip_head else 0)
            if self.command != "HEAD":
                self.dribble(out.body if out.cut is None else out.body[: out.cut], out.drip)
            if out.cut is not None:
                self.hang_up()

        def dribble(self, data: bytes, seconds: float) -> None:
            """Send the data, byte by byte with a pause after each if `seconds` says so."""
            for piece in self.pieces(data, seconds):
                self.wfile.write(piece)
                self.wfile.flush()

        def pieces(self, data: bytes, seconds: float) -> Iterator[bytes]:
            if not seconds:
                yield data
                return
            for position in range(len(data)):
                yield data[position : position + 1]
                if fake.closing.wait(seconds):
                    return

        def hang_up(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: Any) -> None:
            """Nothing: what was asked is in `seen`."""

    return Handler


def soon(condition: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()
