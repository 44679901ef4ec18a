"""The search language: `parse` a text into a `Query`, then let it through to rows. See docs/search.md."""

from regui.index.search.named import KEYS as NAMED
from regui.index.search.named import Names, named
from regui.index.search.parse import EXAMPLES, LONGEST, parse
from regui.index.search.query import Answer, Query, Wrong
from regui.index.search.rows import repositories, revisions, tags

__all__ = [
    "EXAMPLES",
    "LONGEST",
    "NAMED",
    "Answer",
    "Names",
    "Query",
    "Wrong",
    "named",
    "parse",
    "repositories",
    "revisions",
    "tags",
]
