"""Who asks, and whether a page elsewhere makes their browser do it."""

from django.conf import settings
from django.http import HttpRequest

from regui.accounts.access import Actor, Right
from regui.api.problems import Problem, unauthorized

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = frozenset({"same-origin", "none"})
JSON = "application/json"


class Request(HttpRequest):
    """A request that knows who asks, and whether a token says so."""

    actor: Actor
    by_token: bool


def asker(request: Request) -> Actor:
    """Who asks. Raises a problem: 401 for a visitor who may see nothing, 403 and 415 for what a page of
    another site may have sent."""
    if request.actor.visitor and not request.actor.ever(Right.SEE):
        raise unauthorized()
    if request.method not in SAFE:
        refuse_strangers(request)
    return request.actor


def refuse_strangers(request: Request) -> None:
    """Raise a problem for what may come from another site's page. Such a page can send neither JSON without
    asking first, which nobody here answers, nor a request that doesn't say where it comes from; and it knows
    no token, so what brings one comes from nowhere else, and only a body has to be JSON."""
    bare = request.by_token and not request.content_type and not request.body
    if request.content_type != JSON and not bare:
        raise Problem(415, "not-json", f"Send {JSON}, and say so in Content-Type.", "An empty body will do.")
    if not (request.by_token or is_ours(request)):
        hint = "If it comes from regui's own: REGUI_URL has to be the address in the browser."
        raise Problem(403, "cross-site", "A page of another site may not change anything here.", hint)


def is_ours(request: Request) -> bool:
    """Whether it comes from no other site. Programs don't say where they are, and needn't; but a session's
    cookie comes from a browser, and browsers do."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site:
        return site in OURS
    if origin is None:
        return settings.SESSION_COOKIE_NAME not in request.COOKIES
    here = f"{request.scheme}://{request.get_host()}"
    return origin in {here, *settings.CSRF_TRUSTED_ORIGINS}
