"""Full-text tables of SQLite's that hold no text, only which rows each token is in: an index over many values
of a row, kept by triggers, so that no writer can forget it.

They are no migration's: an SQLite table that Django alters is a new one that has lost its triggers. `ensure`
looks after every `migrate` and mends what is missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import connection, transaction

CHUNK = 1_500


@dataclass(frozen=True)
class FullText:
    """Such a table: what makes it and its triggers, whose names begin with its own, and what fills it."""

    name: str
    create: str
    triggers: Mapping[str, str]
    fill: str

    def ensure(self) -> None:
        """See to it that it is there and kept; build it anew when it was not."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE %s", [f"{self.name}%"])
            there = {name for (name,) in cursor.fetchall()}
            if there >= {self.name, *self.triggers}:
                return
            for name in self.triggers:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"DROP TABLE IF EXISTS {self.name}")
            for statement in (self.create, *self.triggers.values(), self.fill):
                cursor.execute(statement)

    def keys(self, expression: str, most: int = -1) -> Iterator[list[int]]:
        """The keys of rows that fit a full-text query, the latest first, by the handful; no more than so
        many, unless that is negative."""
        match = f"SELECT rowid FROM {self.name} WHERE {self.name} MATCH %s ORDER BY rowid DESC LIMIT %s"  # noqa: S608 — made of constants
        with connection.cursor() as cursor:
            cursor.execute(match, [expression, most])
            while chunk := cursor.fetchmany(CHUNK):
                yield [key for (key,) in chunk]
