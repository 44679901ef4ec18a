"""Exceptions as problems, each with a status that tells the truth."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from regui import oci
from regui.accounts import access, people
from regui.actions import documents, plans, run, sight
from regui.api import problems
from regui.api.problems import Problem
from regui.index import search

log = logging.getLogger(__name__)

# What a registry did wrong is 502, save for these, by `oci.Error.code`.
STATUSES = {
    "timed-out": 504,
    "denied": 403,
    "not-found": 404,
    "too-many-requests": 503,
    "conflict": 409,
    "invalid-name": 422,
}
AGAIN = "Ask for a new plan, look at it, and send that."
RULES = "Only who changes the rules can change that."
OVERRIDE = (
    "Who administers the registry may ask for a plan with an override: a reason of ten characters or more."
)


def of_registry(error: oci.Error) -> Problem:
    return Problem(STATUSES.get(error.code, 502), error.code, str(error), error.hint)


def of_missing(error: Http404) -> Problem:
    # A resolver's 404 carries a table of our addresses, not words.
    words = error.args[0] if error.args and isinstance(error.args[0], str) else "There is nothing here."
    return Problem(404, "not-found", words, "It may be gone, or not for you to see.")


def of_refusal(error: PermissionDenied) -> Problem:
    return Problem(403, "forbidden", str(error), "An administrator could grant it.")


def of_forbidden(error: access.Forbidden) -> Problem:
    """With who could; a visitor is asked who they are."""
    if isinstance(error, access.Unborne):
        hint = f"Sign in to {error.registry} on regui's pages: a token has no credentials of its own there."
        return Problem(403, "needs-credentials", f"{error.registry} asks everybody who they are.", hint)
    if error.actor.visitor:
        return problems.unauthorized()
    names = people.who_could(error.right, error.registry, error.name)
    hint = f"Ask somebody who could: {', '.join(names)}." if names else "An administrator could grant it."
    return Problem(403, "forbidden", str(error), hint, {"who_could": names})


def of_input(error: ValidationError) -> Problem:
    """What is wrong with each part of a request: where it stands, and why."""
    wrong = [{"where": where(one["loc"]), "message": str(one["msg"])} for one in error.errors]
    first = f"{wrong[0]['where']}: {wrong[0]['message']}." if wrong else "The request can't be understood."
    return Problem(422, "invalid", first, "openapi.json says what is expected.", wrong)


def where(place: Iterable[str | int]) -> str:
    """A place in a request: `query.limit`, `body.tags.0`."""
    query_or_body, *rest = map(str, place)
    # Between them stands the name of the view's parameter, which nobody outside knows.
    return ".".join([query_or_body, *(rest[1:] if query_or_body == "body" else rest)])


def of_query(error: search.Wrong) -> Problem:
    details = {
        "position": error.position,
        "text": error.text,
        "why": error.why,
        "example": error.example,
    }
    return Problem(422, "wrong-query", str(error), "docs/search.md describes the language.", details)


def of_stale(error: run.Stale) -> Problem:
    return stale(error.changed, documents.of_plan(error.plan))


def stale(changed: list[str], plan: Mapping[str, Any] | None) -> Problem:
    """Nothing was changed, since what was agreed to is no longer so: in sentences, and the plan as it would
    be now."""
    return Problem(409, "stale", " ".join(changed), AGAIN, {"changed": changed, "plan": plan})


def of_unchecked(error: run.Unchecked) -> Problem:
    hint = error.plan.check.hint or "Try again: nothing is changed that couldn't be looked at."
    return Problem(409, "unchecked", str(error), hint, {"plan": documents.of_plan(error.plan)})


def of_breaks(error: run.Breaks) -> Problem:
    broken = [f"{plans.shortened(one.digest)} ({', '.join(one.tags)})" for one in error.plan.breaks]
    return Problem(
        422,
        "breaks",
        f"These tagged indexes would be left with a hole: {', '.join(broken)}.",
        'Send "understood": true along with the plan.',
        {"breaks": [{"digest": one.digest, "tags": list(one.tags)} for one in error.plan.breaks]},
    )


def of_protected(error: run.Protected) -> Problem:
    details = {
        "protected": [asdict(one) for one in error.plan.protected],
        "plan": documents.of_plan(error.plan),
    }
    hint = OVERRIDE if all(one.in_use for one in error.plan.protected) else RULES
    return Problem(409, "protected", str(error), hint, details)


def of_parsing(error: HttpError) -> Problem:
    return Problem(error.status_code, "bad-request", "The body can't be read.", "Send JSON.")


def too_big(_: RequestDataTooBig) -> Problem:
    return problems.of_status(413)


# From the general to the particular: the first that fits among an exception's classes is taken.
PROBLEMS: dict[type[Exception], Callable[[Any], Problem]] = {
    Problem: lambda problem: problem,
    oci.Error: of_registry,
    Http404: of_missing,
    PermissionDenied: of_refusal,
    access.Forbidden: of_forbidden,
    ValidationError: of_input,
    HttpError: of_parsing,
    RequestDataTooBig: too_big,
    search.Wrong: of_query,
    run.Stale: of_stale,
    run.Unchecked: of_unchecked,
    run.Breaks: of_breaks,
    run.Protected: of_protected,
}


def handle(api: NinjaAPI) -> None:
    """Have the API answer each of these."""
    for kind, problem_of in PROBLEMS.items():
        api.add_exception_handler(kind, handler(problem_of))


def handler(problem_of: Callable[[Any], Problem]) -> Callable[[HttpRequest, Any], HttpResponse]:
    def handle_one(request: HttpRequest, error: Any) -> HttpResponse:
        hidden = isinstance(error, access.Hidden) and request.actor.visitor  # type: ignore[attr-defined]
        if isinstance(plan := getattr(error, "plan", None), plans.Plan):
            error.plan = sight.plan(request.actor, plan)  # type: ignore[attr-defined]
        problem = problems.unauthorized() if hidden else problem_of(error)
        response = problems.answer(problem)
        if isinstance(error, oci.Error) and problem.status >= 500:
            log.warning("%s %s: %s", request.method, request.path, error)
        if isinstance(error, oci.TooManyRequests) and error.retry_after:
            response["Retry-After"] = str(int(error.retry_after))
        return response

    return handle_one
