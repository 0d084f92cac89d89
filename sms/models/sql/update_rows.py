"""Columns of many rows, each row with values of its own. Django's bulk_update took most of the time where this is used."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, models


def update_rows(model: type[models.Model], columns: Iterable[str], rows: Sequence[msgspec.Struct]) -> None:
    """Write `columns` of rows that have them as attributes, and `id`.

    One JSON text on PostgreSQL, executemany on SQLite (no round trip there).
    """
    if not rows:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            types = ", ".join(f"{column} {_type(model, column)}" for column in columns)
            sets = ", ".join(f"{column} = v.{column}" for column in columns)
            cursor.execute(
                f"UPDATE {table} t SET {sets} FROM json_to_recordset(%s::json) AS v(id bigint, {types}) WHERE t.id = v.id",  # noqa: S608 - words of ours; values are parameters
                [msgspec.json.encode(rows).decode()],
            )
        else:
            sets = ", ".join(f"{column} = %s" for column in columns)
            cursor.executemany(
                f"UPDATE {table} SET {sets} WHERE id = %s",  # noqa: S608 - words of ours; values are parameters
                [(*(stored(getattr(row, name)) for name in columns), getattr(row, "id")) for row in rows],  # noqa: B009
            )


def exchange(model: type[models.Model], column: str, pairs: Sequence[tuple[int, Any]]) -> None:
    """One column, by pairs of a row's id and its new value: bytes too, which JSON does not take."""
    if not pairs:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"UPDATE {table} AS t SET {column} = v.it FROM unnest(%s::bigint[], %s::{_type(model, column)}[]) AS v(id, it)"  # noqa: S608 - words of ours; values are parameters
                " WHERE t.id = v.id",
                [[pk for pk, _ in pairs], [value for _, value in pairs]],
            )
        else:
            turned = [(value, pk) for pk, value in pairs]
            cursor.executemany(f"UPDATE {table} SET {column} = %s WHERE id = %s", turned)  # noqa: S608 - words of ours; values are parameters


def _type(model: type[models.Model], column: str) -> str | None:
    return model._meta.get_field(column).db_type(connection)


def stored(value: Any) -> Any:
    """Times and JSON as the database takes them from a statement of our own."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value
