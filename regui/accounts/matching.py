"""What patterns mean for rows: conditions, or True for all of them and False for none."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db.models import BooleanField, Case, CharField, Lookup, Q, QuerySet, Transform, Value, When
from django.db.models.sql.compiler import SQLCompiler

from regui.patterns import ANYWHERE

Rows = TypeVar("Rows", bound="QuerySet[Any]")

SPACE = re.compile(r"[^/*?]+/\*\*")
WILD = {"*": "[^/]*", "?": "[^/]"}
# So many rules are put one into the other, which lets a database use its indexes.
FEW = 20


@CharField.register_lookup
class Below(Lookup):  # type: ignore[type-arg]
    """`name__below="team/"`: that the name begins like that, in upper and lower case as written. Django's own
    `startswith` is `LIKE`, which on SQLite takes Team/ for team/."""

    lookup_name = "below"

    def get_prep_lookup(self) -> str:
        return str(self.rhs)

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} LIKE %s ESCAPE '\\'", [*params, re.sub(r"([\\%_])", r"\\\1", str(self.rhs)) + "%"]

    def as_sqlite(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        """As what lies between it and the next text of that length: an index serves that, too."""
        left, params = self.process_lhs(compiler, connection)
        first = str(self.rhs)
        beyond = f"{first[:-1]}{chr(ord(first[-1]) + 1)}"
        return f"({left} >= %s AND {left} < %s)", [*params, first, *params, beyond]


@CharField.register_lookup
class Space(Transform):
    """`name__space`: the first part of a name with the slash behind it; empty for a name of one part."""

    lookup_name = "space"
    output_field = CharField()

    def as_sql(self, compiler: SQLCompiler, connection: Any, *_: Any, **__: Any) -> tuple[str, list[Any]]:
        name, params = compiler.compile(self.lhs)
        place = "INSTR" if connection.vendor == "sqlite" else "STRPOS"
        return f"SUBSTR({name}, 1, {place}({name}, '/'))", [*params, *params]


def condition(pattern: str, field: str) -> Q | bool:
    """The rows whose `field` is the name of a repository that the pattern covers. See
    `patterns.covers_repository`, which says the same of one name."""
    if pattern == ANYWHERE:
        return True
    if not set(pattern) & set(WILD):
        return Q(**{field: pattern})
    start, _, rest = pattern.partition("*")
    if rest == "*" and start.endswith("/") and "?" not in start:
        return Q(**{f"{field}__below": start})
    whole = Q(**{f"{field}__regex": regex(pattern)})
    # Of those that begin otherwise none need be held against it, which for SQLite is Python's to do.
    head = re.split(r"[*?]", pattern)[0]
    return Q(**{f"{field}__below": head}) & whole if head else whole


def is_space(pattern: str) -> bool:
    """Whether it is all of a namespace: `team/**`."""
    return bool(SPACE.fullmatch(pattern))


def spaces(patterns: Sequence[str], field: str) -> Q | bool:
    """The rows of these namespaces; of more than a few in one look however many they are."""
    if len(patterns) <= FEW:
        return any_of(condition(pattern, field) for pattern in patterns)
    return Q(**{f"{field}__space__in": [pattern.removesuffix(ANYWHERE) for pattern in patterns]})


def regex(pattern: str) -> str:
    """A regular expression for the same names, in the words that Python's and PostgreSQL's share."""
    *parts, last = pattern.split("/")
    found = "".join("([^/]+/)*" if part == ANYWHERE else f"{of_part(part)}/" for part in parts)
    return f"^{found}{'.+' if last == ANYWHERE else of_part(last)}$"


def of_part(part: str) -> str:
    return "".join(WILD.get(character) or re.escape(character) for character in part)


def any_of(some: Iterable[Q | bool]) -> Q | bool:
    """What at least one of the conditions is true of."""
    found = list(some)
    if True in found:
        return True
    whole = [one for one in found if isinstance(one, Q)]
    return Q(*whole, _connector=Q.OR) if whole else False


def both(one: Q | bool, other: Q | bool) -> Q | bool:
    if isinstance(one, bool):
        return one and other
    if isinstance(other, bool):
        return other and one
    return one & other


def negated(one: Q | bool) -> Q | bool:
    return not one if isinstance(one, bool) else ~one


def first_of(rules: Sequence[tuple[Q | bool, bool]]) -> Q | bool:
    """What the first of the rules says that is about a row: each is a condition and the answer. Nothing for a
    row that none is about."""
    if len(rules) > FEW:
        return in_turn(rules)
    found: Q | bool = False
    for condition_, answer in reversed(rules):
        found = any_of([condition_, found]) if answer else both(negated(condition_), found)
    return found


def in_turn(rules: Sequence[tuple[Q | bool, bool]]) -> Q | bool:
    """The same for many rules, none put into another: SQLite goes a thousand levels deep at most, and Python
    hardly further."""
    cases: list[When] = []
    default = False
    for condition_, answer in rules:
        if condition_ is True:
            default = answer
            break
        if isinstance(condition_, Q):
            cases.append(When(condition_, then=Value(answer)))
    if not cases:
        return default
    return Q(Case(*cases, default=Value(default), output_field=BooleanField()))


def those(rows: Rows, which: Q | bool) -> Rows:
    """The rows that the condition is true of."""
    if isinstance(which, bool):
        return rows if which else rows.none()
    return rows.filter(which)
