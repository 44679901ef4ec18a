"""What every rule has: the tags it looks at, and a way to find those it speaks of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import re2

from regui import patterns
from regui.retention import reading
from regui.retention.reading import Reader
from regui.retention.tags import Moment, Tag

EVERY = ("*",)
UNREAD = "it couldn't be read yet"


@dataclass(frozen=True)
class Found:
    """Where in the list the tags stand that a rule speaks of, and those of which it can't tell. `ranks` says,
    for a rule that counts, which place each has, from 1 on."""

    matched: Iterable[int]
    unsure: Iterable[int] = ()
    ranks: Mapping[int, int] = field(default_factory=dict)


NONE = Found(())


@dataclass(frozen=True)
class Choice:
    """Tags by name: of any of these patterns, and if there is a regular expression, whole names of that."""

    globs: tuple[str, ...] = EVERY
    regex: str = ""

    @classmethod
    def read(cls, given: Reader) -> "Choice":
        return cls(given.take("tags", reading.globs, EVERY), given.take("regex", reading.regex, ""))

    def plain(self) -> dict[str, Any]:
        found: dict[str, Any] = {} if self.globs == EVERY else {"tags": list(self.globs)}
        return found | ({"regex": self.regex} if self.regex else {})

    @property
    def is_all(self) -> bool:
        return self.globs == EVERY and not self.regex

    @cached_property
    def _tests(self) -> list[Callable[[str], object]]:
        tests: list[Callable[[str], object]] = []
        if self.globs != EVERY:
            tests.append(patterns.any_tag(self.globs))
        if self.regex:
            options = re2.Options()
            options.log_errors = False
            options.max_mem = 1 << 20
            tests.append(re2.compile(self.regex, options).fullmatch)
        return tests

    def covers(self, name: str) -> bool:
        """Whether it means the tag of that name."""
        return all(test(name) for test in self._tests)

    def of(self, tags: Sequence[Tag]) -> Sequence[int]:
        """Where those it means stand among the tags."""
        places: Sequence[int] = range(len(tags))
        for test in self._tests:
            places = [place for place in places if test(tags[place].name)]
        return places

    def __str__(self) -> str:
        said = "" if self.globs == EVERY else ", ".join(f"`{glob}`" for glob in self.globs)
        return " and ".join(filter(None, [said, f"`/{self.regex}/`" if self.regex else ""])) or "all tags"


@dataclass(frozen=True)
class Rule(ABC):
    """One rule. `choice` says which tags it looks at."""

    verb: ClassVar[str]
    kind: ClassVar[str]
    # What of a tag it asks for besides its name and manifest: names of `Tag`'s fields.
    needs: ClassVar[frozenset[str]] = frozenset()

    choice: Choice = Choice()

    @property
    def keeps(self) -> bool:
        return self.verb == "keep"

    @property
    def asks(self) -> frozenset[str]:
        """The fields of `Tag` that it reads besides the name and the manifest."""
        return self.needs

    @classmethod
    def read(cls, given: Reader) -> "Rule":
        return cls(choice=Choice.read(given))

    def plain(self) -> dict[str, Any]:
        """The rule as `read` takes it, without what is as it would be anyway."""
        return {self.verb: self.kind} | self.values() | self.choice.plain()

    def values(self) -> dict[str, Any]:
        return {}

    @abstractmethod
    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        """The tags that it speaks of, and those of which it can't tell."""

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        """Why it speaks of that tag, which it found at that rank, if it counts: "newest 5 of `v*` (3rd)"."""
        return str(self)

    def doubt(self, tag: Tag) -> str:
        """Why it can't tell of that tag."""
        return UNREAD

    @property
    def _of(self) -> str:
        return "" if self.choice.is_all else f" of {self.choice}"


def each(choice: Choice, tags: Sequence[Tag], test: Callable[[Tag], bool | None]) -> Found:
    """What a test says of each tag that is meant: None when it can't tell."""
    matched, unsure = [], []
    for place in choice.of(tags):
        said = test(tags[place])
        if said:
            matched.append(place)
        elif said is None:
            unsure.append(place)
    return Found(matched, unsure)


def ago(at: int | None, moment: Moment) -> str:
    """How long ago that was."""
    return "at a time unknown" if at is None else f"{reading.spoken(max(moment.now - at, 0))} ago"
