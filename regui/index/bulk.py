"""Many rows at a time, by statements that are prepared once. A row by way of a model costs twenty times what
it costs the database, and a fill writes millions."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django.db import connection, models, transaction

from regui.index.batches import batches
from regui.index.models.digests import DigestField, raw

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
    statement, defaults = inserting(model, tuple(columns), tuple(unique), tuple(update), connection.vendor)
    execute(statement, model, columns, ((*row, *defaults) for row in rows))


def update(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Give rows new values of these columns: each is that row's values, then its key."""
    quote = connection.ops.quote_name
    fields = named(model)
    change = ", ".join(f"{quote(str(fields[name].column))} = %s" for name in columns)
    key = quote(str(model._meta.pk.column))
    statement = f"UPDATE {quote(model._meta.db_table)} SET {change} WHERE {key} = %s"  # noqa: S608
    execute(statement, model, columns, rows)


def execute(
    statement: str, model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Execute the statement for each row, whose first values are of these columns."""
    fields = named(model)
    adapters = [(at, adapt) for at, name in enumerate(columns) if (adapt := adapter(fields[name]))]
    for some in batches(rows):
        values = [list(row) for row in some]
        for row in values:
            for at, adapt in adapters:
                row[at] = adapt(row[at])
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.executemany(statement, values)


@cache
def named(model: type[models.Model]) -> dict[str, Any]:
    """The model's fields as its attributes are named."""
    return {field.attname: field for field in model._meta.concrete_fields}


@cache
def inserting(
    model: type[models.Model],
    columns: tuple[str, ...],
    unique: tuple[str, ...],
    update: tuple[str, ...],
    vendor: str,
) -> tuple[str, list[Any]]:
    """The statement, and the values of all columns but these."""
    fields = named(model)
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
    return statement, defaults


def adapter(field: Any) -> Adapt | None:
    """What makes a value of this field the database's own; None when it is that already."""
    if isinstance(field, models.DateTimeField):
        return moment
    if isinstance(field, models.JSONField):
        return document
    if isinstance(field, DigestField):
        return raw
    return None


# Most rows of a batch have one in common.
@lru_cache(maxsize=1000)
def moment(value: datetime | None) -> Any:
    return None if value is None else connection.ops.adapt_datetimefield_value(value)


def document(value: Any) -> Any:
    return connection.ops.adapt_json_value(value, None)
