"""Answers a registry's 401: Basic, or a Bearer token from the server the registry names.

Specification: distribution, "Token Authentication". The password goes to the registry itself and to its
token server and nowhere else: to a token server over https wherever it is (that is how Docker Hub works),
over plain http only when it has the registry's own host name and the registry speaks plain http too, or is
this machine.
"""

import base64
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from regui.oci.errors import Error, Malformed, NotFound, Refused, TimedOut, Unauthorized, Unreachable
from regui.oci.headers import Challenge
from regui.oci.lenient import integer, parse_object, text
from regui.oci.origin import Origin

Scopes = frozenset[str]
CACHED = 1024
DEFAULT_LIFETIME, MAX_LIFETIME = 60, 24 * 3600  # seconds; the specification's default, and a sane limit
RENEW_AT = 0.75  # of a token's life
SHARDS = 16


@dataclass(frozen=True)
class Credentials:
    """A user name and a password; the latter never appears in its repr."""

    username: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, in each form it takes."""
        return (self.password, self.basic.partition(" ")[2])


@dataclass(frozen=True)
class Attempt:
    """How a request was, or will be, authenticated: `header` is its Authorization, empty for none."""

    header: str = ""
    scheme: str = ""
    scopes: Scopes = frozenset()
    fresh: bool = False  # the token was made for this very request
    tries: int = 0
    tried_basic: bool = False


class Fetch(Protocol):
    """Sends a request to the token server and gives its answer's body; Refused for anything but 200."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> bytes: ...


def merge(*groups: Iterable[str]) -> Scopes:
    """The scopes of all groups, one for each resource with all its actions in order. `registry:catalog:*`
    is a type, a name that may hold colons and slashes, and actions."""
    actions: dict[str, set[str]] = {}
    for scope in (scope for group in groups for scope in group):
        resource, _, wanted = scope.rpartition(":")
        actions.setdefault(resource, set()).update(filter(None, wanted.split(",")))
    return frozenset(
        f"{resource}:{','.join(sorted(wanted))}" for resource, wanted in actions.items() if resource
    )


