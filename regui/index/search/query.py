"""A query, taken apart: terms that must all hold, each of which may be turned round by a `-` before it.

`str()` of a query is a query that means the same; see `parse` for reading one.
"""

import enum
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

KINDS = ("image", "index", "artifact", "helm", "attestation", "schema1")
BYTES = {
    "B": 1,
    "kB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
DAYS = {"h": 1 / 24, "d": 1, "w": 7, "mo": 30, "y": 365}


class Wrong(ValueError):
    """A query that says nothing that can be looked for: where in it, why, and what one would write."""

    def __init__(self, position: int, text: str, why: str, example: str) -> None:
        super().__init__(f"{why} Such as: {example}")
        self.position, self.text, self.why, self.example = position, text, why, example


class Where(enum.Enum):
    """The names a text is looked for in."""

    ANY = ""
    TAG = "tag"
    REPOSITORY = "repo"


class Comparison(enum.Enum):
    MORE = ">"
    LESS = "<"
    AT_LEAST = ">="
    AT_MOST = "<="


class Answer(enum.Enum):
    """The keys that are answered by yes or no."""

    SIGNED = "signed"
    UNTAGGED = "untagged"
    PULLED = "pulled"


class Moment(enum.Enum):
    """The keys that compare a date."""

    CREATED = "created"
    PULLED = "pulled"


@dataclass(frozen=True)
class Text:
    """Any part of a name; with `glob` the pattern of a whole one: `*` is any text, `?` one character."""

    where: Where
    text: str
    glob: bool = False
    negated: bool = False

    def __str__(self) -> str:
        key = f"{self.where.value}:" if self.where.value else ""
        bare = self.glob or (is_bare(self.text) and not re.search(r"[*?]", self.text))
        # A bare word may only hold what can't be taken for a key, nor a beginning for a turning round.
        if self.where is Where.ANY and (":" in self.text or self.text.startswith("-")):
            bare = self.glob
        return f"{minus(self)}{key}{self.text if bare else quoted(self.text)}"


@dataclass(frozen=True)
class Digest:
    """A digest that begins like that, of a manifest, a config or a layer. Without an algorithm, of any."""

    hex: str
    algorithm: str = ""
    negated: bool = False

    def __str__(self) -> str:
        algorithm = f"{self.algorithm}:" if self.algorithm else ""
        return f"{minus(self)}digest:{algorithm}{self.hex}"


@dataclass(frozen=True)
class Label:
    """That a label, or annotation, is there; with a value that it is just that."""

    key: str
    value: str | None = None
    negated: bool = False

    def __str__(self) -> str:
        value = "" if self.value is None else f"={self.value}"
        whole = f"{self.key}{value}"
        return f"{minus(self)}label:{whole if is_bare(whole) else quoted(whole)}"


@dataclass(frozen=True)
class Platform:
    """One of its platforms: `linux/arm/v7`, or parts of one that follow each other, such as `arm`."""

    name: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{minus(self)}platform:{self.name}"


@dataclass(frozen=True)
class Type:
    kind: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{minus(self)}type:{self.kind}"


@dataclass(frozen=True)
class Size:
    """How many bytes, in comparison."""

    comparison: Comparison
    bytes: int
    negated: bool = False

    def __str__(self) -> str:
        units = [unit for unit in ("TB", "GB", "MB", "kB") if self.bytes and self.bytes % BYTES[unit] == 0]
        unit = units[0] if units else "B"
        return f"{minus(self)}size:{self.comparison.value}{self.bytes // BYTES[unit]}{unit}"


@dataclass(frozen=True)
class Age:
    """So many hours, days, … ago."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    def before(self, now: datetime) -> datetime:
        return now - timedelta(days=self.count * DAYS[self.unit])


@dataclass(frozen=True)
class Date:
    """When something was, in comparison with a day, or with how long ago: then `<` is what was later."""

    moment: Moment
    comparison: Comparison
    than: Age | date
    negated: bool = False

    def __str__(self) -> str:
        return f"{minus(self)}{self.moment.value}:{self.comparison.value}{self.than}"


@dataclass(frozen=True)
class Is:
    """A question answered by yes or no."""

    about: Answer
    yes: bool
    negated: bool = False

    @property
    def holds(self) -> bool:
        """What the answer has to be, its minus counted in."""
        return self.yes is not self.negated

    def __str__(self) -> str:
        return f"{minus(self)}{self.about.value}:{'yes' if self.yes else 'no'}"


Term: TypeAlias = Text | Digest | Label | Platform | Type | Size | Date | Is


@dataclass(frozen=True)
class Query:
    """All of these terms together; none of them asks for nothing, so everything is found."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def words(self) -> list[Text]:
        """The texts that something's name must hold, wherever that is."""
        return [one for one in self.terms if isinstance(one, Text) and not one.negated]

    def about(self, *kinds: type[Term]) -> list[Term]:
        """The terms of these kinds."""
        return [one for one in self.terms if isinstance(one, kinds)]

    @property
    def pulls(self) -> bool:
        """Whether anything is asked about pulls."""
        return any(
            one.about is Answer.PULLED if isinstance(one, Is) else one.moment is Moment.PULLED
            for one in self.terms
            if isinstance(one, Is | Date)
        )

    @property
    def untagged(self) -> bool:
        """Whether digests without a tag are asked for."""
        return bool(self.asks(Answer.UNTAGGED))

    @property
    def guessed(self) -> str:
        """The word that looks like a key with its value, and was taken for a repository and its tag."""
        return next((one.text for one in self.words if one.where is Where.ANY and ":" in one.text), "")

    def asks(self, answer: Answer) -> bool | None:
        """What that question has to be answered with; None when it isn't asked."""
        found = [one for one in self.terms if isinstance(one, Is) and one.about is answer]
        return found[-1].holds if found else None


def minus(term: Term) -> str:
    return "-" if term.negated else ""


def is_bare(text: str) -> bool:
    """Whether a text is read as it stands, without quotes."""
    return bool(text) and not re.search(r'[\s"]', text)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
