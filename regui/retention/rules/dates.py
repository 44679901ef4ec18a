"""Rules on dates and on order: the newest, the younger and the older."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from regui.retention import reading, versions
from regui.retention.reading import Reader
from regui.retention.rules.base import UNREAD, Choice, Found, Rule, ago, each
from regui.retention.tags import Moment, Tag

CREATED, FIRST_SEEN, PUSHED, VERSION = "created", "first-seen", "pushed", "version"
# How words speak of what an age is counted from.
SINCE = {CREATED: "created", FIRST_SEEN: "first seen", PUSHED: "pushed"}
# How words speak of what the newest are found by.
ORDER = {CREATED: "", FIRST_SEEN: " by time first seen", PUSHED: " by time of push", VERSION: " by version"}
UNKNOWN_AGE = {
    CREATED: "its image says no date that can be true",
    FIRST_SEEN: "nobody knows when it was first seen",
    PUSHED: "no notification of its push came in",
    VERSION: "its name is no version",
}


@dataclass(frozen=True)
class Newest(Rule):
    """Keeps the `count` newest, by a date or by version. `per` says whether several tags on one image count
    as one. What has no date isn't counted, and is kept: nobody can say that it isn't among them; with
    `unknown` drop it is as if it were older than all. A tag that couldn't be read is kept in any case, and
    takes nobody's place: there may be nothing behind it."""

    verb, kind = "keep", "newest"

    count: int = 1
    by: str = CREATED
    per: str = "tag"
    unknown: str = "keep"

    @property
    def asks(self) -> frozenset[str]:
        return field_of(self.by)

    @classmethod
    def read(cls, given: Reader) -> "Newest":
        return cls(
            count=given.take("count", reading.number(1, 1_000_000)),
            by=given.take("by", reading.one_of(CREATED, FIRST_SEEN, PUSHED, VERSION), CREATED),
            per=given.take("per", reading.one_of("tag", "image"), "tag"),
            unknown=given.take("unknown", reading.one_of("keep", "drop"), "keep"),
            choice=Choice.read(given),
        )

    def values(self) -> dict[str, Any]:
        given = {"by": self.by, "per": self.per, "unknown": self.unknown}
        usual = {"by": CREATED, "per": "tag", "unknown": "keep"}
        return {"count": self.count} | {name: one for name, one in given.items() if one != usual[name]}

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        known: list[tuple[Any, int]] = []
        unsure: list[int] = []
        value = value_of(self.by, moment)
        for place in self.choice.of(tags):
            one = value(tag := tags[place])
            if tag.manifest is None or (one is None and self.unknown == "keep"):
                unsure.append(place)
            elif one is not None:
                known.append((one, place))
        # Of equals the name decides, so that the answer doesn't hang on the order the tags came in.
        known.sort(key=lambda pair: tags[pair[1]].name)
        known.sort(key=lambda pair: pair[0], reverse=True)
        ranks: dict[int, int] = {}
        images: dict[int | None, int] = {}
        for place in (place for _, place in known):
            tag = tags[place]
            image = tag.manifest if self.per == "image" and tag.manifest is not None else -place - 1
            rank = images.setdefault(image, len(images) + 1)
            if rank <= self.count:
                ranks[place] = rank
            elif self.per == "tag":
                break
        return Found(ranks, unsure, ranks)

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        return f"{self} ({ordinal(rank)})"

    def doubt(self, tag: Tag) -> str:
        return UNREAD if tag.manifest is None else UNKNOWN_AGE[self.by]

    def __str__(self) -> str:
        images = " images" if self.per == "image" else ""
        return f"newest {self.count:,}{images}{self._of}{ORDER[self.by]}"


@dataclass(frozen=True)
class Aged(Rule):
    """Goes by age: `than` in seconds, counted from the date that `by` names. `unknown` says what becomes of
    what has no such date."""

    than: int = 0
    by: str = CREATED
    unknown: str = "keep"

    @property
    def asks(self) -> frozenset[str]:
        return field_of(self.by)

    @classmethod
    def read(cls, given: Reader) -> "Aged":
        return cls(
            than=given.take("than", reading.length),
            by=given.take("by", reading.one_of(CREATED, FIRST_SEEN, PUSHED), CREATED),
            unknown=given.take("unknown", reading.one_of("keep", "drop"), "keep"),
            choice=Choice.read(given),
        )

    def values(self) -> dict[str, Any]:
        given = {"than": reading.written(self.than)}
        given |= {} if self.by == CREATED else {"by": self.by}
        return given | ({} if self.unknown == "keep" else {"unknown": self.unknown})

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        value, since = value_of(self.by, moment), moment.now - self.than
        unsure = None if self.unknown == "keep" else not self.keeps

        def test(tag: Tag) -> bool | None:
            at = value(tag)
            if tag.manifest is None:
                return None
            # What keeps means the younger ones, what drops the others.
            return unsure if at is None else (at > since) is self.keeps

        return each(self.choice, tags, test)

    def doubt(self, tag: Tag) -> str:
        return UNREAD if tag.manifest is None else UNKNOWN_AGE[self.by]


@dataclass(frozen=True)
class Younger(Aged):
    """Keeps what is younger than that."""

    verb, kind = "keep", "younger"

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        at = value_of(self.by, moment)(tag)
        return f"{SINCE[self.by]} {ago(at, moment)}, less than {reading.exact(self.than)}"

    def __str__(self) -> str:
        return f"{SINCE[self.by]} less than {reading.exact(self.than)} ago{self._of}"


@dataclass(frozen=True)
class Older(Aged):
    """Drops what is older than that."""

    verb, kind = "drop", "older"

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        at = value_of(self.by, moment)(tag)
        return f"{SINCE[self.by]} {ago(at, moment)}" if at is not None else f"its age is unknown{self._of}"

    def __str__(self) -> str:
        return f"{SINCE[self.by]} more than {reading.exact(self.than)} ago{self._of}"


def field_of(by: str) -> frozenset[str]:
    """The field of `Tag` that a date is in."""
    return frozenset() if by == VERSION else frozenset({by.replace("-", "_")})


def value_of(by: str, moment: Moment) -> Callable[[Tag], Any]:
    """What tags are ordered or aged by; None for a tag of which it isn't known. An image from more than a day
    ahead says nothing that can be true either."""
    if by == VERSION:
        return lambda tag: found.order if (found := versions.version(tag.name)) else None
    place = Tag._fields.index(by.replace("-", "_"))
    if by != CREATED:
        return lambda tag: tag[place]
    latest = moment.now + 86_400
    return lambda tag: tag.created if tag.created is not None and tag.created <= latest else None


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    last = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{last}"
