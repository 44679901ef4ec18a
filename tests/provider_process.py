"""A small OpenID Connect provider in a process of its own, on a port of its own: it asks who you are,
believes you, and gives signed tokens for codes, once each, to who shows the secret and the verifier.

It keeps to the rules unless told not to, see `tests.provider`, by which tests start it and speak to it.
"""

import base64
import hashlib
import json
import secrets
import sys
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.provider import CLIENT, PEOPLE, SECRET

PAGE = """<!doctype html><html lang="en">
<link rel="icon" href="data:,"><title>Who are you?</title><h1>Who are you?</h1>
<form method="post"><label>Name <input name="person"></label><button>Sign in</button></form></html>"""


@dataclass
class State:
    """What the process knows. `bad` says how it misbehaves, by words that `Answers` looks for."""

    issuer: str = ""
    people: dict[str, dict[str, Any]] = field(default_factory=lambda: json.loads(json.dumps(PEOPLE)))
    bad: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    foreign: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def discovery(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
        }
        found |= self.bad.get("discovery", {})
        return found

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]}

    def id_token(self, person: str, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
        }
        claims |= self.people[person] | self.bad.get("claims", {})
        claims = {name: value for name, value in claims.items() if value is not None}
        headers = {"kid": "one"}
        match self.bad.get("sign"):
            case "foreign":
                return jwt.encode(claims, self.foreign, "RS256", headers)
            case "none":
                return jwt.encode(claims, "", "none", headers)
            case "secret":
                return jwt.encode(claims, SECRET.ljust(32), "HS256", headers)
            case "public":
                return hashed(claims, self.keys()["keys"][0])
            case "tampered":
                head, body, signature = jwt.encode(claims, self.key, "RS256", headers).split(".")
                return f"{head}.{body}.{signature[:-8]}AAAAAAAA"
        return jwt.encode(claims, self.key, "RS256", headers)


def hashed(claims: dict[str, Any], key: dict[str, Any]) -> str:
    """An ID token signed with the public key, as if that were a secret: who takes the algorithm from the
    token believes it."""
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256", "kid": "one"}, claims)
    )
    signed = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{head}.{body}".encode(), json.dumps(key).encode()
    )
    return f"{head}.{body}.{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"


def handler(state: State) -> type[BaseHTTPRequestHandler]:
    """What answers requests."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            state.seen.append(f"GET {url.path}")
            match url.path:
                case "/.well-known/openid-configuration":
                    self.discovery()
                case "/authorize":
                    self.ask({name: values[0] for name, values in parse_qs(url.query).items()})
                case "/keys":
                    self.json(200, state.keys())
                case "/userinfo":
                    self.userinfo()
                case "/-/seen":
                    self.json(200, {"seen": state.seen})
                case _:
                    self.json(404, {})

        def do_POST(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            state.seen.append(f"POST {url.path}")
            match url.path:
                case "/authorize":
                    query = {name: values[0] for name, values in parse_qs(url.query).items()}
                    self.send_back(query, form)
                case "/token":
                    self.token(form)
                case "/-/set":
                    told = json.loads(body)
                    state.bad = told["bad"]
                    state.people = told["people"]
                    self.json(200, {})
                case _:
                    self.json(404, {})

        def discovery(self) -> None:
            match state.bad.get("answer"):
                case "html":
                    self.send(200, "text/html", b"<h1>Welcome</h1>")
                case "list":
                    self.send(200, "application/json", b"[]")
                case "deep":
                    self.send(200, "application/json", b"[" * 100_000)
                case "huge":
                    self.send(200, "application/json", b'{"a": "' + b"x" * 20_000_000 + b'"}')
                case "endless":
                    self.drip(0.2)
                case "elsewhere":
                    self.send_response(302)
                    self.send_header("Location", f"{state.issuer}/-/seen")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                case "broken":
                    self.json(500, {})
                case _:
                    self.json(200, state.discovery())

        def ask(self, query: dict[str, str]) -> None:
            wanted = {"response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge"}
            proper = wanted <= set(query) and query["code_challenge_method"] == "S256"
            proper = proper and query["client_id"] == CLIENT
            if not proper or query["response_type"] != "code" or "openid" not in query["scope"].split():
                self.send(400, "text/plain", b"not a question of OpenID Connect")
                return
            self.send(200, "text/html; charset=utf-8", PAGE.encode())

        def send_back(self, query: dict[str, str], form: dict[str, str]) -> None:
            """On to where it was asked from, with a code for the person; without one with a refusal."""
            answer = {"state": query["state"], "iss": state.issuer}
            person = form.get("person", "")
            if person in state.people:
                code = secrets.token_urlsafe(16)
                state.codes[code] = query | {"person": person}
                answer["code"] = code
            else:
                answer["error"] = "access_denied"
            answer = {name: value for name, value in (answer | state.bad.get("back", {})).items() if value}
            self.send_response(302)
            self.send_header("Location", f"{query['redirect_uri']}?{urlencode(answer)}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def token(self, form: dict[str, str]) -> None:
            asked = state.codes.pop(form.get("code", ""), None)
            if not self.is_client():
                self.json(401, {"error": "invalid_client"})
            elif asked is None or not self.fits(asked, form):
                self.json(400, {"error": "invalid_grant"})
            else:
                access = secrets.token_urlsafe(16)
                state.tokens[access] = asked["person"]
                answer = {
                    "access_token": access,
                    "token_type": "Bearer",
                    "expires_in": 300,
                    "id_token": state.id_token(asked["person"], asked["nonce"]),
                }
                self.json(200, answer | state.bad.get("token", {}))

        def fits(self, asked: dict[str, str], form: dict[str, str]) -> bool:
            """Whether who brings the code is who asked for it."""
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            return challenge == asked["code_challenge"] and form.get("redirect_uri") == asked["redirect_uri"]

        def is_client(self) -> bool:
            scheme, _, pair = self.headers.get("Authorization", "").partition(" ")
            if scheme != "Basic":
                return False
            name, _, secret = base64.b64decode(pair).decode().partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET)

        def userinfo(self) -> None:
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            person = state.tokens.get(token) if scheme == "Bearer" else None
            if person is None:
                self.json(401, {})
                return
            self.json(200, state.people[person] | state.bad.get("userinfo", {}))

        def json(self, status: int, document: dict[str, Any]) -> None:
            self.send(status, "application/json", json.dumps(document).encode())

        def send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def drip(self, pause: float) -> None:
            """A byte now and then, until nobody listens any more."""
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
            for _ in range(1000):
                self.wfile.write(b" ")
                time.sleep(pause)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # whoever asked had enough
                self.close_connection = True

    return Answers


def main() -> None:
    """Serve until told to end, having said where."""
    state = State()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(state))
    server.daemon_threads = True
    state.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    sys.stdout.write(f"{state.issuer}\n")
    sys.stdout.flush()
    server.serve_forever(0.05)


if __name__ == "__main__":
    main()
