"""Plain values, as YAML and forms give them, read into what they mean, with the place of what is wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar, cast

import re2

from regui import patterns
from regui.env import parse_duration

T = TypeVar("T")

# From the document's top to what is meant: ("rules", 1, "count").
Path = tuple[str | int, ...]

LONGEST_REGEX, LONGEST_TEXT = 500, 200
# Digits of a number: Python reads no more than some thousands, and says so in words of its own.
LONGEST_NUMBER = 20
# How many wrong patterns of a list are named, and how much of each value.
NAMED, SHOWN = 5, 40
UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class Invalid(ValueError):
    """A value that means nothing. `path` says where it stands; the message is a sentence. `problems` are all
    that were found together, this one, the first, among them."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path, self.message = path, message
        self.problems: tuple[Invalid, ...] = (self,)

    @classmethod
    def of(cls, found: Sequence["Invalid"]) -> "Invalid":
        """The first of them, which knows of them all."""
        first = found[0]
        first.problems = tuple(dict.fromkeys(problem for one in found for problem in one.problems))
        return first

    def __str__(self) -> str:
        where = "".join(f"[{one + 1}]" if isinstance(one, int) else f".{one}" for one in self.path)
        return f"{where.lstrip('.')}: {self.message}" if where else self.message


@dataclass
class Reader:
    """Takes values out of a mapping by name, and knows which were left. What is wrong with any of them is
    raised in the `end`, all together: until then what was taken may be nothing."""

    given: Mapping[str, Any]
    path: Path = ()
    taken: set[str] = field(default_factory=set)
    wrong: list[Invalid] = field(default_factory=list)

    @classmethod
    def of(cls, value: object, path: Path, what: str) -> "Reader":
        """A reader of a value that has to be a mapping; `what` is what it should be: "a policy"."""
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise Invalid(path, f"This has to be {what}: names with values.")
        return cls(value, path)

    def take(self, name: str, parse: Callable[[Any], T], default: T | None = None) -> T:
        """The value of that name as `parse` reads it, or the default; without a default it has to be there.
        `parse` raises ValueError with the end of a sentence: "must be …"."""
        self.taken.add(name)
        value = self.given.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if default is None:
                self.wrong.append(Invalid((*self.path, name), f"{name} is missing."))
            return cast("T", default)
        try:
            return parse(value)
        except Invalid as error:
            self.wrong.append(error)
        except ValueError as error:
            self.wrong.append(Invalid((*self.path, name), f"{name} {error}."))
        return cast("T", default)

    def end(self) -> None:
        """Raise `Invalid` for all that is wrong, and for what nobody asked for: a misspelt name must not be
        passed over."""
        for name in self.given:
            if name not in self.taken:
                near = get_close_matches(name, self.taken, n=1)
                meant = f"Did you mean {near[0]}?" if near else f"Only {', '.join(sorted(self.taken))}."
                self.wrong.append(Invalid((*self.path, name), f"There is no {name} here. {meant}"))
        if self.wrong:
            raise Invalid.of(self.wrong)


def every(values: Sequence[Any], path: Path, read: Callable[[Any, Path], T]) -> tuple[T, ...]:
    """All of them as `read` takes each, with its place; raises `Invalid` for all that are wrong."""
    found, wrong = [], []
    for number, one in enumerate(values):
        try:
            found.append(read(one, (*path, number)))
        except Invalid as error:
            wrong.append(error)
    if wrong:
        raise Invalid.of(wrong)
    return tuple(found)


def length(value: object) -> int:
    """Seconds of a length of time, written `90s`, `5m`, `12h`, `30d`."""
    if not isinstance(value, str):
        raise ValueError("must be a length of time such as 12h or 30d")
    try:
        seconds = int(parse_duration(value.strip()).total_seconds())
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a length of time such as 12h or 30d") from error
    if not 0 < seconds < 100 * 366 * 86_400:
        raise ValueError("must be more than nothing, and less than a hundred years")
    return seconds


def written(seconds: int) -> str:
    """A length of time as `length` reads it."""
    for size, letter in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"


def spoken(seconds: int) -> str:
    """An age for a person, rounded down: "94 days", "1 hour"."""
    for size, word in UNITS[:-1]:
        if seconds >= size:
            return counted(seconds // size, word)
    return "less than a minute"


def exact(seconds: int) -> str:
    """A length of time that somebody wrote, in the largest unit in which it is a whole number: "36 hours"."""
    size, word = next(unit for unit in UNITS if seconds % unit[0] == 0)
    return counted(seconds // size, word)


def counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def shown(value: str) -> str:
    """As much of a value as a sentence bears."""
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"


def number(least: int, most: int) -> Callable[[object], int]:
    """A whole number between the two, themselves included."""

    def parse(value: object) -> int:
        text = str(value)
        whole = not isinstance(value, bool) and text.isdecimal() and len(text) <= LONGEST_NUMBER
        if not whole or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most:,}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[object], str]:
    """One of these words."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return str(value)

    return parse


def text(value: object) -> str:
    """A line of text."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise ValueError(f"must be one line of text, of at most {LONGEST_TEXT} characters")
    return value.strip()


def globs(value: object) -> tuple[str, ...]:
    """Patterns of tags, as a list or a text with commas or spaces between them."""
    return listed(value, patterns.check_tags)


def places(value: object) -> tuple[str, ...]:
    """Patterns of repositories, the same way."""
    return listed(value, patterns.check_repositories)


def listed(value: object, check: Callable[[str], str]) -> tuple[str, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not words or not all(isinstance(one, str) for one in words):
        raise ValueError("must be a pattern or a list of patterns")
    wrong = []
    for one in dict.fromkeys(words):
        try:
            check(one)
        except ValueError as error:
            wrong.append((str(error), repr(shown(one))))
    if wrong:
        more = f" and {len(wrong) - NAMED:,} more" if len(wrong) > NAMED else ""
        raise ValueError(f"{wrong[0][0]}, not {', '.join(one for _, one in wrong[:NAMED])}{more}")
    return tuple(dict.fromkeys(words))


def regex(value: object) -> str:
    """A regular expression that RE2 knows: one that takes time in proportion to the name, whatever it is."""
    if not isinstance(value, str) or len(value) > LONGEST_REGEX:
        raise ValueError(f"must be a regular expression of at most {LONGEST_REGEX} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        re2.compile(value, options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error
        raise ValueError(f"must be a regular expression, as RE2 knows them: {said}") from error
    return value
