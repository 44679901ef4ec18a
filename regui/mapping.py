"""Which groups elsewhere stand for which groups here, as it is written in a setting."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST = 150  # characters of a group's name, which is what the table holds
ENTRIES = re.compile(r"[,\n]+")


@dataclass(frozen=True)
class Mapping:
    """Pairs of a group's name elsewhere and here. Without any, a group is the one of the same name."""

    pairs: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def ours(self, theirs: Iterable[str]) -> frozenset[str]:
        """The names here of the groups that someone is in elsewhere. Names are compared as they are
        written."""
        known = frozenset(theirs)
        return frozenset(here for there, here in self.pairs if there in known) if self.pairs else known


NONE = Mapping()


def parse(text: str) -> Mapping:
    """The mapping of `theirs=ours, theirs=ours`: names may hold blanks, theirs `=` too. ValueError when an
    entry is no pair."""
    found: dict[tuple[str, str], None] = {}
    for at, entry in enumerate(names(text), start=1):
        there, sign, here = (part.strip() for part in entry.rpartition("="))
        if not (sign and there and here) or len(here) > LONGEST:
            raise ValueError(f"must be pairs such as idp-admins=admins, which entry {at} is not")
        found.setdefault((there, here))
    return Mapping(tuple(found))


def names(text: str) -> tuple[str, ...]:
    """Names with commas or line ends between them, each once."""
    return tuple(dict.fromkeys(filter(None, (entry.strip() for entry in ENTRIES.split(text)))))
