"""What rules are asked about: one tag, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

NOTHING: Mapping[str, str] = {}


class Half(dict[str, str]):
    """Labels of an image of which a part couldn't be read: there may be more of them."""


class Tag(NamedTuple):
    """A tag of one repository. Moments are seconds since 1970; None is unknown, and so is whatever an image
    says that can't be true, such as 1970 itself. `manifest` tells whether two tags are on one image; None
    while the tag hasn't been read. `first_seen` is when it was first seen on that image. Rules that don't ask
    for something don't need it filled in (`Policy.needs`)."""

    name: str
    manifest: int | None = None
    created: int | None = None
    first_seen: int | None = None
    pushed: int | None = None
    pulled: int | None = None
    labels: Mapping[str, str] = NOTHING
    protected: str = ""
    used: str = ""


@dataclass(frozen=True)
class Moment:
    """When a decision is taken, and since when notifications of pulls have come in without a known gap: None
    when they don't. Both in seconds since 1970."""

    now: int
    told_since: int | None = None
