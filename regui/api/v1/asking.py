"""Who asks, and whether a page elsewhere makes their browser do it."""

from django.conf import settings
from django.http import HttpRequest

from regui.accounts.access import Actor, Right
from regui.api.problems import Problem, unauthorized

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = frozenset({"same-origin", "none"})
JSON = "application/json"


class Request(HttpRequest):
    """A request that knows who asks."""

    actor: Actor


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
    asking first, which nobody here answers, nor a request that doesn't say where it comes from."""
    if request.content_type != JSON:
        raise Problem(415, "not-json", f"Send {JSON}, and say so in Content-Type.", "An empty body will do.")
    site = request.headers.get("Sec-Fetch-Site")
    if not (site in OURS if site else is_ours(request, request.headers.get("Origin"))):
        hint = "If it comes from regui's own: REGUI_URL has to be the address in the browser."
        raise Problem(403, "cross-site", "A page of another site may not change anything here.", hint)


def is_ours(request: Request, origin: str | None) -> bool:
    """Whether that is this site's origin; programs send none."""
    here = f"{request.scheme}://{request.get_host()}"
    return origin is None or origin in {here, *settings.CSRF_TRUSTED_ORIGINS}
