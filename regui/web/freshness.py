"""How a page that was answered from memory comes up to date.

A browser that runs our script waits only for what was never read. Anything else it is shown at once as it is
remembered; when that is older than `REGUI_STALE_AFTER`, the page asks for itself again with `?refresh=` and
what it shows, and gets back either a new line about its age, or what has changed. Whoever doesn't run the
script couldn't ask again, and so waits a moment for what is older than that. Links with `?refresh=1` are for
people: behind them stands the registry's own word, however young what is remembered.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from regui.index import fetch
from regui.web import htmx
from regui.web.http import Request

FIELD = "refresh"
# What a person's own click gives it; a page that asks by itself says what it shows.
NOW = "1"
# The cookie by which our script says that it runs.
SCRIPTS = "scripts"
# Older than anything: asks only for what was never read.
EVER = timedelta(days=365_000)
# Where the line is that says how old a page is.
LINE = "fresh"


@dataclass(frozen=True)
class Freshness:
    """How old a page is and what it does about that. `shows` stands for what is on it, `due` says that it
    asks again by itself, `changed` that it did and found other rows than those it had."""

    reading: fetch.Reading
    shows: str
    due: bool
    changed: bool
    confirmed: bool


def wanted(request: Request) -> bool:
    """Whether the page is to show what the registry has now, which may take a moment."""
    asks_again = request.htmx or SCRIPTS in request.COOKIES
    return FIELD in request.GET or not asks_again


def max_age(request: Request) -> timedelta:
    """How old what is remembered may be to be shown without asking the registry first."""
    if request.GET.get(FIELD) == NOW:
        return timedelta(0)
    return settings.STALE_AFTER if wanted(request) else EVER


def of(request: Request, reading: fetch.Reading, rows: object) -> Freshness:
    """The freshness of a page that shows these rows: anything whose `repr` tells one state from another."""
    shows = hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
    before, by_itself = request.GET.get(FIELD, ""), bool(request.htmx)
    return Freshness(
        reading=reading,
        shows=shows,
        due=not wanted(request) and is_stale(reading),
        changed=by_itself and wanted(request) and before != shows,
        confirmed=by_itself and before == shows and not reading.problem,
    )


def is_stale(reading: fetch.Reading) -> bool:
    """Whether a page made from this should ask again."""
    if reading.as_of is None or not reading.complete:
        return True
    return timezone.now() - reading.as_of >= settings.STALE_AFTER


def render(
    request: Request, template: str, context: Mapping[str, Any], *, partials: Collection[str] = ()
) -> HttpResponse:
    """The page, or its part; when it asked by itself and nothing has changed, only the line about its age.
    The context's `fresh` is its `Freshness`."""
    fresh: Freshness = context["fresh"]
    if not fresh.confirmed:
        return htmx.render(request, template, context, partials=partials)
    response = htmx.render(request, "registries/fresh.html", context)
    response["HX-Retarget"] = response["HX-Reselect"] = f"#{LINE}"
    response["HX-Reswap"] = "outerHTML"
    return response
