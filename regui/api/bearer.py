"""Tokens that requests bring along, as RFC 6750 has them: `Authorization: Bearer regui_…`."""

import logging

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from regui.accounts import limits, tokens
from regui.accounts.access import Actor
from regui.api import problems
from regui.api.problems import Problem

log = logging.getLogger(__name__)

SCHEME, KIND = "bearer", "token"
INVALID = Problem(
    401,
    "invalid-token",
    "The token opens nothing: it isn't known, is over, was revoked, or its owner may not enter any more.",
    "Make another one under Account, Tokens.",
)
TOO_OFTEN = Problem(
    429,
    "too-many-requests",
    "Tokens from this address opened nothing too often.",
    "Retry-After says for how many seconds to be still. Look which program has an old one.",
)
CHALLENGE = 'Bearer realm="regui", error="invalid_token", error_description="The token opens nothing."'


def token(request: HttpRequest) -> str | None:
    """The token that a request brings along; None when it brings none. Any other way to say who one is, such
    as a proxy's own, isn't for us."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == SCHEME else None


def actor(request: HttpRequest, secret: str) -> Actor | None:
    """Whom the token stands for; None when it opens nothing."""
    return tokens.enter(secret, address(request), timezone.now())


def refuse(request: HttpRequest) -> HttpResponse:
    """The answer to a token that opens nothing; 429 when there were too many from that address. It is never
    answered as if there were none: who sends a wrong one shall notice, even where visitors may do the same.

    A token that is good never comes here: behind one proxy there may be a program with a wrong one and others
    that have to go on, and nobody guesses 256 bits.
    """
    where = address(request)
    if seconds := limits.blocked(KIND, where):
        response = problems.answer(TOO_OFTEN)
        response["Retry-After"] = str(seconds)
        return response
    limits.failed(KIND, where)
    log.warning("refused a token from %s", where)
    response = problems.answer(INVALID)
    response["WWW-Authenticate"] = CHALLENGE
    return response


def address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
