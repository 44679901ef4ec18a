"""Patterns for names, as people write them: `*` is anything within a part of a path, `**` any number of
parts; `?` is one character, and everything else is itself. There is no more to it, so each can be read
aloud."""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase, translate

# Patterns of repositories, and of tags.
Pairs = tuple[tuple[str, str], ...]
NONE: Pairs = ()

ANYWHERE = "**"
LONGEST_TAG, LONGEST_REPOSITORY = 128, 255
TAG = re.compile(r"[A-Za-z0-9_.*?-]+")
PART = re.compile(r"[A-Za-z0-9_.*?-]+")


def covers_tag(pattern: str, tag: str) -> bool:
    """Whether the tag is one of those that the pattern means, in upper and lower case as written."""
    return fnmatchcase(tag, pattern)


def any_tag(patterns: Iterable[str]) -> Callable[[str], object]:
    """Says of a tag whether any of the patterns means it: for many tags at a time."""
    return re.compile("|".join(f"(?:{translate(one)})" for one in patterns)).match


def covers_repository(pattern: str, name: str) -> bool:
    """Whether the repository is one of those that the pattern means: `team/*` are those right under team,
    `team/**` all under it, `**/app` every one whose last part is app, `**` every one."""
    path, parts = name.split("/"), pattern.split("/")
    # How many parts of the name may be spoken for so far.
    spoken = {0}
    for place, part in enumerate(parts):
        if not spoken:
            return False
        if part == ANYWHERE:
            least = min(spoken) + (place == len(parts) - 1)  # what ends in it means what is below
            spoken = set(range(least, len(path) + 1))
        else:
            spoken = {count + 1 for count in spoken if count < len(path) and fnmatchcase(path[count], part)}
    return len(path) in spoken


def literals(pattern: str) -> int:
    """How particular a pattern is: how many of its characters are themselves."""
    return sum(character not in "*?" for character in pattern)


def check_tags(text: str) -> str:
    """The pattern itself; ValueError, with a sentence's end, when no tag could be meant by it."""
    if len(text) > LONGEST_TAG or not TAG.fullmatch(text):
        raise ValueError("must be a tag, or a pattern of tags such as v* or prod-?")
    return text


def check_repositories(text: str) -> str:
    """The same for repositories."""
    parts = text.split("/")
    odd = [part for part in parts if not PART.fullmatch(part) or (ANYWHERE in part and part != ANYWHERE)]
    if len(text) > LONGEST_REPOSITORY or odd:
        raise ValueError("must be a repository, or a pattern of repositories such as team/* or team/**")
    return text


def parse(text: str) -> Pairs:
    """Patterns of repositories and of tags from words with commas or white space between them: each is a
    pattern of tags, or has one of repositories before it, with a colon. ValueError as of the checks."""
    found: dict[tuple[str, str], None] = {}
    for word in filter(None, re.split(r"[\s,]+", text)):
        repositories, colon, tags = word.rpartition(":")
        where = check_repositories(repositories) if colon else ANYWHERE
        found.setdefault((where, check_tags(tags)))
    return tuple(found)
