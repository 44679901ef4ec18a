"""Sends requests and reads answers, both bounded in time and size. Knows hosts, not registries.

Two doors lead out: one to the registry itself, with the client certificate and its private CA; one to
wherever the registry refers us (a token server, a blob store), which sees no certificate of ours. Nothing
is taken from the environment: a REQUESTS_CA_BUNDLE or a .netrc would silently override what the settings
say.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from urllib3 import HTTPHeaderDict

from regui.oci.doors import Adapter, Door, Pools
from regui.oci.errors import Misbehaved, TimedOut, Unreachable
from regui.oci.faults import translated
from regui.oci.origin import Origin
from regui.oci.pools import Raw
from regui.oci.timed import within
from regui.oci.tls import Cert, Verify, context_for

CHUNK = 64 * 1024
SLOWEST = 128 * 1024  # bytes a second that content must move at, apart from a pause now and then


@dataclass(frozen=True)
class Timeout:
    """Seconds: to connect, between two bytes, for a whole answer (content gets more, by its size), and before
    something is asked again for the first time."""

    connect: float = 5
    read: float = 20
    total: float = 60
    pause: float = 0.2


class Reply:
    """An answer whose body is still to be read. Close it, or read it to its end."""

    def __init__(self, raw: Raw, origin: Origin, deadline: float) -> None:
        self._raw, self.origin, self.deadline = raw, origin, deadline

    @property
    def status(self) -> int:
        return self._raw.status

    @property
    def headers(self) -> HTTPHeaderDict:
        return self._raw.headers

    @property
    def length(self) -> int | None:
        """Content-Length in bytes; None without a usable one."""
        value = self.headers.get("Content-Length", "").strip()
        return int(value) if value.isdecimal() and len(value) < 19 else None

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes in; Unreachable when it breaks off or isn't over by the deadline."""
        try:
            while chunk := self._piece():
                yield chunk
        finally:
            self.close()

    def stream(self, patience: float, ceiling: float) -> Iterator[bytes]:
        """The body as it comes in, however long: waiting for it may take `patience` seconds, which bytes
        that do come refill at a modest rate, and goes on until `ceiling` at most. Time that whoever takes
        the bytes spends on them isn't counted."""
        budget = patience
        try:
            while True:
                start = time.monotonic()
                self.deadline = min(ceiling, start + budget)
                if not (chunk := self._piece()):
                    return
                spent = time.monotonic() - start
                budget = min(patience, budget - spent + len(chunk) / SLOWEST)
                yield chunk
        finally:
            self.close()

    def _piece(self) -> bytes:
        """What comes next; empty at the end."""
        with translated(str(self.origin)), within(self.deadline):
            # read1 hands over what there is, where read would wait for a whole chunk.
            return self._raw.read1(CHUNK, decode_content=True)

    def read(self, limit: int) -> bytes:
        """The whole body; Misbehaved when it is longer than `limit` bytes."""
        plain = self.length is not None and "Content-Encoding" not in self.headers
        if self.status == 304 or (plain and (self.length or 0) <= limit):
            with translated(str(self.origin)), within(self.deadline):
                return self._raw.read(decode_content=True)
        body = bytearray()
        for chunk in self.chunks():
            body += chunk
            if len(body) > limit:
                self.close()
                raise Misbehaved(f"{self.origin} sent more than {limit} bytes, which no sane answer has.")
        return bytes(body)

    def first(self) -> bytes:
        """What comes in first of the body; empty when it has none."""
        try:
            return next(self.chunks(), b"")
        finally:
            self.close()

    def start(self, limit: int) -> bytes:
        """The body's first bytes, at most `limit`, for an error message; what breaks off or is late is left
        out."""
        body = b""
        try:
            for chunk in self.chunks():
                body += chunk
                if len(body) >= limit:
                    break
        except Unreachable:
            pass
        finally:
            self.close()
        return body[:limit]

    def close(self) -> None:
        self._raw.close()
        self._raw.release_conn()


class Transport:
    """The way to one registry and, without what belongs to it, to other hosts. Thread-safe.

    `verify` is False, True (the authorities this machine and Mozilla trust) or the path of a CA file, or
    folder, or what would stand in one, that alone vouches for the registry. BadCertificate when a file
    can't be used. `link_local` lets either door lead to link-local addresses, though never to a cloud's
    metadata.
    """

    def __init__(
        self,
        home: Origin,
        *,
        verify: Verify,
        cert: Cert,
        user_agent: str,
        timeout: Timeout,
        pool_size: int,
        direct: bool = False,
        link_local: bool = False,
    ) -> None:
        self.home, self.timeout, self.user_agent = home, timeout, user_agent
        self._sent = 0
        self._verify, self._pool_size, self._guard = verify, pool_size, threading.Lock()
        self._standing = {"User-Agent": user_agent, "Accept-Encoding": "identity", "Accept": "*/*"}
        self._make = partial(Pools if direct else Adapter, link_local=link_local)
        context = context_for(verify, cert, alone=True) if home.scheme == "https" else None
        self._home: Door = self._make(context, pool_size)
        self._away: dict[str, Door] = {}

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Reply:
        """The reply, its body unread; redirects and refusals are replies too. Unreachable when none came.

        Nothing else in this package touches the network: another HTTP library would be put in here."""
        return self.send_to(Origin.of(url), method, url, headers, body, deadline)

    def send_to(
        self,
        origin: Origin,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
    ) -> Reply:
        """The same, where the address's origin is known already."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"The time for asking {origin} was up.")
        with self._guard:
            self._sent += 1
        timeout = min(self.timeout.connect, left), min(self.timeout.read, left)
        with translated(str(origin)), within(deadline):
            raw = self._door(origin).knock(method, url, origin, {**self._standing, **headers}, body, timeout)
        return Reply(raw, origin, deadline)

    def _door(self, origin: Origin) -> Door:
        """The way that leads there. Loading the public authorities takes a while, so it waits for a
        need."""
        if origin is self.home or origin == self.home:
            return self._home
        with self._guard:
            if origin.scheme not in self._away:
                tls = origin.scheme == "https"
                context = context_for(self._verify, None, alone=False) if tls else None
                self._away[origin.scheme] = self._make(context, self._pool_size)
            return self._away[origin.scheme]

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._sent

    def close(self) -> None:
        self._home.close()
        with self._guard:
            for away in self._away.values():
                away.close()
