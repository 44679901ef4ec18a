"""How hard a crawl may press a registry. Pure decisions: what was measured comes in, what to do comes out.

It begins with as many requests in flight as the settings allow, halves that when the registry says it is too
much or falters, lets go a little when answers take ever longer, and feels its way up again.
"""

from dataclasses import dataclass, replace

# Seconds between two times of slowing down: what is in flight answers to the pace before.
APART = 1.0
# Answers are late when they take that much longer than at best, and more than that many seconds.
RISEN, LATE = 4.0, 0.25
LONGEST_PAUSE = 60.0
# While a page of someone's is being read, and for so many seconds after.
YIELDING = 0.3
SHORTEST_SHARE = 0.01


@dataclass(frozen=True)
class Pace:
    """`window` requests may be in flight, at most `ceiling`; none before the moment `not_before`. `smoothed`
    is how many seconds answers take of late, `best` how few they took."""

    ceiling: int
    window: float
    best: float = float("inf")
    smoothed: float = 0.0
    slowed_at: float = float("-inf")
    not_before: float = float("-inf")


def start(ceiling: int) -> Pace:
    return Pace(ceiling, float(ceiling))


def answered(pace: Pace, seconds: float, now: float) -> Pace:
    """After an answer that took so long."""
    smoothed = seconds if not pace.smoothed else 0.95 * pace.smoothed + 0.05 * seconds
    best = min(pace.best, smoothed)
    pace = replace(pace, smoothed=smoothed, best=best)
    if smoothed > max(RISEN * best, LATE):
        return slower(pace, 0.8, now)
    return replace(pace, window=min(pace.ceiling, pace.window + 0.1 / pace.window))


def refused(pace: Pace, retry_after: float | None, now: float) -> Pace:
    """After a 429 or 503, or a connection that broke: half as many, after the pause the registry asked
    for."""
    pause = min(retry_after or 0.0, LONGEST_PAUSE)
    return replace(slower(pace, 0.5, now), not_before=max(pace.not_before, now + pause))


def slower(pace: Pace, factor: float, now: float) -> Pace:
    if now - pace.slowed_at < APART:
        return pace
    return replace(pace, window=max(1.0, pace.window * factor), slowed_at=now)


def allowed(pace: Pace, since_page: float) -> int:
    """How many requests may be in flight, so many seconds after someone's page last asked something."""
    return 1 if since_page < YIELDING else max(1, int(pace.window))


def slot(last: float, rate: float, now: float) -> float:
    """The moment the next request may be sent, at so many a second (0: as many as will go) when the last was
    to be sent at that moment."""
    return max(now, last + 1 / rate) if rate > 0 else now


def rest(worked: float, share: float) -> float:
    """Seconds to do nothing after so many of work, so that the work is no more than that share of the
    whole."""
    return worked * (1 / max(share, SHORTEST_SHARE) - 1) if share < 1 else 0.0
