"""What the what-if page shows: two sliders, and what would go."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest
from django.utils import timezone

from regui import patterns
from regui.accounts.access import Actor
from regui.actions.retention import curves
from regui.actions.retention.curves import COUNTS, DAYS, Curves, Point
from regui.index.models import Registry
from regui.index.usage import settling
from regui.web import charts, wins
from regui.web.charts import Curve

KEEP, OLDER = 10, 30
MOST = 20
SHAPE = 640, 170


@dataclass(frozen=True)
class Page:
    """The page: `keep` of each repository's newest tags stay, and what is at most `older` days old. `wrong`
    says what isn't understood of the patterns; `found` is None while nothing was added up yet."""

    registry: Registry
    typed: str
    places: Sequence[str]
    keep: int
    older: int
    wrong: str
    found: Curves | None

    counts, days = COUNTS, DAYS

    @cached_property
    def point(self) -> Point:
        assert self.found is not None
        return self.found.at(self.keep, self.older)

    @property
    def by_count(self) -> Curve:
        assert self.found is not None
        return drawn(self.found.by_count(self.older), self.keep)

    @property
    def by_age(self) -> Curve:
        assert self.found is not None
        return drawn(self.found.by_age(self.keep), self.older)

    @property
    def policy(self) -> str:
        """The address of a new policy's form that does the same."""
        fields = [
            ("name", f"newest-{self.keep}"),
            ("repositories", ", ".join(self.places)),
            ("otherwise", "drop"),
        ]
        if self.keep:
            fields += [("rule", "1"), ("1-kind", "keep newest"), ("1-count", str(self.keep))]
        if self.older:
            fields += [("rule", "2"), ("2-kind", "keep younger"), ("2-than", f"{self.older}d")]
        return wins.prefilled(self.registry, fields)


def drawn(points: Sequence[Point], value: int) -> Curve:
    return charts.curve([(one.value, one.frees) for one in points], value, *SHAPE)


def page(request: HttpRequest, actor: Actor, registry: Registry, *, wait: bool) -> Page:
    """What the form asks. The table behind the curves is kept for a while; where there is none yet, it is
    only made for who waits for it, or where that takes a moment, and `again` makes it anew."""
    typed = request.GET.get("repositories", "").strip()
    places, wrong = read(typed)
    keep = within(request.GET.get("keep", ""), KEEP, COUNTS)
    older = within(request.GET.get("older", "").removesuffix("d"), OLDER, DAYS)
    found = None
    if not wrong:
        found = curves.of(
            registry,
            places,
            actor,
            timezone.now(),
            lambda: wait or bool(request.GET) or settling.is_small(registry),
            again="again" in request.GET,
        )
    return Page(registry, typed, places, keep, older, wrong, found)


def read(typed: str) -> tuple[list[str], str]:
    """Patterns of repositories, with white space or commas between; every one when there is none. And what is
    wrong with them, as a sentence."""
    words = typed.replace(",", " ").split() or [patterns.ANYWHERE]
    if len(words) > MOST:
        return [], f"At most {MOST} patterns can be tried together."
    for word in words:
        try:
            patterns.check_repositories(word)
        except ValueError as error:
            return [], f"{word} {error}."
    return words, ""


def within(text: str, usual: int, most: int) -> int:
    """The number; what is none is the usual one."""
    return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 6 else usual
