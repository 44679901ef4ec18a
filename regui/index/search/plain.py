"""Words alone, for lists of names that are no rows of the index: a word matches anywhere in a name, one with
`*` or `?` is the pattern of a whole name."""

import re
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from regui.index.search import like

M = TypeVar("M", bound=Model)

DIGEST_PREFIX = re.compile(r"(?:sha256|sha384|sha512):[0-9a-f]*")
LONGEST, MOST = 200, 10


def words(text: str) -> list[str]:
    """The first words of a text, so many and so long that none can be made to take for ever."""
    return [word.lower() for word in text.replace("\0", " ")[:LONGEST].split()[:MOST]]


def match(word: str, field: str) -> Q:
    """What one word asks of a field."""
    whole = "*" in word or "?" in word
    return Q(**{f"{field}__like": like.glob(word) if whole else f"%{like.literal(word)}%"})


def matching(rows: QuerySet[M], text: str, field: str) -> QuerySet[M]:
    """The rows whose field matches every word of the text."""
    for word in words(text):
        rows = rows.filter(match(word, field))
    return rows
