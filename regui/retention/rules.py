"""The rules a policy is made of. Each finds the tags it speaks of among those of one repository, and those it
would speak of if only it knew more of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import re2

from regui import patterns
from regui.retention import reading, versions
from regui.retention.reading import Invalid, Path, Reader
from regui.retention.tags import Moment, Tag

EVERY = ("*",)
CREATED, FIRST_SEEN, PUSHED, VERSION = "created", "first-seen", "pushed", "version"
# How words speak of what an age is counted from.
SINCE = {CREATED: "created", FIRST_SEEN: "first seen", PUSHED: "pushed"}
UNKNOWN_AGE = {
    CREATED: "its image says no date that can be true",
    FIRST_SEEN: "nobody knows when it was first seen",
    PUSHED: "no notification of its push came in",
    VERSION: "its name is no version",
}
UNREAD = "it couldn't be read yet"
UNTOLD = "pulls haven't been told of without a gap for so long"


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
class Rule:
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

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        raise NotImplementedError

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
        by = {CREATED: "", VERSION: " by version"}.get(self.by, f" by when {SINCE.get(self.by, '')}")
        images = " images" if self.per == "image" else ""
        return f"newest {self.count:,}{images}{self._of}{by}"


@dataclass(frozen=True)
class Younger(Rule):
    """Keeps what is younger than so many seconds."""

    verb, kind = "keep", "younger"

    than: int = 0
    by: str = CREATED
    unknown: str = "keep"

    @property
    def asks(self) -> frozenset[str]:
        return field_of(self.by)

    @classmethod
    def read(cls, given: Reader) -> "Younger":
        return cls(choice=Choice.read(given), **age(given))

    def values(self) -> dict[str, Any]:
        return age_values(self.than, self.by, self.unknown)

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        value, since = value_of(self.by, moment), moment.now - self.than
        unsure = None if self.unknown == "keep" else False

        def test(tag: Tag) -> bool | None:
            at = value(tag)
            if tag.manifest is None:
                return None
            return unsure if at is None else at > since

        return each(self.choice, tags, test)

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        at = value_of(self.by, moment)(tag)
        return f"{SINCE[self.by]} {ago(at, moment)}, less than {reading.spoken(self.than)}"

    def doubt(self, tag: Tag) -> str:
        return UNREAD if tag.manifest is None else UNKNOWN_AGE[self.by]

    def __str__(self) -> str:
        return f"{SINCE[self.by]} less than {reading.spoken(self.than)} ago{self._of}"


@dataclass(frozen=True)
class Older(Rule):
    """Drops what is older than so many seconds; what has no date only with `unknown` drop."""

    verb, kind = "drop", "older"

    than: int = 0
    by: str = CREATED
    unknown: str = "keep"

    @property
    def asks(self) -> frozenset[str]:
        return field_of(self.by)

    @classmethod
    def read(cls, given: Reader) -> "Older":
        return cls(choice=Choice.read(given), **age(given))

    def values(self) -> dict[str, Any]:
        return age_values(self.than, self.by, self.unknown)

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        value, since = value_of(self.by, moment), moment.now - self.than
        unsure = None if self.unknown == "keep" else True

        def test(tag: Tag) -> bool | None:
            at = value(tag)
            if tag.manifest is None:
                return None
            return unsure if at is None else at <= since

        return each(self.choice, tags, test)

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        at = value_of(self.by, moment)(tag)
        return f"{SINCE[self.by]} {ago(at, moment)}" if at is not None else f"its age is unknown{self._of}"

    def doubt(self, tag: Tag) -> str:
        return UNREAD if tag.manifest is None else UNKNOWN_AGE[self.by]

    def __str__(self) -> str:
        return f"{SINCE[self.by]} more than {reading.spoken(self.than)} ago{self._of}"


@dataclass(frozen=True)
class Pulled(Rule):
    """Keeps what was pulled within so many seconds; and while pulls haven't been told of for so long, all
    that isn't known to have been."""

    verb, kind = "keep", "pulled"
    needs = frozenset({"pulled"})

    within: int = 0
    unknown: str = "keep"

    @classmethod
    def read(cls, given: Reader) -> "Pulled":
        return cls(
            within=given.take("within", reading.length),
            unknown=given.take("unknown", reading.one_of("keep", "drop"), "keep"),
            choice=Choice.read(given),
        )

    def values(self) -> dict[str, Any]:
        usual = {} if self.unknown == "keep" else {"unknown": self.unknown}
        return {"within": reading.written(self.within)} | usual

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        since = moment.now - self.within
        told = moment.told_since is not None and moment.told_since <= since
        otherwise = False if told or self.unknown == "drop" else None

        def test(tag: Tag) -> bool | None:
            if tag.pulled is not None and tag.pulled > since:
                return True
            return None if tag.manifest is None else otherwise

        return each(self.choice, tags, test)

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        return f"pulled {ago(tag.pulled, moment)}"

    def doubt(self, tag: Tag) -> str:
        return UNREAD if tag.manifest is None else UNTOLD

    def __str__(self) -> str:
        return f"pulled within {reading.spoken(self.within)}{self._of}"


