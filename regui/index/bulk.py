"""Many rows at a time, by statements that are prepared once. A row by way of a model costs twenty times what
it costs the database, and a fill writes millions."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection, models, transaction

from regui.index.batches import batches

Adapt = Callable[[Any], Any]


def insert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
) -> None:
    """Insert rows with these columns, named as the model's attributes are, the others having their defaults.
    A row that is there, by the columns `unique`, has those of `update` replaced; without any it stays."""
    statement, adapters, defaults = prepared(
        model, tuple(columns), tuple(unique), tuple(update), connection.vendor
    )
    for some in batches(rows):
        values = [
            (
                *(adapt(value) if adapt else value for adapt, value in zip(adapters, row, strict=True)),
                *defaults,
            )
            for row in some
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, values)


@cache
def prepared(
    model: type[models.Model],
    columns: tuple[str, ...],
    unique: tuple[str, ...],
    update: tuple[str, ...],
    vendor: str,
) -> tuple[str, list[Adapt | None], list[Any]]:
    """The statement, how to make each column's values the database's, and the values of all other columns."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    others = [
        field
        for name, field in fields.items()
        if name not in columns and not isinstance(field, models.AutoField)
    ]
    quote = connection.ops.quote_name
    names = [quote(str(fields[name].column)) for name in columns]
    names += [quote(str(field.column)) for field in others]
    places = ", ".join(["%s"] * len(names))
    change = ", ".join(
        f"{quote(str(fields[n].column))} = EXCLUDED.{quote(str(fields[n].column))}" for n in update
    )
    target = ", ".join(quote(str(fields[name].column)) for name in unique)
    conflict = f"({target}) DO UPDATE SET {change}" if update else "DO NOTHING"
    table = quote(model._meta.db_table)
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places}) ON CONFLICT {conflict}"  # noqa: S608
    defaults = [
        adapt(field.get_default()) if (adapt := adapter(field)) else field.get_default() for field in others
    ]
    return statement, [adapter(fields[name]) for name in columns], defaults


def adapter(field: Any) -> Adapt | None:
    """What makes a value of this field the database's own; None when it is that already."""
    if isinstance(field, models.DateTimeField):
        return moment
    if isinstance(field, models.JSONField):
        return document
    return None


def moment(value: datetime | None) -> Any:
    return None if value is None else connection.ops.adapt_datetimefield_value(value)


def document(value: Any) -> Any:
    return connection.ops.adapt_json_value(value, json.JSONEncoder)
