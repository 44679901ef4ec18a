"""What a provider says of somebody: believed when it is signed by it, meant for us, fresh, and the answer to
what was asked."""

import hmac
from collections.abc import Mapping
from typing import Any

import jwt

from regui.accounts.oidc.errors import Failed

# Signed with a key that nobody but the provider has: never by a shared secret, never not at all.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
REQUIRED = ("iss", "sub", "aud", "exp", "iat")
LEEWAY = 60  # seconds that clocks may differ
LONGEST_SUBJECT = 255  # OpenID Connect Core, section 2

Claims = dict[str, Any]


def verified(token: str, keys: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str) -> Claims:
    """The claims of an ID token; Failed when any of it doesn't hold. OpenID Connect Core, section 3.1.3.7."""
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise Failed(f"the ID token is signed by {str(algorithm)[:20]!r}, which nobody should trust")
        claims: Claims = jwt.decode(
            token,
            key_of(keys, header.get("kid"), algorithm),
            algorithms=[algorithm],
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": list(REQUIRED)},
        )
    except jwt.PyJWTError as error:
        raise Failed(f"the ID token doesn't hold: {error}") from error
    audience = claims["aud"]
    party = claims.get("azp", client_id if isinstance(audience, str) or len(audience) == 1 else None)
    if party != client_id:
        raise Failed("the ID token was made out to another client")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise Failed("the ID token answers another question: its nonce isn't ours")
    if not claims["sub"] or len(claims["sub"]) > LONGEST_SUBJECT or "\0" in claims["sub"]:
        raise Failed("the ID token is about nobody, or names them at length")
    return claims


def key_of(keys: Mapping[str, Any], kid: object, algorithm: str) -> Any:
    """The key of that name among the provider's; without a name the only one that fits. Failed when there is
    none."""
    listed = keys.get("keys")
    found = []
    for document in listed if isinstance(listed, list) else []:
        if not isinstance(document, dict) or document.get("use", "sig") != "sig":
            continue
        if (kid is not None and document.get("kid") != kid) or document.get("alg", algorithm) != algorithm:
            continue
        try:
            found.append(jwt.PyJWK(document, algorithm).key)
        except jwt.PyJWTError:  # of a kind that isn't this algorithm's
            continue
    if len(found) != 1:
        raise Failed(
            "no key of the provider's fits the ID token" if not found else "several keys fit the ID token"
        )
    return found[0]


def together(claims: Claims, userinfo: Claims) -> Claims:
    """What both say; of the same thing what is signed. Failed when they speak of two people."""
    if userinfo and userinfo.get("sub") != claims["sub"]:
        raise Failed("userinfo tells of somebody else than the ID token")
    return userinfo | claims


def groups(claims: Claims, name: str) -> tuple[str, ...]:
    """The groups in the claim of that name: a list of texts, or one text. A name with dots that isn't there
    as it stands leads into claims within claims, as `realm_access.roles`."""
    found: Any = claims.get(name)
    if found is None and "." in name:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, str):
        return (found,)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def name(claims: Claims) -> str:
    """What the person is called: as the provider would have it, else by their address."""
    address = text(claims, "email")
    return text(claims, "preferred_username") or address.partition("@")[0] or text(claims, "nickname")


def verified_domain(claims: Claims) -> str:
    """The domain of the address that the provider has checked to be theirs; empty when it says no such
    thing."""
    if claims.get("email_verified") is not True:
        return ""
    return text(claims, "email").rpartition("@")[2].lower()


def text(claims: Claims, name: str) -> str:
    found = claims.get(name)
    return found.strip() if isinstance(found, str) else ""
