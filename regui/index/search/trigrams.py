"""The index over parts of tags' names, so that a word is found among half a million of them without reading
them all.

SQLite: a full-text table of every three characters in a row, with no copy of the names, kept by triggers. A
name stands in it between `^` and `$`, which no name contains, so that its beginning and end can be asked for;
companions of digests (signatures …) are left out. PostgreSQL: indexes of the extension pg_trgm, which may not
be there, so that they are no migration's either.
"""

import string
from collections.abc import Sequence

from django.db import DatabaseError, connection, transaction

from regui.index.models import Tag
from regui.index.search.fulltext import FullText
from regui.index.search.query import Text
from regui.index.search.terms import reference

NAMES = FullText(
    "index_tag_trigrams",
    create="""CREATE VIRTUAL TABLE index_tag_trigrams
        USING fts5(name, content='', columnsize=0, detail='none', tokenize='trigram')""",
    triggers={
        "index_tag_trigrams_insert": """CREATE TRIGGER index_tag_trigrams_insert
        AFTER INSERT ON index_tag WHEN NOT new.folded BEGIN
            INSERT INTO index_tag_trigrams (rowid, name) VALUES (new.id, '^' || new.name || '$');
        END""",
        "index_tag_trigrams_delete": """CREATE TRIGGER index_tag_trigrams_delete
        AFTER DELETE ON index_tag WHEN NOT old.folded BEGIN
            INSERT INTO index_tag_trigrams (index_tag_trigrams, rowid, name)
            VALUES ('delete', old.id, '^' || old.name || '$');
        END""",
    },
    fill="""INSERT INTO index_tag_trigrams (rowid, name)
        SELECT id, '^' || name || '$' FROM index_tag WHERE NOT folded""",
)
# What can follow in a tag's name, without regard to case, or end it.
FOLLOWING = string.ascii_lowercase + string.digits + "._-$"


def ensure(**_: object) -> None:
    """See to it that the index is there and kept. Called after `migrate`."""
    if Tag._meta.db_table not in connection.introspection.table_names():
        return  # the app's tables are on their way out
    if connection.vendor == "postgresql":
        ensure_postgresql()
    else:
        NAMES.ensure()


def ensure_postgresql() -> None:
    """Without the right to add the extension names are compared one by one: slower, never wrong."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for table in ("index_tag", "index_repository"):
                cursor.execute(
                    f"CREATE INDEX IF NOT EXISTS {table}_name_trigrams "
                    f"ON {table} USING gin (name gin_trgm_ops)"
                )
    except DatabaseError:
        return


def expression(text: Text) -> str:
    """The full-text query that every tag whose name fits the text also fits; empty when the text is too
    short, or the database has no such table."""
    if connection.vendor != "sqlite":
        return ""
    return " AND ".join(part for fragment in fragments(text) if (part := holding(fragment)))


def fragments(text: Text) -> list[str]:
    """What a name with its marks has to hold, for a text to fit it."""
    both = reference(text)
    whole = text.text.rpartition(":")[2] if both else text.text
    if text.glob:
        return f"^{whole}$".replace("?", "*").split("*")
    # One letter is nearly everywhere, so it is meant as the beginning.
    return [f"^{whole}"] if both or len(whole) == 1 else [whole]


def holding(fragment: str) -> str:
    """The full-text query for names that hold a fragment, or at least its trigrams; empty for one letter."""
    fragment = fragment.lower()
    if len(fragment) == 2:
        return f"({' OR '.join(phrase(fragment + after) for after in FOLLOWING)})"
    return " AND ".join(phrase(fragment[at : at + 3]) for at in range(len(fragment) - 2))


def phrase(text: str) -> str:
    escaped = text.replace('"', '""')
    return f'"{escaped}"'


def both(expressions: Sequence[str]) -> str:
    return " AND ".join(f"({one})" for one in expressions)
