"""Lists by the page. A cursor says behind which row the next one begins, by what the rows are ordered by: so
rows that come and go in between move no others, and page ten thousand costs what the first does."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, Generic, TypeVar

from django.core import signing
from django.db.models import BigIntegerField, Case, F, Field, Model, Q, QuerySet, Value, When
from django.http import HttpResponse
from ninja import Query

from regui.api.problems import Problem
from regui.api.v1.asking import Request

T = TypeVar("T", bound=Model)

SALT = "regui.api.cursor"
USUAL, MOST = 100, 1000
Limit = Annotated[int, Query(ge=1, le=MOST, description="how many rows, at most")]
Cursor = Annotated[str, Query(max_length=2000, description="`next` of the page before")]


@dataclass(frozen=True)
class By:
    """One column of an order, which no row lacks. `unknown_last`: negative values, the more so the smaller,
    come after all others, as `ordering.by_key` has it for a rising order."""

    column: str
    falling: bool = False
    unknown_last: bool = False


Order = Sequence[By]


def order(sort: str, keys: dict[str, str], last: str) -> Order:
    """The order for `[-]key`, by the columns of the keys; the last column, where no two rows are the same,
    settles ties."""
    name, falling = sort.removeprefix("-"), sort.startswith("-")
    column = keys[name]
    if column == last:
        return [By(last, falling)]
    if not column.endswith("_key") or column == "name_key":
        return [By(column, falling), By(last, falling)]
    return [By(column, falling, unknown_last=not falling), By(last)]


@dataclass(frozen=True)
class Paged(Generic[T]):
    """The rows of a page, and the cursor of the next; None when this is the last."""

    rows: list[T]
    next: str | None


def page(
    request: Request,
    response: HttpResponse,
    rows: QuerySet[T],
    columns: Order,
    cursor: str,
    limit: int,
) -> Paged[T]:
    """The page behind the cursor; the response's Link header leads to the next. Raises a problem for a cursor
    that isn't this list's."""
    rows, columns = expressed(rows, columns)
    if cursor:
        rows = rows.filter(behind(columns, read(request, rows, columns, cursor)))
    found = list(rows.order_by(*(f"{'-' * by.falling}{by.column}" for by in columns))[: limit + 1])
    if len(found) <= limit:
        return Paged(found, None)
    following = write(request, columns, found[limit - 1])
    query = request.GET.copy()
    query["cursor"] = following
    response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return Paged(found[:limit], following)


def expressed(rows: QuerySet[T], columns: Order) -> tuple[QuerySet[T], Order]:
    """The rows with a column for each part of the order: what is unknown gets one that puts it last."""
    found: list[By] = []
    for by in columns:
        if by.unknown_last:
            lack = Case(
                When(Q(**{f"{by.column}__lt": 0}), then=-F(by.column)),
                default=Value(0),
                output_field=BigIntegerField(),
            )
            rows = rows.annotate(lack=lack)
            found.append(By("lack"))
        found.append(By(by.column, by.falling))
    return rows, found


def behind(columns: Order, values: Sequence[Any]) -> Q:
    """What comes after the row with these values."""
    steps = []
    for at, by in enumerate(columns):
        same = {one.column: value for one, value in zip(columns[:at], values, strict=False)}
        steps.append(Q(**same, **{f"{by.column}__{'lt' if by.falling else 'gt'}": values[at]}))
    # Said of the first column alone, too, an index can begin there.
    first = columns[0]
    return Q(**{f"{first.column}__{'lte' if first.falling else 'gte'}": values[0]}) & reduce(or_, steps)


def write(request: Request, columns: Order, row: Model) -> str:
    """The cursor that stands behind this row: signed, so that it is this list's or nothing."""
    values = [field(row._meta.model, by).value_to_string(row) for by in columns]
    return signing.dumps(values, salt=salt(request), compress=True)


def read(request: Request, rows: QuerySet[T], columns: Order, cursor: str) -> list[Any]:
    """The values of the row that the cursor stands behind."""
    try:
        values = signing.loads(cursor, salt=salt(request))
    except signing.BadSignature:
        raise Problem(
            422,
            "bad-cursor",
            "This cursor is not one of this list.",
            "A cursor goes with the very filters and the order it came with; begin without one.",
        ) from None
    return [field(rows.model, by).to_python(value) for by, value in zip(columns, values, strict=True)]


def field(model: type[Model], by: By) -> Field[Any, Any]:
    """The field that knows how to write and read a column's values."""
    if by.column == "lack":
        lack: Field[Any, Any] = BigIntegerField()
        lack.set_attributes_from_name("lack")
        return lack
    found = model._meta.pk if by.column == "pk" else model._meta.get_field(by.column)
    assert isinstance(found, Field)
    return found


def salt(request: Request) -> str:
    """What makes a cursor this list's: its address, filters and order. The page's length may change."""
    query = {name: value for name, value in request.GET.items() if name not in {"cursor", "limit", "refresh"}}
    return "\n".join([SALT, request.path, *(f"{name}={query[name]}" for name in sorted(query))])
