"""Sends requests and reads answers, both bounded in time and size. Knows hosts, not registries.

Two doors lead out: one to the registry itself, with the client certificate and its private CA; one to
wherever the registry refers us (a token server, a blob store), which sees no certificate of ours. Nothing
is taken from the environment: a REQUESTS_CA_BUNDLE or a .netrc would silently override what the settings
say.
"""

import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPHeaderDict

from regui.oci.errors import BadCertificate, Misbehaved, TimedOut, Unreachable
from regui.oci.faults import translated
from regui.oci.timed import POOLS, within

CHUNK = 64 * 1024
SLOWEST = 128 * 1024  # bytes a second that content must move at, apart from a pause now and then
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Timeout:
    """Seconds: to connect, between two bytes, for a whole answer (content gets more, by its size), and before
    something is asked again for the first time."""

    connect: float = 5
    read: float = 20
    total: float = 60
    pause: float = 0.2


@dataclass(frozen=True)
class Origin:
    """What must be equal for two addresses to be the same server."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        """The origin of an absolute http(s) address; ValueError for anything else, and for one that brings a
        user name along (requests would send it in our place)."""
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
            raise ValueError("not an http or https address of a host alone")
        return cls(parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme])

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


class Reply:
    """An answer whose body is still to be read. Close it, or read it to its end."""

    def __init__(self, raw: BaseHTTPResponse, origin: Origin, deadline: float) -> None:
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


class Adapter(HTTPAdapter):
    """requests' way to urllib3, with connections that keep to deadlines and a TLS context made once.

    It is used without requests' sessions: they read a redirect's body, however large, keep cookies, and take
    proxies, CA bundles and passwords from the environment.
    """

    def __init__(self, context: ssl.SSLContext | None, pool_size: int) -> None:
        self.context = context
        super().__init__(pool_connections=4, pool_maxsize=pool_size)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        origin = Origin.of(str(request.url))
        host = {"scheme": origin.scheme, "host": origin.host, "port": origin.port}
        return host, {"ssl_context": self.context} if origin.scheme == "https" else {}

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Nothing: the context says it all."""


class Transport:
    """The way to one registry and, without what belongs to it, to other hosts. Thread-safe.

    `verify` is False, True (the authorities this machine and Mozilla trust) or the path of a CA file, or
    folder, that alone vouches for the registry. BadCertificate when a file can't be used.
    """

    def __init__(
        self,
        home: Origin,
        *,
        verify: bool | str,
        cert: tuple[str, str] | str | None,
        user_agent: str,
        timeout: Timeout,
        pool_size: int,
    ) -> None:
        self.home, self.timeout, self.user_agent = home, timeout, user_agent
        self._sent = 0
        self._verify, self._pool_size, self._guard = verify, pool_size, threading.Lock()
        context = tls_context(verify, cert, alone=True) if home.scheme == "https" else None
        self._home = Adapter(context, pool_size)
        self._away: dict[str, Adapter] = {}

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Reply:
        """The reply, its body unread; redirects and refusals are replies too. Unreachable when none came.

        Nothing else in this package touches the network: another HTTP library would be put in here."""
        origin = Origin.of(url)
        headers = {"User-Agent": self.user_agent, "Accept-Encoding": "identity", "Accept": "*/*", **headers}
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"The time for asking {origin} was up.")
        with self._guard:
            self._sent += 1
        with translated(str(origin)), within(deadline):
            request = requests.Request(method, url, headers=headers, data=body).prepare()
            response = self._door(origin).send(
                request,
                stream=True,
                timeout=(min(self.timeout.connect, left), min(self.timeout.read, left)),
            )
        return Reply(response.raw, origin, deadline)

    def _door(self, origin: Origin) -> Adapter:
        """The way that leads there. Loading the public authorities takes a while, so it waits for a
        need."""
        if origin == self.home:
            return self._home
        with self._guard:
            if origin.scheme not in self._away:
                tls = origin.scheme == "https"
                context = tls_context(self._verify, None, alone=False) if tls else None
                self._away[origin.scheme] = Adapter(context, self._pool_size)
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


def tls_context(verify: bool | str, cert: tuple[str, str] | str | None, *, alone: bool) -> ssl.SSLContext:
    """How TLS is spoken. With `alone`, a CA file stands instead of the public authorities; without, beside
    them."""
    own = Path(verify) if isinstance(verify, str) else None
    try:
        if own and alone:
            context = ssl.create_default_context(**where(own))
        else:
            context = ssl.create_default_context()
            context.load_verify_locations(certifi.where())
            if own:
                context.load_verify_locations(**where(own))
    except (OSError, ValueError) as error:
        raise BadCertificate(f"The CA file {own} can't be read as certificates.") from error
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        file, key = (cert, None) if isinstance(cert, str) else cert
        try:
            # The empty password keeps OpenSSL from asking for one on a terminal.
            context.load_cert_chain(file, key or None, password="")
        except (OSError, ValueError) as error:
            raise BadCertificate(
                f"The client certificate {file} and its key can't be used together.",
                hint="Both must be PEM files, the key without a password.",
            ) from error
    return context


def where(path: Path) -> dict[str, Any]:
    return {"capath" if path.is_dir() else "cafile": str(path)}
