"""One call of the API: signed, sent, redirected, retried, and its refusal made an error.

The methods of `Client` are made of this; they say what to ask for and which statuses they expect.
"""

import copy
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from urllib3 import HTTPHeaderDict

from regui import __version__
from regui.oci.answers import MAX_ERROR, is_html, refusal
from regui.oci.auth import Attempt, Auth, Credentials, Scopes
from regui.oci.errors import (
    Denied,
    Dropped,
    Error,
    InvalidName,
    Misbehaved,
    NotARegistry,
    NotFound,
    Refused,
    Unauthorized,
)
from regui.oci.headers import challenges, warning
from regui.oci.origin import Origin
from regui.oci.tls import Cert, Verify
from regui.oci.transport import SLOWEST, Reply, Timeout, Transport

T = TypeVar("T")

MAX_JSON = 32 * 1024 * 1024  # a listing; 2.8 answers with every tag at once
MAX_TOKEN = 256 * 1024
TRIES = 3
GROWTH = 3  # each pause is that many times as long as the one before; up to half as much again is added
PASSING = frozenset({429, 502, 503, 504})  # statuses that may be gone when asked again
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
MAX_WARNINGS = 10
SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Answer:
    """A whole answer: an expected status, headers, and the body."""

    status: int
    headers: HTTPHeaderDict
    body: bytes


@dataclass(frozen=True)
class Request:
    """What a call sends. `path` begins at the registry's base; `missing` is what a 404 means; with
    `elsewhere` the registry may send us to another host for the content."""

    method: str
    path: str
    scopes: Scopes = frozenset()
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    expect: Collection[int] = (200,)
    missing: type[Refused] = NotFound
    elsewhere: bool = False


