"""Rules on when a tag was last pulled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regui.retention import reading
from regui.retention.reading import Reader
from regui.retention.rules.base import UNREAD, Choice, Found, Rule, ago, each
from regui.retention.tags import Moment, Tag

UNTOLD = "pulls haven't been told of without a gap for so long"


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
        return f"pulled within {reading.exact(self.within)}{self._of}"


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
            if (tag.pulled or 0) > since or (tag.first_seen or 0) > since:
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
        return f"not pulled for {reading.exact(self.length)}{self._of}"
