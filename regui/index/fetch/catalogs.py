"""Reads through to the list of a registry's repositories."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from regui import oci
from regui.index import connect, flight, listing
from regui.index.fetch.reading import BUDGET, MAX_AGE, Reading, failed, is_fresh
from regui.index.models import Registry

CATALOG = "_catalog"
UNLISTED = "This registry doesn't list its repositories."
UNLISTED_HINT = "Open a repository by its name; regui remembers it from then on."


def catalog(registry: Registry, *, budget: float = BUDGET, max_age: timedelta = MAX_AGE) -> Reading:
    """Make the registry's repositories follow its catalog, unless that was read within `max_age`. Never
    raises an `oci.Error`: whatever went wrong is in the reading, and on the registry's row."""
    deadline = time.monotonic() + budget
    if is_fresh(registry.listed_at, timezone.now(), max_age):
        return remembered(registry)
    with flight.alone(registry.name, CATALOG, deadline=deadline) as entered:
        registry.refresh_from_db()
        if not entered:
            return remembered(registry, complete=False)
        if is_fresh(registry.listed_at, timezone.now(), max_age):
            return remembered(registry)
        return read(registry, deadline)


def read(registry: Registry, deadline: float | None) -> Reading:
    """Ask for the whole catalog; what came before an error is kept, and nothing pruned for it."""
    began, names = timezone.now(), list[str]()
    try:
        link = connect.link(registry)
        link.check(CATALOG)
    except oci.Error as error:
        return failed(error, registry.listed_at)
    try:
        for name in link.client.until(deadline).catalog():
            names.append(name)  # what came before an error must not be lost with it
    except oci.Error as error:
        link.failed(CATALOG, error)
        return follow(registry, names, began, error)
    return follow(registry, names, began)


def follow(
    registry: Registry, names: Sequence[str], began: datetime, error: oci.Error | None = None
) -> Reading:
    """Make the registry's repositories follow these names, all of its catalog, or what came of it before the
    error."""
    listing.repositories(registry, names, began, complete=error is None)
    return remembered(registry) if error is None else unlisted(registry, error)


def unlisted(registry: Registry, error: oci.Error) -> Reading:
    """The reading of a catalog that couldn't be had, noted on the registry's row."""
    result = failed(error, registry.listed_at)
    if isinstance(error, oci.NotFound | oci.Unsupported | oci.Denied):
        result = Reading(
            registry.listed_at,
            complete=False,
            problem=UNLISTED if isinstance(error, oci.Unsupported) else f"{UNLISTED} It answered: {error}",
            error_code=error.code,
            hint=UNLISTED_HINT,
        )
    listing.tried(registry, result.problem, timezone.now())
    return result


def remembered(registry: Registry, *, complete: bool = True) -> Reading:
    """The reading of a catalog that needn't be asked for. A suspicious one says what is odd about it."""
    odd = registry.problem or registry.doubt
    return Reading(registry.listed_at, complete=complete and not odd, problem=odd)
