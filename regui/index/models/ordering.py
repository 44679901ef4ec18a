"""How lists are ordered when a row may lack what they are ordered by."""

from django.db.models import F, OrderBy


def known_first(column: str, *, descending: bool) -> OrderBy:
    """That column's order, with the rows that have no value for it last in either direction."""
    return F(column).desc(nulls_last=True) if descending else F(column).asc(nulls_last=True)
