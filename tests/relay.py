"""Stands before a real registry and lets a test do something just before a request reaches it."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Before = Callable[[str, str], None]
# Of one connection only.
HOP = frozenset({"connection", "transfer-encoding", "keep-alive"})


class Handler(BaseHTTPRequestHandler):
    """Sends on what comes, and what comes back."""

    protocol_version = "HTTP/1.1"
    server: "Relay"

    def relay(self) -> None:
        self.server.before(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        there = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        there.request(self.command, self.path, body, dict(self.headers))
        answer = there.getresponse()
        found = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        if "content-length" not in {name.lower() for name, _ in answer.getheaders()}:
            self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)
        there.close()

    def log_message(self, *args: object) -> None:
        """Nothing: the registry has a log of its own."""


for method in ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"):
    setattr(Handler, f"do_{method}", Handler.relay)


class Relay(ThreadingHTTPServer):
    """In front of the registry on that port; `before` is called with method and path."""

    daemon_threads = True

    def __init__(self, port: int, before: Before) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.port, self.before = port, before

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def relaying(port: int, before: Before) -> Iterator[Relay]:
    with Relay(port, before) as relay:
        Thread(target=relay.serve_forever, daemon=True).start()
        yield relay
        relay.shutdown()
