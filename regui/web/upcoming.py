"""A schedule in words, with the moments it means next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cronsim import CronSim

from regui.retention import policy, schedule

SHOWN = 3


@dataclass(frozen=True)
class Upcoming:
    """What a schedule says, and when it comes round next."""

    words: str
    moments: Sequence[datetime]


def upcoming(written: str, now: datetime) -> Upcoming | None:
    """The schedule in words; None for none, and for what is none."""
    try:
        text = policy.schedule(written)
    except ValueError:
        return None
    words = CronSim(text, now.astimezone(UTC)).explain()
    return Upcoming(words, schedule.upcoming(text, now, SHOWN))
