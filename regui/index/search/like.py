"""SQL's LIKE, which Django has only in halves: with a pattern of our own, regardless of case, and in the form
that PostgreSQL's trigram index serves."""

import re
from typing import Any

from django.db.models import CharField, Lookup, TextField
from django.db.models.sql.compiler import SQLCompiler


@CharField.register_lookup
@TextField.register_lookup
class Like(Lookup):  # type: ignore[type-arg]
    """`name__like="v1.%"`: `%` is any text, `_` one character, `\\` stands before what is meant literally."""

    lookup_name = "like"

    def as_sql(self, compiler: SQLCompiler, connection: Any, operator: str = "LIKE") -> tuple[str, list[Any]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} {operator} {right} ESCAPE '\\'", [*left_params, *right_params]

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        return self.as_sql(compiler, connection, "ILIKE")


def literal(text: str) -> str:
    """The pattern that only this text fits."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def glob(text: str) -> str:
    """The pattern for a glob: `*` is any text, `?` one character, anything else itself."""
    return re.sub(r"\*+", "%", literal(text)).replace("?", "_")
