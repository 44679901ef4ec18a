"""Names of tags as versions: in which order they stand, and which of them are releases."""

import re

NUMBER = re.compile(r"([0-9]+)")
# With dots between numbers, a v before one, or a number of up to four digits alone: longer ones are dates,
# builds and commits more often than versions.
RELEASE = re.compile(r"[vV][0-9]+(\.[0-9]+)*|[0-9]+(\.[0-9]+)+|[0-9]{1,4}")
# Characters that no tag has, put for a dash and for the end behind a number: so 1.2-rc1 comes before 1.2, and
# that before 1.2.1, whose dot follows both.
DASH, END = ",", "-"


def name_key(name: str) -> bytes:
    """What tags' names are ordered by, byte by byte on any database: numbers by their value, letters
    regardless of case, what follows a dash before what lacks it, and no difference made by a v before a
    number."""
    name = name.lower()
    if name[:1] == "v" and name[1:2].isdecimal():
        name = name[1:]
    parts = NUMBER.split(name.replace("-", DASH))
    # A number stands behind its length, which is compared first; among tags' names it is at most 128.
    parts[1::2] = (
        chr(ord("0") + len(digits)) + digits for digits in (one.lstrip("0") for one in parts[1::2])
    )
    return "".join([*parts, "" if parts[-1] else END]).encode("latin-1", "replace")


def is_release(name: str) -> bool:
    """Whether a name is a version as such: 1.2.3, v2 or 2024.01, with nothing before or behind."""
    return RELEASE.fullmatch(name) is not None
