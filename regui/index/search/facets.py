"""The index over what manifests are: kinds, platforms and labels, so that what is rare among them is found
without reading them all.

SQLite: a full-text table of tokens made of these. A token may stand for more than one value (of a label's,
only the beginning and the end are in it), so what is found has to be looked at. PostgreSQL: an index for
each; that over platforms needs the extension pg_trgm, or else they are read through.
"""

import re
from collections.abc import Sequence

from django.db import connection
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from regui.index.models import Manifest
from regui.index.search import terms
from regui.index.search.fulltext import FullText
from regui.index.search.query import Label, Platform, Type

Facet = Label | Platform | Type
# How much of a label's name, and of its value at either end, is in a token.
NAME, ENDS = 64, 4


def tokens(row: str) -> str:
    """The SQL for the tokens of a manifest's row."""
    key = f"'k' || hex(substr(key, 1, {NAME}))"
    value = f"hex(substr(value, 1, {ENDS}) || substr(value, -{ENDS}))"
    return f"""'t' || {row}.kind
        || ' ' || COALESCE((SELECT group_concat('p' || replace(value, '/', ' p'), ' ')
            FROM json_each({row}.platforms)), '')
        || ' ' || COALESCE((SELECT group_concat({key} || ' ' || {key} || 'v' || {value}, ' ')
            FROM json_each({row}.labels)), '')"""  # noqa: S608 — made of constants


ADD = f"INSERT INTO index_manifest_facets (rowid, facets) SELECT new.id, {tokens('new')} WHERE new.kind <> ''"
REMOVE = f"""INSERT INTO index_manifest_facets (index_manifest_facets, rowid, facets)
    SELECT 'delete', old.id, {tokens("old")} WHERE old.kind <> ''"""
FACETS = FullText(
    "index_manifest_facets",
    create="""CREATE VIRTUAL TABLE index_manifest_facets
        USING fts5(facets, content='', columnsize=0, detail='none', tokenize='unicode61')""",
    triggers={
        "index_manifest_facets_insert": f"""CREATE TRIGGER index_manifest_facets_insert
        AFTER INSERT ON index_manifest WHEN new.kind <> '' BEGIN {ADD}; END""",
        "index_manifest_facets_update": f"""CREATE TRIGGER index_manifest_facets_update
        AFTER UPDATE OF kind, platforms, labels ON index_manifest
        WHEN (old.kind, old.platforms, old.labels) IS NOT (new.kind, new.platforms, new.labels)
        BEGIN {REMOVE}; {ADD}; END""",
        "index_manifest_facets_delete": f"""CREATE TRIGGER index_manifest_facets_delete
        AFTER DELETE ON index_manifest WHEN old.kind <> '' BEGIN {REMOVE}; END""",
    },
    fill=f"""INSERT INTO index_manifest_facets (rowid, facets)
        SELECT id, {tokens("index_manifest")} FROM index_manifest WHERE kind <> ''""",  # noqa: S608 — as above
)
POSTGRESQL = {
    "index_manifest_kind": "btree (kind)",
    "index_manifest_labels": "gin (labels)",
    "index_manifest_platforms": "gin ((platforms::text) gin_trgm_ops)",
}


def ensure(**_: object) -> None:
    """See to it that the index is there and kept. Called after `migrate`."""
    if Manifest._meta.db_table not in connection.introspection.table_names():
        return  # the app's tables are on their way out
    if connection.vendor == "sqlite":
        FACETS.ensure()
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        trigrams = cursor.fetchone() is not None
        for name, indexed in POSTGRESQL.items():
            if trigrams or "trgm" not in indexed:
                cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON index_manifest USING {indexed}")


def expression(facets: Sequence[Facet]) -> str:
    """The full-text query that every manifest fits which has all of these."""
    return " AND ".join(f'"{token}"' for facet in facets for token in asked(facet))


def asked(facet: Facet) -> list[str]:
    """The tokens of every manifest that has it."""
    match facet:
        case Type():
            return [f"t{facet.kind}"]
        case Platform():
            # Of `10.0.1` the tokenizer makes three, the first of them with the mark.
            return [word for part in facet.name.split("/") for word in re.findall("[a-z0-9]+", f"p{part}")]
        case Label(value=None):
            return [f"k{encoded(facet.key[:NAME])}"]
        case Label():
            assert facet.value is not None
            ends = facet.value[:ENDS] + facet.value[-ENDS:]
            return [f"k{encoded(facet.key[:NAME])}v{encoded(ends)}"]


def encoded(text: str) -> str:
    return text.encode(errors="replace").hex()


def few(facets: Sequence[Facet], most: int) -> list[int]:
    """The keys of the manifests that may have all of these, of no more than so many."""
    if connection.vendor == "sqlite":
        return [key for chunk in FACETS.keys(expression(facets), most) for key in chunk]
    rows = Manifest.objects.filter(*map(served, facets))
    return list(rows.values_list("pk", flat=True)[:most])


def served(facet: Facet) -> Q:
    """That a manifest has it, as PostgreSQL's indexes serve that."""
    match facet:
        case Type():
            return Q(kind=facet.kind)
        case Platform():
            return terms.one_of(Cast("platforms", TextField()), facet)
        case Label(value=None):
            return Q(labels__has_key=facet.key)
        case Label():
            return Q(labels__contains={facet.key: facet.value})
