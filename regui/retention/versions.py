"""Names of tags as versions. Many images put a variant behind the number (`1.2-alpine`), which is no
pre-release; what says that it comes before the release does so by a word such as rc or beta."""

import re
from functools import lru_cache
from typing import NamedTuple

import semantic_version

# Numbers with dots, or one with a v before it, or up to four digits: longer ones are dates, builds, commits.
NUMBERS = (
    r"(?:[vV](?P<v>[0-9]{1,9}(?:\.[0-9]{1,9})*)|(?P<dots>[0-9]{1,9}(?:\.[0-9]{1,9})+)|(?P<one>[0-9]{1,4}))"
)
PRE = (
    r"(?:[-._]?(?P<pre>(?:alpha|beta|preview|pre|rc|cr|dev|snapshot|nightly|canary|milestone|next|ea|a|b|m)"
    r"(?:[-.]?[0-9]+)*)(?![A-Za-z0-9.]))"
)
VERSION = re.compile(rf"{NUMBERS}{PRE}?(?:[-_](?P<variant>[A-Za-z0-9_.-]+))?", re.IGNORECASE)
DIGITS = re.compile(r"([0-9]+)")


class Version(NamedTuple):
    """A tag's numbers, what comes before the release ("rc1", empty for one), and its variant ("alpine")."""

    numbers: tuple[int, ...]
    pre: str
    variant: str

    @property
    def order(self) -> tuple[tuple[int, ...], bool, list[tuple[int, str]]]:
        """What versions are ordered by: 1.2 as 1.2.0, and pre-releases before their release."""
        numbers = self.numbers
        while len(numbers) > 1 and numbers[-1] == 0:
            numbers = numbers[:-1]
        parts = DIGITS.split(self.pre)
        return numbers, not self.pre, [(int(one), "") if one.isdecimal() else (-1, one) for one in parts]

    @property
    def release(self) -> "Version":
        """What a pre-release becomes; the version itself for a release. 1.2 and 1.2.0 are the same."""
        return Version(self.order[0], "", self.variant)


@lru_cache(100_000)
def version(tag: str) -> Version | None:
    """The version that a tag is; None for one that is none."""
    found = VERSION.fullmatch(tag)
    if found is None:
        return None
    numbers = found["v"] or found["dots"] or found["one"]
    return Version(
        tuple(map(int, numbers.split("."))), (found["pre"] or "").lower(), (found["variant"] or "").lower()
    )


def span(text: object) -> semantic_version.NpmSpec:
    """A range of versions, as npm writes them: `>=1.2 <2`, `^1.4`, `1.x || 2.x`."""
    try:
        return semantic_version.NpmSpec(str(text))
    except ValueError as error:
        raise ValueError("must be a range of versions such as >=1.2 <2 or ^1.4") from error


def inside(range_: semantic_version.NpmSpec, found: Version) -> bool:
    """Whether a version lies in that range: by its first three numbers, whatever its variant."""
    major, minor, patch = (*found.numbers, 0, 0)[:3]
    pre = re.sub(r"[^0-9a-z]+", ".", re.sub(r"(?<=[a-z])(?=[0-9])", ".", found.pre))
    pre = ".".join(str(int(one)) if one.isdecimal() else one for one in pre.split(".") if one)
    return bool(range_.match(semantic_version.Version(f"{major}.{minor}.{patch}{f'-{pre}' if pre else ''}")))