class Auth:
    """What is known of one registry's way to authenticate, and the tokens it gave. Thread-safe."""

    def __init__(self, home: Origin, credentials: Credentials | None, fetch: Fetch) -> None:
        self.home, self.credentials, self._fetch = home, credentials, fetch
        self._known: dict[str, Challenge] = {}
        self._tokens: OrderedDict[tuple[str, str, Scopes], tuple[str, float]] = OrderedDict()
        self._guard = threading.Lock()
        # One thread asks for a token, others who want the same one wait for it.
        self._shards = [threading.Lock() for _ in range(SHARDS)]

    def learn(self, scopes: Scopes, offered: list[Challenge]) -> None:
        """Remember how requests of this kind are authenticated. Harbor's catalog takes Basic, the rest
        tokens."""
        if challenge := preferred(offered):
            self._known[kind(scopes)] = challenge

    @property
    def scheme(self) -> str:
        """What the base of the API asked for: "bearer", "basic", or "none" as far as we know."""
        return self._known[""].scheme if "" in self._known else "none"

    def first(self, scopes: Scopes, deadline: float) -> Attempt:
        """How to send a request for the first time, by what is known already."""
        challenge = self._known.get(kind(scopes)) or self._known.get("")
        if challenge is None:
            return Attempt()
        if challenge.scheme == "basic":
            return self.with_basic(Attempt()) if self.credentials else Attempt()
        try:
            return self.with_token(Attempt(), challenge, scopes, deadline)
        except (Unreachable, Malformed, NotFound):
            # The token server may have moved; the registry's next 401 says where to.
            self._known.clear()
            return Attempt()

    def again(
        self, last: Attempt, offered: list[Challenge], scopes: Scopes, deadline: float
    ) -> Attempt | None:
        """How to send a request again after a 401; None when nothing new is left to try."""
        bearer = next((one for one in offered if one.scheme == "bearer" and one.get("realm")), None)
        can_do_basic = bool(self.credentials) and any(one.scheme == "basic" for one in offered)
        if bearer:
            wanted = merge(scopes, last.scopes, bearer.get("scope").split())
            new = last.scheme != "bearer" or not last.fresh or not wanted <= last.scopes
            if new and last.tries < 3:
                try:
                    attempt = self.with_token(last, bearer, wanted, deadline, renew=last.scopes == wanted)
                except Error:
                    # A token server whose address is misconfigured (Gitea behind a proxy) doesn't matter
                    # then.
                    if not can_do_basic or last.tried_basic:
                        raise
                else:
                    self.learn(scopes, [bearer])
                    return attempt
        if can_do_basic and not last.tried_basic:
            self.learn(scopes, [one for one in offered if one.scheme == "basic"])
            return self.with_basic(last)
        return None

    def with_basic(self, last: Attempt) -> Attempt:
        assert self.credentials
        return Attempt(self.credentials.basic, "basic", tries=last.tries + 1, tried_basic=True)

    def with_token(
        self, last: Attempt, challenge: Challenge, scopes: Scopes, deadline: float, *, renew: bool = False
    ) -> Attempt:
        """An attempt with a token for these scopes: a remembered one, unless it is old or `renew` is set."""
        key = (challenge.get("realm"), challenge.get("service"), scopes)
        lock = self._shards[hash(key) % SHARDS]
        if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise TimedOut("The registry's token server didn't answer in time.")
        try:
            with self._guard:
                token, renew_at = self._tokens.get(key, ("", 0.0))
            fresh = renew or time.monotonic() >= renew_at
            if fresh:
                token, lifetime = self.request(challenge, scopes, deadline)
                with self._guard:
                    self._tokens[key] = token, time.monotonic() + RENEW_AT * lifetime
                    while len(self._tokens) > CACHED:
                        self._tokens.popitem(last=False)
        finally:
            lock.release()
        return Attempt(f"Bearer {token}", "bearer", scopes, fresh, last.tries + 1, last.tried_basic)

    def request(self, challenge: Challenge, scopes: Scopes, deadline: float) -> tuple[str, float]:
        """A new token and its life in seconds. GET first; a server that wants OAuth2's POST says 404 or
        405."""
        service = challenge.get("service")
        try:
            realm, origin = urlsplit(challenge.get("realm")), Origin.of(challenge.get("realm"))
        except ValueError as error:
            raise Malformed("The registry names a token server that has no usable address.") from error
        if self.credentials and not self.may_know_password(origin):
            raise Unauthorized(
                f"The registry's token server, {origin}, would get the password unencrypted.",
                status=401,
                hint="Use https for the token server, or the same host for both.",
            )
        headers = {"Authorization": self.credentials.basic} if self.credentials else {}
        query = [*parse_qsl(realm.query), *([("service", service)] if service else [])]
        query += [("scope", scope) for scope in sorted(scopes)]
        if self.credentials:
            query.append(("account", self.credentials.username))
        try:
            body = self._fetch(
                "GET", urlunsplit(realm._replace(query=urlencode(query))), headers, None, deadline
            )
        except Refused as error:
            if error.status in {401, 403}:
                raise self.unaccepted(error) from error
            if error.status not in {404, 405} or not self.credentials:
                raise
            body = self.post(challenge, scopes, deadline)
        return parse_token(body)

    def post(self, challenge: Challenge, scopes: Scopes, deadline: float) -> bytes:
        """The answer to OAuth2's way of asking for a token."""
        assert self.credentials
        form = {
            "grant_type": "password",
            "service": challenge.get("service"),
            "client_id": "regui",
            "scope": " ".join(sorted(scopes)),
            "username": self.credentials.username,
            "password": self.credentials.password,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            return self._fetch("POST", challenge.get("realm"), headers, urlencode(form).encode(), deadline)
        except Refused as error:
            if error.status in {400, 401, 403}:
                raise self.unaccepted(error) from error
            raise

    def may_know_password(self, server: Origin) -> bool:
        """Whether the password may be sent to this token server."""
        same = server.host == self.home.host and self.home.scheme == "http"
        return server.scheme == "https" or same or is_loopback(server.host)

    def unaccepted(self, error: Refused) -> Unauthorized:
        """The token server's no, as a sentence."""
        if self.credentials:
            sentence, hint = "The registry's token server doesn't accept the user name and password.", ""
        else:
            sentence, hint = "The registry asks for a sign-in.", "Set the registry's user name and password."
        return Unauthorized(sentence, status=error.status, codes=error.codes, detail=error.detail, hint=hint)


def preferred(offered: list[Challenge]) -> Challenge | None:
    """The challenge we would answer: a token where there is a choice."""
    usable = [
        one for one in offered if one.scheme == "basic" or (one.scheme == "bearer" and one.get("realm"))
    ]
    return max(usable, key=lambda one: one.scheme == "bearer", default=None)


def kind(scopes: Scopes) -> str:
    """What the scopes are about: "repository", "registry" for the catalog, "" for the base of the API."""
    return next((scope.partition(":")[0] for scope in sorted(scopes)), "")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse_token(body: bytes) -> tuple[str, float]:
    """The token in the server's answer and its life in seconds; Malformed without one."""
    answer = parse_object(body)
    token = text(answer.get("token")) or text(answer.get("access_token"))
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise Malformed(
            "The registry's token server answered without a token.",
            hint="Check the realm in the registry's settings.",
        )
    lifetime = integer(answer.get("expires_in")) or DEFAULT_LIFETIME
    return token, float(min(max(lifetime, 1), MAX_LIFETIME))
