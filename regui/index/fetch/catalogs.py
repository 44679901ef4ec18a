"""Reads through to the list of a registry's repositories."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from regui import oci
from regui.index import connect, flight, listing, names
from regui.index.fetch.reading import BUDGET, MAX_AGE, Reading, answered_at, failed, is_fresh
from regui.index.models import Registry, Sync

CATALOG = "_catalog"
UNLISTED = "This registry doesn't list its repositories."
NAMELESS = "Name those to be read in the settings, under Settings, or open one by its name."
SO_FAR = "The registry takes its time to list its repositories; these are the ones known so far."


def catalog(registry: Registry, *, budget: float = BUDGET, max_age: timedelta = MAX_AGE) -> Reading:
    """Make the registry's repositories follow its catalog, unless that was read within `max_age`, or takes a
    worker so long that there is no point in waiting. Never raises an `oci.Error`: whatever went wrong is in
    the reading and, unless it just took too long for a page, on the registry's row."""
    deadline = time.monotonic() + budget
    if is_known(registry, max_age):
        return remembered(registry)
    with flight.alone(registry.name, CATALOG, deadline=deadline) as entered:
        registry.refresh_from_db()
        if not entered:
            return remembered(registry, complete=False)
        if is_known(registry, max_age):
            return remembered(registry)
        if is_slow(registry, timezone.now()):
            return so_far(registry)
        return read(registry, deadline)


def is_known(registry: Registry, max_age: timedelta) -> bool:
    """Whether the registry gave its catalog, or said that it has none, that lately."""
    moment = registry.tried_at if registry.unlisted else answered_at(registry)
    return is_fresh(moment, timezone.now(), max_age)


def is_slow(registry: Registry, now: datetime) -> bool:
    """Whether a worker has been listing the catalog for longer than a page could, and part of it is known."""
    if registry.leased_until is None or registry.leased_until < now:
        return False
    rounds = Sync.objects.filter(registry=registry, finished_at=None)
    long_ago = now - timedelta(seconds=BUDGET)
    return rounds.filter(started_at__lt=long_ago).exists() and registry.repositories.listed().exists()


def read(registry: Registry, deadline: float | None) -> Reading:
    """Ask for the whole catalog; what came before an error is kept, and nothing pruned for it."""
    began, found = timezone.now(), list[str]()
    try:
        link = connect.link(registry)
        link.check(CATALOG)
    except oci.Error as error:
        return failed(error, registry.listed_at)
    try:
        for name in names_of(registry, link.client.until(deadline)):
            found.append(name)  # what came before an error must not be lost with it
    except oci.TimedOut as error:
        # A page's time was up, which is nothing to hold against the registry: a worker has more.
        link.failed(CATALOG, error)
        listing.repositories(registry, found, began, complete=False)
        names.follow(registry, timezone.now())
        return failed(error, registry.listed_at)
    except oci.Error as error:
        link.failed(CATALOG, error)
        return follow(registry, found, began, error)
    return follow(registry, found, began)


def names_of(registry: Registry, client: oci.Client) -> Iterator[str]:
    """Yield the names in the registry's catalog, those alone that the settings' prefixes let through. Raises
    `Denied` where the registry lets us in and its catalog doesn't."""
    try:
        for prefix in names.under(registry) or [""]:
            yield from client.catalog(under=prefix)
    except oci.Unauthorized as error:
        client.ping()
        raise oci.Denied(str(error), status=error.status, codes=error.codes, detail=error.detail) from error


def follow(
    registry: Registry, found: Sequence[str], began: datetime, error: oci.Error | None = None
) -> Reading:
    """Make the registry's repositories follow these names, all of its catalog, or what came of it before the
    error."""
    listing.repositories(registry, found, began, complete=error is None)
    if error is not None and not isinstance(error, oci.NotFound | oci.Unsupported | oci.Denied):
        result = failed(error, registry.listed_at)
        listing.tried(registry, result.problem, timezone.now())
        return result
    # What the catalog lacks, or has ceased to list, may be named by hand.
    names.follow(registry, timezone.now())
    return remembered(registry) if error is None else unlisted(registry, error)


def unlisted(registry: Registry, error: oci.Error) -> Reading:
    """The reading of a registry that has no catalog for us, noted on its row: no trouble, but a way to be."""
    own_words = "" if isinstance(error, oci.Unsupported) else f" It answered: {error}"
    registry.unlisted = UNLISTED + own_words
    registry.save(update_fields=["unlisted"])
    listing.tried(registry, "", timezone.now())
    return remembered(registry)


def remembered(registry: Registry, *, complete: bool = True) -> Reading:
    """The reading of a catalog that needn't be asked for. A suspicious one says what is odd about it."""
    odd = registry.problem or registry.doubt
    as_of = registry.tried_at if registry.unlisted else registry.listed_at
    return Reading(as_of, complete=complete and not odd, problem=odd)


def so_far(registry: Registry) -> Reading:
    """The reading of a catalog that is still coming."""
    return Reading(registry.listed_at, complete=False, hint=SO_FAR)
