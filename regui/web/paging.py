"""Pages of a list. An address that asks for nonsense gets the first page of the usual length."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

T = TypeVar("T", bound=Model)

PER_PAGE, MOST = 50, 200
CHOICES = (25, 50, 100, 200)


def paginate(request: HttpRequest, rows: QuerySet[T] | Sequence[T]) -> Page[T]:
    """The page that `?page=` and `?per_page=` ask for; past the end it is the last one."""
    return Paginator(rows, per_page(request.GET.get("per_page", ""))).get_page(number(request))


def by_key(
    request: HttpRequest,
    rows: QuerySet[T],
    count: int | None = None,
    ordered: QuerySet[T, int] | Sequence[int] | None = None,
) -> Page[T]:
    """As `paginate`, for long lists: their keys are put in order first, which an index may do by itself, then
    only the page's rows are read. `count` is how many rows there are, when that is known; `ordered` the keys,
    when the rows themselves aren't in order."""
    if ordered is None:
        ordered = rows.values_list("pk", flat=True)
    keys: Paginator[Any] = Paginator(ordered, per_page(request.GET.get("per_page", "")))
    if count is not None:
        keys.count = count
    page = keys.get_page(number(request))
    found = rows.model._default_manager.filter(pk__in=list(page))
    found.query.select_related = rows.query.select_related
    by_key = {row.pk: row for row in found}
    rows_of_page = [by_key[key] for key in page if key in by_key]
    return Page(rows_of_page, page.number, keys)


def number(request: HttpRequest) -> int:
    """Which page: the first unless told a later one."""
    return positive(request.GET.get("page", ""), 1)


def per_page(text: str) -> int:
    """How many rows: the usual number unless told one, never more than `MOST`."""
    return min(positive(text, PER_PAGE), MOST)


def positive(text: str, default: int) -> int:
    """The number from 1 on that was meant; the default where the text is none."""
    # isdecimal alone would let in other scripts' digits, and int() refuses numbers of thousands of digits.
    if not (text.isascii() and text.isdecimal() and len(text) < 10) or int(text) < 1:
        return default
    return int(text)
