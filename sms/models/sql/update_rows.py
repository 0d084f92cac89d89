"""Several columns of many rows, each with values of its own. Django's bulk_update took most of the time where this is used."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, models


def update_rows(
    model: type[models.Model], columns: Mapping[str, str], rows: Sequence[msgspec.Struct]
) -> None:
    """Write `columns` (each with its type on PostgreSQL) of rows that have them as attributes, and `id`.

    One JSON text on PostgreSQL, executemany on SQLite (no round trip there).
    """
    if not rows:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            types = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            sets = ", ".join(f"{column} = v.{column}" for column in columns)
            cursor.execute(
                f"UPDATE {table} t SET {sets} FROM json_to_recordset(%s::json) AS v(id bigint, {types}) WHERE t.id = v.id",  # noqa: S608
                [msgspec.json.encode(rows).decode()],
            )
        else:
            sets = ", ".join(f"{column} = %s" for column in columns)
            cursor.executemany(
                f"UPDATE {table} SET {sets} WHERE id = %s",  # noqa: S608
                [(*(stored(getattr(row, name)) for name in columns), getattr(row, "id")) for row in rows],  # noqa: B009
            )


def stored(value: Any) -> Any:
    """Times and JSON as the database takes them from a statement of our own."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value
