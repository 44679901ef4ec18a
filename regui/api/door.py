"""The door to /api/v1/: behind it lie addresses of their own, and whatever is refused in front of it is told
in the API's own shape.

They are imported with the first request for one of them: what they are made with takes ten megabytes, which
who uses no API shall not pay for.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from regui.api import problems

PREFIX = "/api/v1/"
ADDRESSES = "regui.api.v1.urls"
KEPT = ("Allow", "Retry-After", "WWW-Authenticate")


def door(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that sends requests below /api/v1/ there. No answer is to be stored by anyone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        request.urlconf = ADDRESSES  # type: ignore[attr-defined]
        response = get_response(request)
        if response.status_code >= 300 and not response["Content-Type"].startswith("application/json"):
            response = told(response)
        response["Cache-Control"] = "no-store"
        return response

    return middleware


def told(response: HttpResponse) -> HttpResponse:
    """The same answer in the API's shape, in place of a page."""
    answer = problems.answer(problems.of_status(response.status_code))
    for name in KEPT:
        if name in response:
            answer[name] = response[name]
    return answer
