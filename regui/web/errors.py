"""Errors as pages that say what happened and what can be done next, each with a status that tells the truth.

No page repeats a stack trace or an exception's own words, save those of `oci` and `access`, which are written
for people and hold no secrets.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import BadRequest, DisallowedHost, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.http import escape_leading_slashes
from django_htmx.http import HttpResponseClientRedirect

from regui import oci
from regui.accounts import access, people
from regui.index import fetch
from regui.web import htmx
from regui.web.http import is_ours

log = logging.getLogger(__name__)


# Characters of a Host that isn't ours that are written to the log.
LONGEST_HOST = 100


@dataclass(frozen=True)
class Problem:
    """What an error page says. `recipe` names a template of errors/recipes/ that shows how to mend it."""

    status: int
    title: str
    message: str = ""
    hint: str = ""
    recipe: str = ""
    icon: str = "circle-alert"
    retry: bool = False

    @property
    def template(self) -> str:
        return f"errors/recipes/{self.recipe}.html"


# By `oci.Error.code`. What the registry did wrong is 502 or 504, never the visitor's fault.
REGISTRY: dict[str, Problem] = {
    "unreachable": Problem(
        502, "The registry can't be reached", recipe="unreachable", icon="database", retry=True
    ),
    "timed-out": Problem(504, "The registry took too long to answer", icon="clock", retry=True),
    "bad-certificate": Problem(
        502, "The registry's certificate is not trusted", recipe="certificate", icon="lock", retry=True
    ),
    "off-limits": Problem(502, "The registry leads where regui doesn't go", icon="lock", retry=True),
    "not-a-registry": Problem(
        502, "What answers there is not a registry", recipe="address", icon="database", retry=True
    ),
    "malformed": Problem(502, "The registry sent something unreadable", retry=True),
    "misbehaved": Problem(502, "The registry contradicts itself", retry=True),
    "unauthorized": Problem(
        502,
        "The registry doesn't accept regui's credentials",
        recipe="credentials",
        icon="key-round",
        retry=True,
    ),
    "locked": Problem(
        502, "The registry's password or private key can't be opened", recipe="credentials", icon="key-round"
    ),
    "denied": Problem(403, "The registry doesn't allow that", recipe="credentials", icon="lock"),
    "not-found": Problem(404, "The registry doesn't have it (any more)", icon="search"),
    "too-many-requests": Problem(503, "The registry asks for a pause", icon="clock", retry=True),
    "unsupported": Problem(502, "The registry doesn't offer that"),
    "unavailable": Problem(502, "The registry is in trouble itself", icon="database", retry=True),
    "invalid": Problem(502, "The registry refused the request"),
    "conflict": Problem(409, "Something else in the registry still needs this"),
    "invalid-name": Problem(404, "Nothing can be called that", icon="search"),
}
OUTAGES = frozenset(
    [
        "unreachable",
        "timed-out",
        "bad-certificate",
        "off-limits",
        "not-a-registry",
        "malformed",
        "misbehaved",
        "unauthorized",
        "locked",
        "unavailable",
        "too-many-requests",
    ]
)
# What "unsupported" means of a delete: this method, at this address, until the registry allows it.
DELETES_OFF = Problem(405, "The registry has deleting switched off", recipe="deletes", icon="lock")
UNFORESEEN = Problem(502, "The registry answered with an error", retry=True)


def of_registry(code: str, message: str, hint: str = "") -> Problem:
    """The problem behind an error of a registry: by its code, in its own words."""
    return replace(REGISTRY.get(code, UNFORESEEN), message=message, hint=hint)


def of_reading(reading: fetch.Reading) -> Problem | None:
    """The problem of a reading that found the registry itself out of order; None for any lesser trouble, such
    as a registry that works but lists nothing."""
    if reading.error_code not in OUTAGES:
        return None
    return of_registry(reading.error_code, reading.problem, reading.hint)


def respond(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The page for a problem. It is never stored: the next try may find it gone."""
    response = HttpResponse(
        render_to_string("errors/page.html", {"problem": problem}, request=request), status=problem.status
    )
    add_never_cache_headers(response)
    return htmx.toast(response, f"{problem.title}. {problem.message}".strip())


def deletes_off(request: HttpRequest, message: str, hint: str) -> HttpResponse:
    """405: a delete the registry allows nobody, with what to set there. What still works is to look."""
    response = respond(request, replace(DELETES_OFF, message=message, hint=hint))
    response["Allow"] = "GET, HEAD"
    return response


