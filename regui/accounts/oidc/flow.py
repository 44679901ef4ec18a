"""The two halves of a sign-in: on to the provider, and back from it."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse

from regui.accounts import arrivals
from regui.accounts.arrivals import Newcomer, Refused, Source
from regui.accounts.models import User
from regui.accounts.oidc import claims
from regui.accounts.oidc.claims import Claims
from regui.accounts.oidc.discovery import Endpoints
from regui.accounts.oidc.errors import Cancelled, Failed, Stale
from regui.accounts.oidc.talk import Talk, talk, with_query
from regui.directories import Oidc

ID = "oidc"
# The address that the provider is told to send people back to.
ANSWER = "oidc-answer"
OUTSIDE = "You have signed in there, but may not come in here:"


@dataclass(frozen=True)
class Arrival:
    """Who came back, and where they were going."""

    user: User
    there: str


def begin(request: HttpRequest, provider: Oidc, there: str) -> str:
    """Where to send the browser. What the answer will be held against stays in its session; Failed when the
    provider can't be asked."""
    with talk(provider) as ours:
        endpoints = ours.endpoints()
    nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    state = keeper(request, provider).stash_redirect_state(
        request, AuthProcess.LOGIN, there, nonce=nonce, verifier=verifier
    )
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": answer_url(request),
        "scope": " ".join(provider.scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    return with_query(endpoints.authorization, query)


def finish(request: HttpRequest, provider: Oidc) -> Arrival:
    """Who comes back. Failed when what is said of them doesn't hold, Refused when they may not come in."""
    state = taken(request, provider)
    if error := request.GET.get("error"):
        raise Cancelled(f"the provider answered {error[:50]!r}")
    with talk(provider) as ours:
        told = asked(ours, request, state)
    theirs = claims.groups(told, provider.groups_claim)
    admit(provider, told, theirs)
    newcomer = Newcomer(
        Source.OIDC,
        f"{provider.issuer} {told['sub']}",
        claims.name(told),
        claims.text(told, "email"),
        theirs,
        provider.groups,
    )
    user = arrivals.arrive(newcomer, str(request.META.get("REMOTE_ADDR", "")))
    return Arrival(user, str(state.get("next") or ""))


def taken(request: HttpRequest, provider: Oidc) -> dict[str, Any]:
    """What was kept when it began, which is good for one answer; Stale when there is nothing."""
    name = request.GET.get("state", "")
    try:
        state: dict[str, Any] = keeper(request, provider).unstash_redirect_state(request, name)
    except PermissionDenied:
        raise Stale("its state isn't one that this session waits for") from None
    return state


def keeper(request: HttpRequest, provider: Oidc) -> OpenIDConnectProvider:
    """django-allauth's own provider, which keeps states in sessions and forgets them. What it would do of the
    rest is done here: it asks without limits, and checks neither nonces nor, of tokens it fetched itself,
    signatures."""
    app = SocialApp(
        provider=OpenIDConnectProvider.id, provider_id=ID, name=provider.name, client_id=provider.client_id
    )
    return OpenIDConnectProvider(request, app=app)


def asked(ours: Talk, request: HttpRequest, state: dict[str, Any]) -> Claims:
    """What the provider says of who comes back with this answer."""
    provider, endpoints = ours.provider, ours.endpoints()
    sender(request.GET.get("iss"), endpoints, provider)
    code = request.GET.get("code")
    if not code:
        raise Failed("the answer holds no code")
    tokens = ours.tokens(endpoints, code, state["verifier"], answer_url(request))
    token = tokens.get("id_token")
    if not isinstance(token, str):
        raise Failed("the provider gave no ID token")
    signed = claims.verified(
        token,
        ours.keys(endpoints),
        issuer=provider.issuer,
        client_id=provider.client_id,
        nonce=state["nonce"],
    )
    return claims.together(signed, ours.userinfo(endpoints, claims.text(tokens, "access_token")))


def sender(issuer: str | None, endpoints: Endpoints, provider: Oidc) -> None:
    """Nothing, when the answer may be this provider's; Failed when it is another's. RFC 9207."""
    if issuer is None and endpoints.names_itself:
        raise Failed("the answer doesn't say whose it is, which this provider's do")
    if issuer is not None and issuer != provider.issuer:
        raise Failed("the answer is another provider's")


def admit(provider: Oidc, told: Claims, theirs: tuple[str, ...]) -> None:
    """Nothing, when each list that is set lets them in; else Refused."""
    if provider.allowed_groups and not set(theirs) & set(provider.allowed_groups):
        raise Refused(f"{OUTSIDE} you are in none of the groups that whoever runs regui lets in.")
    if provider.allowed_domains and claims.verified_domain(told) not in provider.allowed_domains:
        raise Refused(
            f"{OUTSIDE} you have no address, verified there, in a domain that whoever runs regui lets in."
        )


def answer_url(request: HttpRequest) -> str:
    """The address to come back to: below the public one where that is set, whatever the browser asked by."""
    path = reverse(ANSWER)
    if settings.URL:
        parts = urlsplit(settings.URL)
        return f"{parts.scheme}://{parts.netloc}{path}"
    return request.build_absolute_uri(path)


def challenge(verifier: str) -> str:
    """What shows later that it was us who began. RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
