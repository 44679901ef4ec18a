"""The talk with a provider behind the browser's back: every answer bounded in size and time, none followed to
elsewhere."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from django.conf import settings

import regui
from regui import oci
from regui.accounts.oidc import discovery
from regui.accounts.oidc.discovery import Endpoints
from regui.accounts.oidc.errors import Failed, Silent
from regui.directories import Oidc
from regui.oci.origin import Origin
from regui.oci.transport import Transport

PATIENCE = 10  # seconds for one sign-in's requests taken together
TIMEOUT = oci.Timeout(connect=4, read=5, total=PATIENCE)
LARGEST = 512 * 1024
FORM = "application/x-www-form-urlencoded"


class Talk:
    """Some questions to one provider. Failed when an answer is no good, Silent when none comes."""

    def __init__(self, provider: Oidc, transport: Transport) -> None:
        self.provider, self.transport = provider, transport
        self.deadline = time.monotonic() + PATIENCE

    def endpoints(self) -> Endpoints:
        url = f"{self.provider.issuer.rstrip('/')}{discovery.PATH}"
        return Endpoints.of(self.ask("GET", url), self.provider)

    def tokens(self, endpoints: Endpoints, code: str, verifier: str, redirect: str) -> dict[str, Any]:
        """What the provider gives for the code. OpenID Connect Core, section 3.1.3."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": FORM}
        client, secret = self.provider.client_id, self.provider.client_secret
        if secret and endpoints.basic:
            headers["Authorization"] = basic(client, secret)
        else:
            form |= {"client_id": client} | ({"client_secret": secret} if secret else {})
        return self.ask("POST", endpoints.token, headers, urlencode(form).encode())

    def keys(self, endpoints: Endpoints) -> dict[str, Any]:
        return self.ask("GET", endpoints.keys)

    def userinfo(self, endpoints: Endpoints, access_token: str) -> dict[str, Any]:
        """What the provider tells besides; nothing when it has no such address."""
        if not endpoints.userinfo:
            return {}
        if not access_token or not access_token.isascii() or not access_token.isprintable():
            raise Failed("the provider gave no access token that could be shown")
        return self.ask("GET", endpoints.userinfo, {"Authorization": f"Bearer {access_token}"})

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> dict[str, Any]:
        """The JSON object that comes back."""
        standing = {"Accept": "application/json"}
        try:
            reply = self.transport.send(method, url, standing | dict(headers or {}), body, self.deadline)
            content = reply.read(LARGEST)
        except (oci.Error, ValueError) as error:
            raise Silent(f"asking {discovery.origin(url)} failed: {error}") from error
        where = f"{method} {url}"
        if method == "POST" and 400 <= reply.status < 500:
            raise Failed(
                f"{where} was answered by {reply.status}: the code or REGUI_OIDC_CLIENT_SECRET is no good"
            )
        if reply.status != 200:
            raise Silent(f"{where} was answered by {reply.status}")
        try:
            document = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Silent(f"{where} was answered by what is no JSON") from error
        if not isinstance(document, dict):
            raise Silent(f"{where} was answered by what is no object")
        return document


@contextmanager
def talk(provider: Oidc) -> Iterator[Talk]:
    """A talk, and its connections for as long as it lasts."""
    transport = Transport(
        Origin.of(provider.issuer),
        verify=provider.ca_file or True,
        cert=None,
        user_agent=f"regui/{regui.__version__}",
        timeout=TIMEOUT,
        pool_size=1,
        link_local=settings.ALLOW_LINK_LOCAL,
    )
    try:
        yield Talk(provider, transport)
    finally:
        transport.close()


def basic(client: str, secret: str) -> str:
    """Who we are. Both parts are encoded as in a form first: RFC 6749, section 2.3.1."""
    pair = f"{quote_plus(client)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def with_query(url: str, query: Mapping[str, str]) -> str:
    """The address with these parameters after those it has."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query, quote_via=quote)}"
