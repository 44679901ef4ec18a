"""What a reading came to, for the page that asked for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from regui import oci
from regui.index.models import Registry, Repository

# Seconds a page waits for a registry; a person about to delete something; and whoever has time: a worker, or
# somebody at a terminal.
BUDGET, CHECK_BUDGET, LONG_BUDGET = 2.0, 20.0, 600.0
MAX_AGE = timedelta(seconds=60)


@dataclass(frozen=True)
class Reading:
    """As of when the rows are, and why not of now.

    `as_of` is the last complete listing (None: never). `complete` says that nothing is left to read.
    `problem` is one sentence, empty when the registry answered, along with `hint`, what to do about it, and
    `error_code`, its `oci.Error.code`; a `hint` without a problem says why it isn't complete. `checked` of
    `total` were confirmed within the last minute, when `at` says."""

    as_of: datetime | None = None
    complete: bool = True
    problem: str = ""
    error_code: str = ""
    hint: str = ""
    checked: int = 0
    total: int = 0
    at: datetime | None = None


def failed(error: oci.Error, as_of: datetime | None = None) -> Reading:
    """The reading that this error ended: the rows are as they were."""
    return Reading(as_of, complete=False, problem=str(error), error_code=error.code, hint=error.hint)


def answered_at(row: Registry | Repository) -> datetime | None:
    """When the registry last gave that list, believed or not: a doubted one makes what is known no younger,
    yet asking again at once would only bring the same."""
    return row.tried_at if row.doubt else row.listed_at


def is_fresh(moment: datetime | None, now: datetime, max_age: timedelta) -> bool:
    return moment is not None and now - moment < max_age