def hosts(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a request for a host that isn't ours is refused, and worth a line in the log. Django would
    write a stack trace, and name a setting that people don't have."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost as error:
            asked = request.headers.get("Host", "")[:LONGEST_HOST]
            log.warning("refused a request for %r: REGUI_URL says under which name regui answers", asked)
            return bad_request(request, error)
        return get_response(request)

    return middleware


class Errors:
    """Middleware: a registry's error becomes a page, and a 405 says which way of asking is meant."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        return wrong_method(request, response) if isinstance(response, HttpResponseNotAllowed) else response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for a registry's error or a refusal; None leaves any other to Django's handlers below."""
        if isinstance(error, access.Unborne):
            return moved(request, "registry-sign-in", error.registry)
        if isinstance(error, access.Forbidden | access.Hidden) and is_visitor(request):
            return sign_in(request)  # be it there or not
        if isinstance(error, PermissionDenied):
            return forbidden(request, error)  # here, since Django's way would log a stack trace for each
        if not isinstance(error, oci.Error):
            return None
        log.warning("%s %s: %s", request.method, request.path, error)
        response = respond(request, of_registry(error.code, str(error), error.hint))
        if isinstance(error, oci.TooManyRequests) and error.retry_after:
            response["Retry-After"] = str(int(error.retry_after))
        return response


errors = Errors


def wrong_method(request: HttpRequest, refused: HttpResponseNotAllowed) -> HttpResponse:
    """A 405 with words and the Allow header it must have."""
    allowed = refused["Allow"]
    response = respond(request, Problem(405, "This address works another way", f"It answers {allowed} only."))
    response["Allow"] = allowed
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: mostly a Host that isn't ours, so nothing of ours is shown."""
    words = str(exception) if isinstance(exception, BadRequest) else ""
    return respond(request, Problem(400, "The request makes no sense", words, recipe="host"))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403: with who could."""
    words = str(exception) if isinstance(exception, PermissionDenied) else ""
    if not isinstance(exception, access.Forbidden):
        return respond(request, Problem(403, "You may not do this", words, icon="lock"))
    seen = exception.right not in {access.Right.SEE, access.Right.AUDIT}
    title = "You may look, but not change this" if seen else "You may not see this"
    return respond(request, Problem(403, title, words, who_could(exception), icon="lock"))


def who_could(refusal: access.Forbidden) -> str:
    """Whom to ask for what was refused, in a sentence."""
    names = people.who_could(refusal.right, refusal.registry, refusal.name)
    if not names:
        admins = people.who_could(access.Right.ADMIN)
        if not admins:
            return "Nobody who could has signed up yet: whoever runs regui can make an administrator."
        return f"Nobody has that right there now. Who administers regui can grant it: {', '.join(admins)}."
    return f"Ask somebody who could: {', '.join(names)}."


def is_visitor(request: HttpRequest) -> bool:
    """Whether nobody has signed in to ask this; False for what was refused before our middleware."""
    actor: access.Actor | None = getattr(request, "actor", None)
    return actor is not None and actor.visitor


def sign_in(request: HttpRequest) -> HttpResponse:
    """On to the page where one signs in, and from there back to where one was going."""
    return moved(request, settings.LOGIN_URL)


def moved(request: HttpRequest, page: str, *args: str) -> HttpResponse:
    """On to a page where one says who one is, which knows where one was going."""
    there = resolve_url(page, *args)
    if request.method in {"GET", "HEAD"}:
        there = f"{there}?{urlencode({REDIRECT_FIELD_NAME: back(request)})}"
    # What htmx would follow there, it would put into the middle of the page.
    response = HttpResponseClientRedirect(there) if is_htmx(request) else HttpResponseRedirect(there)
    add_never_cache_headers(response)
    return response


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def back(request: HttpRequest) -> str:
    """Where one was going: the page that htmx sits in, when it is ours, else what was asked for."""
    page = request.headers.get("HX-Current-URL", "") if is_htmx(request) else ""
    if page and is_ours(request, page):
        parts = urlsplit(page)
        there = urlunsplit(("", "", parts.path, parts.query, ""))
        if there.startswith("/") and is_ours(request, there):  # alone, a path may read as a host
            return there
    # Two slashes at the front would begin another site's address.
    return escape_leading_slashes(request.get_full_path())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404. What is hidden and what isn't there look the same; to who may see nothing, all does."""
    if is_visitor(request) and not request.actor.ever(access.Right.SEE):  # type: ignore[attr-defined]
        return sign_in(request)
    # A resolver's 404 carries a table of our addresses, not words.
    words = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    hint = "Check the address; it may have been deleted, or you may not be allowed to see it."
    return respond(request, Problem(404, "There is nothing here", words, hint, icon="search"))


def failed(request: HttpRequest) -> HttpResponse:
    """handler500: stands alone, for what went wrong may be the very things other pages are made with."""
    return HttpResponse(render_to_string("errors/500.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def too_many(request: HttpRequest) -> HttpResponse:
    """handler429, which django-allauth asks for."""
    words = "Somebody who tries passwords would be stopped here."
    response = respond(request, Problem(429, "Too many attempts", words, "Wait a minute.", icon="clock"))
    response["Retry-After"] = "60"
    return response


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form whose token doesn't match. The reason is Django's to log, not for who sent it."""
    return respond(
        request,
        Problem(
            403,
            "The form has grown stale",
            "Nothing was changed.",
            "Go back, reload the page and send it again. If it happens every time, cookies are blocked, "
            "or REGUI_URL is not the address in your browser.",
        ),
    )
