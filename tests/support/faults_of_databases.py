"""A database that is away, read-only or locked, as this process sees it."""

import contextlib
from collections.abc import Iterator

from django.db import OperationalError, connection


@contextlib.contextmanager
def database_away() -> Iterator[None]:
    """As after the server is gone: every statement fails."""

    def away(*_: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(away):
        yield


@contextlib.contextmanager
def read_only_database() -> Iterator[None]:
    """As on a standby."""
    postgresql = connection.vendor == "postgresql"
    on, off = (
        ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off")
        if postgresql
        else ("PRAGMA query_only = ON", "PRAGMA query_only = OFF")
    )
    with connection.cursor() as cursor:
        cursor.execute(on)
        try:
            yield
        finally:
            cursor.execute(off)


@contextlib.contextmanager
def locked_table(table: str, *, mode: str = "ACCESS EXCLUSIVE") -> Iterator[None]:
    """Another session has it for itself (PostgreSQL), or with mode SHARE lets nobody write."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {table} IN {mode} MODE")
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()
