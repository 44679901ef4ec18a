"""Figures as a table: what was measured, what came out, what it must be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Figure:
    """One line. `met` is None for what is told and not asked for."""

    what: str
    found: str
    must: str = ""
    met: bool | None = None


def at_most(what: str, value: float, limit: float, unit: str = "", digits: int = 3) -> Figure:
    """A figure that must not exceed a limit."""
    tail = f" {unit}" if unit else ""
    return Figure(what, f"{value:,.{digits}f}{tail}", f"≤ {limit:g}{tail}", value <= limit)


def spread(what: str, seconds: Sequence[float], middle: float, worst: float) -> Figure:
    """Half of the times and 99 % of them in milliseconds, against their limits."""
    half, most = p50(seconds), p99(seconds)
    return Figure(
        what, f"{half:.1f} / {most:.1f} ms", f"≤ {middle:g} / {worst:g} ms", half <= middle and most <= worst
    )


def p50(seconds: Sequence[float]) -> float:
    """The median in milliseconds."""
    return median(seconds) * 1000


def p99(seconds: Sequence[float]) -> float:
    """What 99 % of them don't exceed, in milliseconds."""
    return quantiles(seconds, n=100, method="inclusive")[98] * 1000


def table(figures: Iterable[Figure]) -> str:
    """Markdown."""
    marks = {True: "yes", False: "**no**", None: ""}
    lines = ["| what | found | must | met |", "|---|---|---|---|"]
    lines += [f"| {one.what} | {one.found} | {one.must} | {marks[one.met]} |" for one in figures]
    return "\n".join(lines)
