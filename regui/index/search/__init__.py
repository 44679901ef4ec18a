"""The search language: `parse` a text into a `Query`, then let it through to rows. See docs/search.md."""

from regui.index.search.parse import EXAMPLES, LONGEST, parse
from regui.index.search.plain import DIGEST_PREFIX, match, matching, words
from regui.index.search.query import Answer, Query, Wrong
from regui.index.search.rows import repositories, revisions, tags

__all__ = [
    "DIGEST_PREFIX",
    "EXAMPLES",
    "LONGEST",
    "Answer",
    "Query",
    "Wrong",
    "match",
    "matching",
    "parse",
    "repositories",
    "revisions",
    "tags",
    "words",
]
