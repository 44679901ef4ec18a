"""Where a provider is asked what, as it says itself.

https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from regui.accounts.oidc.errors import Silent
from regui.directories import Oidc, secure

PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Endpoints:
    """A provider's addresses. `userinfo` is empty when it has none, `basic` says how it wants our secret, and
    `names_itself` that its answers say whose they are (RFC 9207)."""

    authorization: str
    token: str
    keys: str
    userinfo: str = ""
    basic: bool = True
    names_itself: bool = False

    @classmethod
    def of(cls, document: dict[str, Any], provider: Oidc) -> Self:
        """What the document says. Silent when it speaks of another issuer, lacks something, or would send
        people or secrets where they don't belong."""
        if document.get("issuer") != provider.issuer:
            raise Silent("discovery speaks of another issuer than REGUI_OIDC_ISSUER, letter by letter")
        authorization = address(document, "authorization_endpoint")
        if origin(authorization) not in provider.origins:
            raise Silent(f"people sign in at {origin(authorization)}: name it in REGUI_OIDC_ORIGINS")
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return cls(
            authorization,
            address(document, "token_endpoint"),
            address(document, "jwks_uri"),
            address(document, "userinfo_endpoint") if document.get("userinfo_endpoint") else "",
            isinstance(methods, list) and "client_secret_basic" in methods,
            document.get("authorization_response_iss_parameter_supported") is True,
        )


def address(document: dict[str, Any], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str) or not is_secure(found):
        raise Silent(f"discovery names no {name} that begins with https://")
    return found


def is_secure(url: str) -> bool:
    try:
        return secure(url) and not urlsplit(url).fragment
    except ValueError:
        return False


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
