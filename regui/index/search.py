"""What a filter box means. A word matches anywhere in a name; one with `*` or `?` is the pattern of a whole
name; several words must all match; `sha256:…` matches tags on a digest that begins like that. Upper and lower
case are the same."""

import re
from typing import Any, TypeVar

from django.db.models import CharField, Lookup, Model, Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from regui.index.models import RepositoryQuerySet, TagQuerySet

M = TypeVar("M", bound=Model)

DIGEST_PREFIX = re.compile(r"(?:sha256|sha384|sha512):[0-9a-f]*")
LONGEST, MOST = 200, 10


@CharField.register_lookup
class Like(Lookup):  # type: ignore[type-arg]
    """`name__like="v1.%"`: SQL's own pattern, `\\` before what is meant literally, regardless of case."""

    lookup_name = "like"
    operator = "LIKE"

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} {self.operator} {right} ESCAPE '\\'", [*left_params, *right_params]

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        self.operator = "ILIKE"
        return self.as_sql(compiler, connection)


def repositories(rows: RepositoryQuerySet, text: str) -> RepositoryQuerySet:
    """The repositories whose name matches every word; all of them for no words."""
    return matching(rows, text, "name")  # type: ignore[return-value]


def tags(rows: TagQuerySet, text: str) -> TagQuerySet:
    """The tags whose name, or whose digest, matches every word; all of them for no words."""
    for word in words(text):
        if DIGEST_PREFIX.fullmatch(word):
            rows = rows.filter(manifest__digest__startswith=word)
        else:
            rows = rows.filter(match(word, "name"))
    return rows


def matching(rows: QuerySet[M], text: str, field: str) -> QuerySet[M]:
    """The rows whose field matches every word of the text."""
    for word in words(text):
        rows = rows.filter(match(word, field))
    return rows


def words(text: str) -> list[str]:
    """The first words of a query, so many and so long that no query can be made to take for ever."""
    return [word.lower() for word in text.replace("\0", " ")[:LONGEST].split()[:MOST]]


def match(word: str, field: str) -> Q:
    """What one word asks of a field."""
    if "*" in word or "?" in word:
        return Q(**{f"{field}__like": pattern(word)})
    return Q(**{f"{field}__icontains": word})


def pattern(glob: str) -> str:
    """SQL's pattern for a glob: `*` is any text, `?` one character, anything else itself."""
    escaped = re.sub(r"([\\%_])", r"\\\1", glob)
    return re.sub(r"\*+", "%", escaped).replace("?", "_")
