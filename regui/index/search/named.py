"""What a query lets through of rows that keep names, not keys: moves of tags, and the journal. They know of
tags, repositories and digests, but nothing of what these are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from regui.index.search import terms
from regui.index.search.query import Digest, Query, Term, Text, Where

Rows = TypeVar("Rows", bound=QuerySet[Any, Any])

# What can be asked of such rows, besides words.
KEYS = ("tag", "repo", "digest")


@dataclass(frozen=True)
class Names:
    """The fields with names of tags, of repositories, and with digests; words are looked for in those of tags
    and in `others`. A path to many rows may stand for a field: then one of them has to match."""

    tags: Collection[str]
    repositories: Collection[str]
    digests: Collection[str]
    others: Collection[str] = ()


def named(rows: Rows, query: Query, names: Names) -> Rows:
    """The rows that every term holds for."""
    every = rows.order_by()
    for term in query.terms:
        # By key, so that a path to many rows repeats none.
        found = Q(pk__in=every.filter(asked(term, names)).values("pk"))
        rows = rows.filter(terms.turned(term, found))
    return rows


def asked(term: Term, names: Names) -> Q:
    """What a term asks of a row, its minus aside."""
    match term:
        case Text(where=Where.TAG):
            return any_of(terms.named(field, term) for field in names.tags)
        case Text(where=Where.REPOSITORY):
            return any_of(terms.named(field, term) for field in names.repositories)
        case Text():
            return word(term, names)
        case Digest():
            return any_of(terms.begins(field, term) for field in names.digests)
        case _:
            return terms.NEVER


def word(text: Text, names: Names) -> Q:
    """That one of the names holds that text, or a digest begins like that, or it names repository and tag."""
    found = any_of(terms.named(field, text) for field in (*names.tags, *names.others))
    if both := terms.reference(text):
        there = any_of(Q(**{f"{field}__like": both[0]}) for field in names.repositories)
        found |= there & any_of(Q(**{f"{field}__like": both[1]}) for field in names.tags)
    if digest := terms.hexadecimal(text):
        found |= any_of(terms.begins(field, digest) for field in names.digests)
    return found


def any_of(some: Iterable[Q]) -> Q:
    return reduce(or_, some)
