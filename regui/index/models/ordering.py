"""What lists are ordered by."""

from django.db.models import Case, F, OrderBy, Q, Value, When


def by_key(column: str, descending: bool) -> list[OrderBy]:
    """A key's order, negative ones (what has no value, the more so the smaller) last in either direction.

    Falling, that is the key's own order and an index gives it; rising, the rows have to be sorted.
    """
    if descending:
        return [F(column).desc()]
    lack = Case(When(Q(**{f"{column}__lt": 0}), then=-F(column)), default=Value(0))
    return [lack.asc(), F(column).asc()]
