"""Locks and limits of the present transaction, and the one clock that all hosts share: the database's.

On SQLite, with its one writer, locks and limits have nothing to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone


def hold_lock(number: int) -> None:
    """Wait until no other transaction holds the lock of this number, and hold it until the present one ends."""
    on_postgresql("SELECT pg_advisory_xact_lock(%s)", number)


def had_lock(number: int) -> bool:
    """Hold the lock of this number until the present transaction ends; False where another transaction has it."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        had: bool = cursor.fetchone()[0]
        return had


def do_not_wait_for_disk() -> None:
    """Commit without waiting for the disk: for work that is simply done again after a crash."""
    on_postgresql("SET LOCAL synchronous_commit = off")


def limit_statements(milliseconds: int) -> None:
    """Let a statement that takes longer fail, also one that waits for a lock."""
    on_postgresql(f"SET LOCAL lock_timeout = {milliseconds}; SET LOCAL statement_timeout = {milliseconds}")


@contextmanager
def impatient(milliseconds: int) -> Iterator[None]:
    """Reading that would rather fail than wait; SQLite's readers wait for nobody."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        limit_statements(milliseconds)
        yield


def on_postgresql(statement: str, *values: int | str | list[int]) -> None:
    """Execute it there; elsewhere there is nothing to do."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)


def has_one_writer() -> bool:
    """Whether every write waits for every other, so that transactions must be short."""
    return connection.vendor == "sqlite"


def database_now() -> datetime:
    """PostgreSQL's clock; with SQLite there is one machine, whose clock is the database's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
