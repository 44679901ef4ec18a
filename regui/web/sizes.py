"""How much a request may bring along. No form here is long, and none takes files."""

import logging
from collections.abc import Callable

from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from regui.web import errors
from regui.web.errors import Problem

log = logging.getLogger(__name__)

UNCHANGED = "Nothing was changed."
TOO_BIG = Problem(413, "That is too large", UNCHANGED, "Send less at a time.")
TOO_MANY = Problem(400, "That is too many fields for one form", UNCHANGED, "Choose fewer at a time.")
FILES = Problem(400, "No form here takes files", UNCHANGED, "Send what the form's own fields hold.")
BROKEN_OFF = Problem(400, "The form broke off", UNCHANGED, "Go back and send it again.")
UNREADABLE = Problem(400, "The form can't be read", UNCHANGED, "Send it from the page itself.")
PROBLEMS: dict[type[Exception], Problem] = {
    RequestDataTooBig: TOO_BIG,
    TooManyFieldsSent: TOO_MANY,
    TooManyFilesSent: FILES,
    UnreadablePostError: BROKEN_OFF,
    MultiPartParserError: UNREADABLE,
    BadRequest: UNREADABLE,
}


def sizes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a request for a page that brings too much is refused before any form is looked at, and
    worth a line in the log, where Django would write a stack trace. The settings say how much that is."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            _ = request.GET, request.POST  # to look is to parse
        except tuple(PROBLEMS) as error:
            log.warning("refused %s %s: %s", request.method, request.path, type(error).__name__)
            return errors.respond(request, PROBLEMS[type(error)])
        return get_response(request)

    return middleware
