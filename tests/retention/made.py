"""Tags and policies, made of few words."""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from regui.retention.deciding import Decision, Other, decide
from regui.retention.policy import Policy
from regui.retention.tags import Moment, Tag

DAY = 86_400
NOW = 20_000 * DAY
TOLD = Moment(NOW, told_since=NOW - 1_000 * DAY)
UNTOLD = Moment(NOW)


def policy(*rules: dict[str, Any], otherwise: str = "keep", name: str = "tidy", **more: Any) -> Policy:
    given = {"name": name, "registry": "main", "repositories": ["**"], "rules": rules, "otherwise": otherwise}
    return Policy.read({**given, **more})


def tag(name: str, days: int | None = None, manifest: int | None = -1, **fields: Any) -> Tag:
    """A tag on an image created so many days ago, read unless `manifest` is None, and on one of its own
    unless it says which."""
    created = None if days is None else NOW - days * DAY
    image = crc32(name.encode()) if manifest == -1 else manifest
    return Tag(name, image, created, **fields)


def ago(days: int) -> int:
    return NOW - days * DAY


def verdicts(
    tags: Sequence[Tag],
    *rules: dict[str, Any],
    otherwise: str = "keep",
    moment: Moment = TOLD,
    others: tuple[Other, ...] = (),
) -> Decision:
    return decide(policy(*rules, otherwise=otherwise), tags, moment, others)


def kept(decision: Decision) -> list[str]:
    pairs = zip(decision.tags, decision.verdicts, strict=True)
    return [one.name for one, verdict in pairs if verdict.keep]


def dropped(decision: Decision) -> list[str]:
    return [one.name for one in decision.dropped]


def reasons(decision: Decision) -> dict[str, str]:
    return {one.name: decision.reason(place) for place, one in enumerate(decision.tags)}
