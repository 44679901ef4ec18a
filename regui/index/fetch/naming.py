"""Reads repositories that somebody has just named by hand."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from regui import oci
from regui.index import connect, flight, listing, names
from regui.index.fetch import listings
from regui.index.models import Registry

# Seconds that somebody who named repositories waits for what they are.
BUDGET = 5.0


@dataclass(frozen=True)
class Named:
    """What became of names: `unknown` are those the registry knows nothing of; then none was kept. `problems`
    says of those kept and not read why not."""

    unknown: Sequence[str] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


def name(registry: Registry, wanted: Sequence[str], *, budget: float = BUDGET) -> Named:
    """Keep these names and read what they name, as far as the time allows; the worker reads the rest. Raises
    `oci.Unreachable` when the settings no longer name the registry."""
    deadline, began = time.monotonic() + budget, timezone.now()
    link = connect.link(registry)
    with flight.alone(registry.name, "names/", deadline=deadline):
        client = link.client.until(deadline)
        answers = dict(link.map(lambda one: list(client.tags(one)), wanted, deadline))
        unknown = [one for one, answer in answers.items() if is_denied(answer)]
        if unknown:
            return Named(unknown)
        names.enter(registry, wanted, began)
        rows = list(registry.repositories.filter(name__in=wanted).select_related("registry"))
        found = [(row, answers[row.name]) for row in rows]
        listing.tags([listing.Listing(row, tags, began) for row, tags in found if isinstance(tags, list)])
        for row, error in found:
            if isinstance(error, oci.Error):
                listing.tried(row, str(error), began)
        well = [row for row, answer in found if isinstance(answer, list)]
        listings.repositories(well, budget=max(deadline - time.monotonic(), 0))
    return Named(problems={row.name: row.problem for row in rows if row.problem})


def is_denied(answer: Sequence[str] | oci.Error) -> bool:
    """Whether the registry itself, and nothing in between, says that it has nothing of that name."""
    return isinstance(answer, oci.NotFound) and bool(answer.codes)
