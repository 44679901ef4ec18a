"""A small token server: what a registry with Bearer authentication sends its clients to.

It issues RS256 tokens with the certificate in `x5c`, the one form that every version of distribution
accepts. Alice may do everything, Bob may pull, Charlie has a password and no rights; strangers may pull
from `public/`.
"""

import base64
import binascii
import json
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class TokenRequest:
    """One request as it came in."""

    method: str
    scopes: tuple[str, ...]
    user: str


@dataclass
class TokenServer:
    """Serves `realm` on a free loopback port until closed. `lifetime` is in seconds; with `post_only` it
    speaks OAuth2's way alone."""

    users: dict[str, str]
    service: str = "test-registry"
    issuer: str = "test-issuer"
    lifetime: int = 300
    post_only: bool = False
    seen: list[TokenRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.issuer)])
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        self.certificate = built.public_bytes(serialization.Encoding.PEM)
        self.x5c = base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self._server.daemon_threads = True
        self.realm = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, user: str, scopes: Iterable[str]) -> str:
        """A token for what of these scopes the user may do."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.service,
            "sub": user,
            "iat": now,
            "nbf": now - 5,
            "exp": now + self.lifetime,
            "jti": uuid.uuid4().hex,
            "access": [granted for scope in scopes if (granted := self.grant(user, scope))["actions"]],
        }
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"x5c": [self.x5c]})

    def grant(self, user: str, scope: str) -> dict[str, Any]:
        """What the user may do of one scope, as a token says it."""
        return grant(user, scope)

    def answer(self, method: str, user: str | None, scopes: tuple[str, ...]) -> tuple[int, dict[str, Any]]:
        """Status and body; `user` is empty for a stranger and None for somebody with a wrong password."""
        self.seen.append(TokenRequest(method, scopes, user or ""))
        if self.post_only and method == "GET":
            return 405, {}
        if user is None:
            return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]}
        return 200, {"token": self.token(user, scopes), "expires_in": self.lifetime}


def grant(user: str, scope: str) -> dict[str, Any]:
    """What the user may do of one scope, as a token says it."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    wanted = set(actions.split(","))
    allowed = {"alice": wanted, "bob": wanted & {"pull"}, "": wanted & {"pull"}}.get(user, set())
    if user == "" and not name.startswith("public/"):
        allowed = set()
    return {"type": kind, "name": name, "actions": sorted(allowed)}


def handler(server: TokenServer) -> type[BaseHTTPRequestHandler]:
    """The request handler that answers for this server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            self.answer(*server.answer("GET", self.user(), tuple(query.get("scope", []))))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            known = server.users.get(form.get("username", "")) == form.get("password", "")
            scopes = tuple(form.get("scope", "").split())
            self.answer(*server.answer("POST", form["username"] if known else None, scopes))

        def user(self) -> str | None:
            """Who signs in: empty for nobody, None when the password is wrong."""
            scheme, _, pair = self.headers.get("Authorization", "").partition(" ")
            if scheme != "Basic":
                return ""
            try:
                name, _, password = base64.b64decode(pair).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            return name if server.users.get(name) == password else None

        def answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: what was asked is in `seen`."""

    return Handler
