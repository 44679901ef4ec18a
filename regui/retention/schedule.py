"""When a policy runs, by five fields as cron has them, in UTC."""

from datetime import UTC, datetime
from itertools import islice

from cronsim import CronSim


def upcoming(text: str, moment: datetime, count: int) -> list[datetime]:
    """The next so many times after that moment; none without a schedule, fewer for one that ends."""
    return list(islice(CronSim(text, moment.astimezone(UTC)), count)) if text else []


def next_after(text: str, moment: datetime) -> datetime | None:
    """The first time after that moment."""
    return next(iter(upcoming(text, moment, 1)), None)
