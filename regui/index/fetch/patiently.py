"""Reads all of a repository for somebody who has time, a while after the other."""

import time
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from regui import oci
from regui.index.fetch.listings import Names, repository
from regui.index.fetch.reading import CHECK_BUDGET, MAX_AGE, Reading
from regui.index.models import Repository

# The longest while in seconds: what somebody holds meanwhile, or waits for, is theirs for two minutes.
WHILE = 60.0


def nothing() -> None:
    """Nobody is told."""


def patiently(
    row: Repository,
    *,
    first: Names = (),
    budget: float = CHECK_BUDGET,
    max_age: timedelta = MAX_AGE,
    tick: Callable[[], None] = nothing,
) -> Reading:
    """As `repository` with `every`, for any budget: what was confirmed in one while needn't be in the next,
    others get their turn between the two, and `tick` is called before each. Whiles get longer when a list
    alone takes one; it ends when one of the longest has brought nothing."""
    began, deadline, length, before = timezone.now(), time.monotonic() + budget, CHECK_BUDGET, 0
    while True:
        tick()
        left = max(deadline - time.monotonic(), 0)
        age = max_age + (timezone.now() - began)
        reading = repository(row, first=first, budget=min(left, length), max_age=age, every=True)
        over = reading.complete or budget <= length or time.monotonic() >= deadline
        if over or reading.error_code not in {"", oci.TimedOut.code} or is_final(reading):
            return reading
        if reading.checked <= before:
            if length >= WHILE:
                return reading
            length = min(2 * length, WHILE)
        before = max(reading.checked, before)


def is_final(reading: Reading) -> bool:
    """Whether more time wouldn't help: all was asked, and something else is amiss."""
    return bool(reading.problem) and not reading.error_code
