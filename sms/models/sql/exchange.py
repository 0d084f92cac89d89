"""One column of many rows, each its own value."""

from collections.abc import Sequence
from typing import Any

from django.db import connection


def exchange(model: Any, column: str, pairs: Sequence[tuple[int, Any]], *, kind: str) -> None:
    """Pairs of a row's id and its new value; one statement on PostgreSQL, where `kind` is the type of the column."""
    if not pairs:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"UPDATE {table} AS t SET {column} = v.it FROM unnest(%s::bigint[], %s::{kind}[]) AS v(id, it)"  # noqa: S608
                " WHERE t.id = v.id",
                [[pk for pk, _ in pairs], [value for _, value in pairs]],
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET {column} = %s WHERE id = %s",  # noqa: S608
                [(value, pk) for pk, value in pairs],
            )
