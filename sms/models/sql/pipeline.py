"""PostgreSQL at work while we compute, and its rows without a text in between: for the few places that move thousands of rows at once.

On SQLite there is no other process to work: what is asked is done at once. Called by `ledger` and the fold of receipts.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def pipelined() -> Iterator[None]:
    """Inside, PostgreSQL is not waited for until rows are asked for, or the block ends; errors come then, as Django's."""
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def rows(text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a statement returns. On PostgreSQL in binary: a quarter of the cost there, and half of it here, where rows have times."""
    return _fetch(_ask(text, values))


def rows_ahead(text: str, each: Iterable[Sequence[Any]]) -> Iterator[list[tuple[Any, ...]]]:
    """The same statement with one row of values after the other, each run while the caller is busy with the rows of the one before.

    To be used inside `pipelined`. Ends with the first that returns nothing.
    """
    asked = None
    for values in each:
        found: list[tuple[Any, ...]] = _fetch(asked) if asked else []
        if asked and not found:
            return
        asked = _ask(text, values)
        if found:
            yield found
    if asked and (found := _fetch(asked)):
        yield found


def _ask(text: str, values: Sequence[Any]) -> Any:
    """A cursor of its own: Django's puts values into the text, which only has answers as text."""
    if connection.vendor != "postgresql":
        cursor = connection.cursor()
        cursor.execute(text, values)
        return cursor
    import psycopg

    with connection.wrap_database_errors:
        return psycopg.Cursor(connection.connection).execute(text, values, binary=True)


def _fetch(cursor: Any) -> list[tuple[Any, ...]]:
    with connection.wrap_database_errors, cursor:
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
