"""What patterns mean for rows: conditions, or True for all of them and False for none."""

import re
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from regui.patterns import ANYWHERE

Rows = TypeVar("Rows", bound="QuerySet[Any]")

WILD = {"*": "[^/]*", "?": "[^/]"}


def condition(pattern: str, field: str) -> Q | bool:
    """The rows whose `field` is the name of a repository that the pattern covers. See
    `patterns.covers_repository`, which says the same of one name."""
    if pattern == ANYWHERE:
        return True
    if not set(pattern) & set(WILD):
        return Q(**{field: pattern})
    start, _, rest = pattern.partition("*")
    if rest == "*" and start.endswith("/") and "?" not in start:
        return Q(**{f"{field}__startswith": start})
    return Q(**{f"{field}__regex": regex(pattern)})


def regex(pattern: str) -> str:
    """A regular expression for the same names, in the words that Python's and PostgreSQL's share."""
    *parts, last = pattern.split("/")
    found = "".join("([^/]+/)*" if part == ANYWHERE else f"{of_part(part)}/" for part in parts)
    return f"^{found}{'.+' if last == ANYWHERE else of_part(last)}$"


def of_part(part: str) -> str:
    return "".join(WILD.get(character) or re.escape(character) for character in part)


def either(one: Q | bool, other: Q | bool) -> Q | bool:
    if isinstance(one, bool):
        return one or other
    if isinstance(other, bool):
        return other or one
    return one | other


def both(one: Q | bool, other: Q | bool) -> Q | bool:
    if isinstance(one, bool):
        return one and other
    if isinstance(other, bool):
        return other and one
    return one & other


def negated(one: Q | bool) -> Q | bool:
    return not one if isinstance(one, bool) else ~one


def those(rows: Rows, which: Q | bool) -> Rows:
    """The rows that the condition is true of."""
    if isinstance(which, bool):
        return rows if which else rows.none()
    return rows.filter(which)