class Caller:
    """Speaks to one registry at `url`, an address without /v2/. InvalidName when it is no such address."""

    def __init__(
        self,
        url: str,
        *,
        credentials: Credentials | None = None,
        verify: Verify = True,
        cert: Cert = None,
        user_agent: str = f"regui/{__version__}",
        timeout: Timeout = Timeout(),  # noqa: B008
        pool_size: int = 8,
        direct: bool = False,
        tries: int = TRIES,
        link_local: bool = False,
    ) -> None:
        """`direct` spares two thirds of what a request costs here, for those who send very many; `tries` is
        how often GET and HEAD are sent until a passing trouble is an error; `link_local` allows requests to
        link-local addresses, which else are `OffLimits`."""
        try:
            self.origin = Origin.of(url)
        except ValueError as error:
            raise InvalidName("A registry's address is like https://registry.example.com.") from error
        parts = urlsplit(url)
        self.base_path = parts.path.rstrip("/")
        self.url = f"{parts.scheme}://{parts.netloc}{self.base_path}"
        self._timeout, self._deadline, self._tries = timeout, float("inf"), tries
        self._transport = Transport(
            self.origin,
            verify=verify,
            cert=cert,
            user_agent=user_agent,
            timeout=timeout,
            pool_size=pool_size,
            direct=direct,
            link_local=link_local,
        )
        self._credentials = credentials
        self._auth = Auth(self.origin, credentials, self._ask_token_server)
        self._introduced = threading.Event()
        self._warnings: dict[str, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections, those of every `until` of this client too."""
        self._transport.close()

    def until(self, deadline: float | None) -> Self:
        """The same client, whose calls all end by `deadline` (of `time.monotonic()`) with TimedOut. It shares
        connections and tokens with this one; None lifts the limit."""
        other = copy.copy(self)
        other._deadline = float("inf") if deadline is None else deadline
        return other

    @property
    def requests(self) -> int:
        """How many requests this client and its `until`s have sent, those for tokens included."""
        return self._transport.requests

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the registry warned of so far, such as an end of service: each once, at most a few."""
        return tuple(self._warnings)

    def call(self, request: Request, *, limit: int = MAX_JSON) -> Answer:
        """The whole answer, its status one of those expected. GET and HEAD are tried up to three times."""
        deadline = self.deadline(len(request.body or b""))

        def once() -> Answer:
            reply = self._open(request, deadline)
            return Answer(reply.status, reply.headers, reply.read(limit))

        return self._retrying(request.method, deadline, once)

    def open(self, request: Request) -> Reply:
        """The same with its body unread."""
        deadline = self.deadline(0)
        return self._retrying(request.method, deadline, lambda: self._open(request, deadline))

    def stream(self, reply: Reply) -> Iterator[bytes]:
        """The body of a reply to `open`, in pieces."""
        return reply.stream(self._timeout.total, self._deadline)

    def deadline(self, size: int) -> float:
        """When a call that sends so many bytes has to be over."""
        return min(self._deadline, time.monotonic() + self._timeout.total + size / SLOWEST)

    def _open(self, request: Request, deadline: float) -> Reply:
        """The reply with an expected status, after signing in and following redirects, by hand."""
        self._introduce(deadline)
        url, origin = self.url + request.path, self.origin
        for _ in range(MAX_REDIRECTS):
            at_home = origin == self.origin
            if at_home:
                reply = self._signed(request, url, deadline)
            else:
                headers = request.headers or {}
                reply = self._transport.send(request.method, url, headers, request.body, deadline)
            self._heed(reply)
            if reply.status in request.expect:
                if at_home and is_html(reply.headers) and request.method == "GET":
                    reply.close()
                    raise NotARegistry(f"{reply.origin} answered with a web page, not as a registry does.")
                return reply
            if reply.status not in REDIRECTS or request.method not in SAFE:
                raise self._refusal(reply, request) if at_home else refused_elsewhere(reply, request.missing)
            url = self._redirected(reply, url, request)
            origin = Origin.of(url)
        raise Misbehaved(f"{self.origin} sends requests round in circles.")

    def _heed(self, reply: Reply) -> None:
        """Keep what the registry warns of (distribution specification, "Warnings"), each once."""
        for value in reply.headers.getlist("Warning") if "Warning" in reply.headers else ():
            if (words := warning(value)) and len(self._warnings) < MAX_WARNINGS:
                self._warnings.setdefault(words)

    def _redirected(self, reply: Reply, url: str, request: Request) -> str:
        """Where the reply sends us: on this host anywhere, on another one only for content, and never from
        https to http."""
        reply.close()
        try:
            target = urljoin(url, reply.headers.get("Location", "")).partition("#")[0]
            origin = Origin.of(target)
        except ValueError as error:
            raise Misbehaved(f"{reply.origin} redirects to no usable address.") from error
        if origin != self.origin and not request.elsewhere:
            hint = ""
            if origin.host == self.origin.host:
                hint = f"Use {origin.scheme}://{origin} as the registry's address."
            raise NotARegistry(f"{reply.origin} sends its visitors to {origin}.", hint=hint)
        if origin.scheme == "http" and reply.origin != origin and urlsplit(url).scheme == "https":
            raise Misbehaved(f"{reply.origin} redirects to {origin} without encryption.")
        return target

    def _signed(self, request: Request, url: str, deadline: float) -> Reply:
        """The registry's reply to the request with whatever Authorization it takes; Unauthorized or
        Denied."""
        attempt = self._auth.first(request.scopes, deadline)
        while True:
            headers = dict(request.headers or {})
            if attempt.header:
                headers["Authorization"] = attempt.header
            reply = self._transport.send_to(self.origin, request.method, url, headers, request.body, deadline)
            if reply.status != 401:
                return reply
            offered = challenges(reply.headers.getlist("WWW-Authenticate"))
            error = self._refusal(reply, request)
            following = self._auth.again(attempt, offered, request.scopes, deadline)
            if following is None:
                raise self._unauthorized(error, attempt, [one.scheme for one in offered])
            attempt = following

    def _unauthorized(self, error: Error, last: Attempt, offered: list[str]) -> Error:
        """The 401 that stays: a password that isn't accepted, or a right that is missing."""
        if not isinstance(error, Refused):
            return error
        facts: Any = {"status": error.status, "codes": error.codes, "detail": error.detail}
        if not set(offered) & {"basic", "bearer"}:
            ways = ", ".join(offered) or "nothing"
            return Unauthorized(
                "The registry asks for a sign-in of a kind unknown here.",
                hint=f"It offers {ways:.100}; regui speaks Basic and Bearer.",
                **facts,
            )
        if self._credentials is None:
            return Unauthorized(
                "The registry asks for a sign-in.", hint="Set the registry's user name and password.", **facts
            )
        if last.scheme == "bearer":
            return Denied("The registry denied this to its user.", **facts)
        return Unauthorized("The registry doesn't accept the user name and password.", **facts)

    def _introduce(self, deadline: float) -> None:
        """With credentials, ask the base of the API how to sign in, once: many registries answer strangers
        too, with less. zot says it in a 200."""
        if self._credentials is None or self._introduced.is_set():
            return
        reply = self._transport.send("GET", f"{self.url}/v2/", {}, None, deadline)
        if reply.status in {200, 401}:
            self._auth.learn(frozenset(), challenges(reply.headers.getlist("WWW-Authenticate")))
            self._introduced.set()
        reply.start(MAX_ERROR)

    def _refusal(self, reply: Reply, request: Request) -> Error:
        body = b"" if request.method == "HEAD" else reply.start(MAX_ERROR)
        reply.close()
        return refusal(reply.status, reply.headers, body, self._secrets, missing=request.missing)

    @property
    def _secrets(self) -> tuple[str, ...]:
        return self._credentials.secrets if self._credentials else ()

    def _ask_token_server(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> bytes:
        """The body of the token server's 200; Refused otherwise, redirects too: they could lead anywhere."""

        def once() -> bytes:
            reply = self._transport.send(method, url, headers, body, deadline)
            if reply.status == 200:
                return reply.read(MAX_TOKEN)
            raise refusal(reply.status, reply.headers, reply.start(MAX_ERROR), self._secrets)

        return self._retrying(method, deadline, once)

    def _retrying(self, method: str, deadline: float, action: Callable[[], T]) -> T:
        """What the action returns; GET and HEAD are asked again after a broken connection or a passing
        refusal, as long as the pause, the registry's own or a growing one, ends before the deadline."""
        for attempt in range(1, self._tries):
            try:
                return action()
            except (Dropped, Refused) as error:
                wait = self._timeout.pause * GROWTH ** (attempt - 1) * random.uniform(1, 1.5)  # noqa: S311
                if isinstance(error, Refused):
                    if error.status not in PASSING:
                        raise
                    wait = wait if error.retry_after is None else error.retry_after
                if method not in SAFE or time.monotonic() + wait >= deadline:
                    raise
            time.sleep(wait)
        return action()


def refused_elsewhere(reply: Reply, missing: type[Refused]) -> Error:
    """The error for a host that the registry sent us to. Its words stay out: they may repeat a signed
    address."""
    reply.close()
    kinds: dict[int, type[Refused]] = {403: Denied, 404: missing}
    return kinds.get(reply.status, Refused)(
        f"The registry keeps this at {reply.origin}, which answered {reply.status}.", status=reply.status
    )


def with_query(path: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The path with a query, when there is one."""
    query = urlencode([(name, value) for name, value in parameters if value])
    return f"{path}?{query}" if query else path
