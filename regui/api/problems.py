"""What goes wrong, in the one shape the API has for it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, JsonResponse


@dataclass(eq=False)
class Problem(Exception):
    """An answer that isn't what was asked for. `code` is a stable slug for programs, `message` a sentence for
    people, `hint` what they can do, `details` whatever else a program may want."""

    status: int
    code: str
    message: str
    hint: str = ""
    details: Any = None


def unauthorized() -> Problem:
    """The problem of who may not, as far as they said who they are."""
    return Problem(
        401,
        "unauthorized",
        "Who may do this has to say who they are.",
        "Send a token: Authorization: Bearer regui_…",
    )


# By status, what is refused before a view of the API has a say in it, or where none is.
PLAIN = {
    400: Problem(
        400,
        "bad-request",
        "The request makes no sense.",
        "If it is the host: REGUI_URL says by which name regui answers.",
    ),
    404: Problem(
        404, "not-found", "There is nothing at this address.", "openapi.json lists the addresses there are."
    ),
    405: Problem(405, "method-not-allowed", "This address works another way.", "The header Allow says how."),
    413: Problem(
        413,
        "too-large",
        "The body is too large.",
        "Of a plan, its kind, registry, repository, digest, asked and fingerprint are enough.",
    ),
    500: Problem(500, "failed", "Something went wrong in regui.", "Its log says what."),
}


def of_status(status: int) -> Problem:
    """The problem that a bare status stands for."""
    words = HTTPStatus(status).phrase
    return PLAIN.get(status) or Problem(status, words.lower().replace(" ", "-"), f"{words}.")


def answer(problem: Problem) -> HttpResponse:
    """The response that tells of it."""
    body = {
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "details": problem.details,
    }
    response = JsonResponse({"error": body}, status=problem.status)
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="regui"'
    return response