@dataclass(frozen=True)
class NotPulled(Rule):
    """Drops what nobody pulled for so many seconds, and was there all that time."""

    verb, kind = "drop", "not-pulled"
    needs = frozenset({"pulled", "first_seen"})

    length: int = 0

    @classmethod
    def read(cls, given: Reader) -> "NotPulled":
        return cls(length=given.take("for", reading.length), choice=Choice.read(given))

    def values(self) -> dict[str, Any]:
        return {"for": reading.written(self.length)}

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        since = moment.now - self.length
        told = moment.told_since is not None and moment.told_since <= since

        def test(tag: Tag) -> bool | None:
            if any(at is not None and at > since for at in (tag.pulled, tag.first_seen)):
                return False
            known = told and tag.first_seen is not None and tag.manifest is not None
            return True if known else None

        return each(self.choice, tags, test)

    def why(self, tag: Tag, rank: int, moment: Moment) -> str:
        if tag.pulled is not None:
            return f"not pulled for {reading.spoken(moment.now - tag.pulled)}"
        since = moment.now - max(moment.told_since or 0, tag.first_seen or 0)
        return f"not pulled for at least {reading.spoken(since)}"

    def doubt(self, tag: Tag) -> str:
        return UNREAD if tag.manifest is None else UNTOLD

    def __str__(self) -> str:
        return f"not pulled for {reading.spoken(self.length)}{self._of}"


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
            return tag.labels.get(key) == value if has_value else key in tag.labels

        return each(self.choice, tags, test)

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
    """Drops pre-releases whose release is there, in the same variant."""

    verb, kind = "drop", "pre-releases"

    def find(self, tags: Sequence[Tag], moment: Moment) -> Found:
        there = {found.release for tag in tags if (found := versions.version(tag.name)) and not found.pre}

        def test(tag: Tag) -> bool:
            found = versions.version(tag.name)
            return found is not None and bool(found.pre) and found.release in there

        return each(self.choice, tags, test)

    def __str__(self) -> str:
        return f"pre-release whose release exists{self._of}"


KINDS: dict[tuple[str, str], type[Rule]] = {
    (rule.verb, rule.kind): rule
    for rule in (
        Newest,
        Younger,
        Pulled,
        Matching,
        Versions,
        Labelled,
        Protected,
        InUse,
        Older,
        NotPulled,
        PreReleases,
        DropMatching,
    )
}


def read(value: object, path: Path) -> Rule:
    """The rule that plain values are; raises `Invalid`."""
    given = Reader.of(value, path, "a rule")
    verbs = [verb for verb in ("keep", "drop") if verb in given.given]
    if len(verbs) != 1:
        raise Invalid(path, "A rule has either keep or drop, with what it is about.")
    kinds = [kind for verb, kind in KINDS if verb == verbs[0]]
    kind = given.take(verbs[0], reading.one_of(*kinds))
    if given.wrong:  # what else may stand there hangs on it
        raise Invalid.of(given.wrong)
    rule = KINDS[verbs[0], kind].read(given)
    given.end()
    return rule


def age(given: Reader) -> dict[str, Any]:
    return {
        "than": given.take("than", reading.length),
        "by": given.take("by", reading.one_of(CREATED, FIRST_SEEN, PUSHED), CREATED),
        "unknown": given.take("unknown", reading.one_of("keep", "drop"), "keep"),
    }


def age_values(than: int, by: str, unknown: str) -> dict[str, Any]:
    given = {"than": reading.written(than)}
    given |= {} if by == CREATED else {"by": by}
    return given | ({} if unknown == "keep" else {"unknown": unknown})


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


def ago(at: int | None, moment: Moment) -> str:
    """How long ago that was."""
    return "at a time unknown" if at is None else f"{reading.spoken(max(moment.now - at, 0))} ago"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    last = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{last}"
