"""Tables filled by one statement: copies of a row that Django made, with what differs as SQL of `n`. Needs Django."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model

IS_POSTGRESQL = connection.vendor == "postgresql"


def padded(number: str, digits: int) -> str:
    """SQL: a number with zeros before it."""
    return (
        f"lpad(CAST({number} AS text), {digits}, '0')"
        if IS_POSTGRESQL
        else f"printf('%0{digits}d', {number})"
    )


def digest(text: str) -> str:
    """SQL: sixteen bytes that no other text has."""
    return f"decode(md5({text}), 'hex')" if IS_POSTGRESQL else "randomblob(16)"


def copy(one: Model, count: int, **different: str) -> None:
    """`count` rows more like this one, n from 1; `different` has SQL for columns. The key is to be given, or is the next one."""
    meta = one._meta
    columns = [
        field.column for field in meta.concrete_fields if not field.primary_key or field.column in different
    ]
    values = (f"({different[column]})" if column in different else f'kept."{column}"' for column in columns)
    series = (
        f"SELECT n FROM generate_series(1, {count}) AS n"
        if IS_POSTGRESQL
        else f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s"
    )
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{meta.db_table}" ({names}) SELECT {", ".join(values)} FROM ({series}) AS numbered'
            f' JOIN "{meta.db_table}" AS kept ON kept."{meta.pk.column}" = {one.pk}'
        )


def drop_indexes(cursor: Any, *tables: str, like: str = "%") -> list[str]:
    """Indexes that no constraint needs, which makes filling several times quicker (PostgreSQL); returns what makes them again, of a
    partitioned table on all its parts."""
    cursor.execute("SET maintenance_work_mem = '512MB'; SET synchronous_commit = off")
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname LIKE %s"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        [list(tables), like],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [how.replace(" ON ONLY ", " ON ") for _, how in found]


@contextmanager
def without_indexes(*models: Any) -> Iterator[None]:
    """On PostgreSQL they are dropped meanwhile; then ANALYZE."""
    with connection.cursor() as cursor:
        again = drop_indexes(cursor, *(model._meta.db_table for model in models)) if IS_POSTGRESQL else []
    yield
    with connection.cursor() as cursor:
        for statement in (*again, *connection.ops.sequence_reset_sql(no_style(), list(models)), "ANALYZE"):
            cursor.execute(statement)
