"""Rules on what a tag is, not when: its name, its version, its labels, and what holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regui.retention import reading, versions
from regui.retention.reading import Invalid, Reader
from regui.retention.rules.base import EVERY, UNREAD, Choice, Found, Rule, each
from regui.retention.tags import Half, Moment, Tag


@dataclass(frozen=True)
class Named(Rule):
    """What its name says, for either verb."""

    @classmethod
    def read(cls, given: Reader) -> "Named":
        if not given.given.get("tags") and not given.given.get("regex"):
            why = "Say which tags: a pattern in tags, or a regular expression in regex."
            given.wrong.append(Invalid(given.path, why))
        return cls(choice=Choice.read(given))

    def values(self) -> dict[str, Any]:
        # Elsewhere all tags are meant where none are named; here that has to be said.
        return {"tags": list(EVERY)} if self.choice.is_all else {}

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        return Found(self.choice.of(tags))

    def __str__(self) -> str:
        return f"matches {self.choice}"


@dataclass(frozen=True)
class Matching(Named):
    """Keeps tags by name."""

    verb, kind = "keep", "matching"


@dataclass(frozen=True)
class DropMatching(Named):
    """Drops tags by name."""

    verb, kind = "drop", "matching"


@dataclass(frozen=True)
class Versions(Rule):
    """Keeps what is a version within a range."""

    verb, kind = "keep", "versions"

    range: str = "*"

    @classmethod
    def read(cls, given: Reader) -> "Versions":
        written = given.take("range", lambda value: str(versions.span(reading.text(value)).expression))
        return cls(range=written, choice=Choice.read(given))

    def values(self) -> dict[str, Any]:
        return {"range": self.range}

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        span = versions.span(self.range)

        def test(tag: Tag) -> bool:
            found = versions.version(tag.name)
            return found is not None and versions.inside(span, found)

        return each(self.choice, tags, test)

    def __str__(self) -> str:
        return f"version {self.range}{self._of}"


@dataclass(frozen=True)
class Labelled(Rule):
    """Keeps images with a label or annotation, of that value if one is given after an `=`."""

    verb, kind = "keep", "label"
    needs = frozenset({"labels"})

    label: str = ""

    @classmethod
    def read(cls, given: Reader) -> "Labelled":
        return cls(label=given.take("label", reading.text), choice=Choice.read(given))

    def values(self) -> dict[str, Any]:
        return {"label": self.label}

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        key, has_value, value = self.label.partition("=")

        def test(tag: Tag) -> bool | None:
            if tag.manifest is None:
                return None
            if tag.labels.get(key) == value if has_value else key in tag.labels:
                return True
            return None if isinstance(tag.labels, Half) else False

        return each(self.choice, tags, test)

    def doubt(self, tag: Tag) -> str:
        return UNREAD if tag.manifest is None else "not all of its labels could be read"

    def __str__(self) -> str:
        return f"label {self.label}{self._of}"


@dataclass(frozen=True)
class Protected(Rule):
    """Says what holds in any case: protected tags are kept."""

    verb, kind = "keep", "protected"
    needs = frozenset({"protected"})

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        return each(self.choice, tags, lambda tag: bool(tag.protected))

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        return tag.protected

    def __str__(self) -> str:
        return f"protected{self._of}"


@dataclass(frozen=True)
class InUse(Rule):
    """Says what holds in any case: what runs somewhere is kept."""

    verb, kind = "keep", "in-use"
    needs = frozenset({"used"})

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        return each(self.choice, tags, lambda tag: bool(tag.used))

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        return tag.used

    def __str__(self) -> str:
        return f"in use{self._of}"


@dataclass(frozen=True)
class PreReleases(Rule):
    """Drops pre-releases whose release is there, in the same variant, and could be read."""

    verb, kind = "drop", "pre-releases"

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        read = (versions.version(tag.name) for tag in tags if tag.manifest is not None)
        there = {found.release for found in read if found and not found.pre}

        def test(tag: Tag) -> bool:
            found = versions.version(tag.name)
            return found is not None and bool(found.pre) and found.release in there

        return each(self.choice, tags, test)

    def __str__(self) -> str:
        return f"pre-release whose release exists{self._of}"


@dataclass(frozen=True)
class Superseded(Rule):
    """Drops releases that have a newer patch of the same minor version, in the same variant: 1.2.3 when 1.2.4
    is there, and could be read."""

    verb, kind = "drop", "superseded"

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        newest: dict[tuple[object, ...], tuple[int, ...]] = {}
        for tag in tags:
            found = patch(tag)
            if found and tag.manifest is not None:
                series = found.numbers[:2], found.variant
                newest[series] = max(newest.get(series, ()), found.numbers)

        def test(tag: Tag) -> bool:
            found = patch(tag)
            return found is not None and found.numbers < newest.get((found.numbers[:2], found.variant), ())

        return each(self.choice, tags, test)

    def __str__(self) -> str:
        return f"release with a newer patch{self._of}"


def patch(tag: Tag) -> versions.Version | None:
    """The release that a tag is, if it says which patch."""
    found = versions.version(tag.name)
    return found if found and not found.pre and len(found.numbers) > 2 else None
