"""Locks and limits of the present transaction, and the one clock that all hosts share: the database's.

On SQLite, with its one writer, locks and limits have nothing to do.
"""

import sqlite3
from datetime import datetime

from django.db import OperationalError, connection
from django.utils import timezone


def hold_lock(number: int) -> None:
    """Wait until no other transaction holds the lock of this number, and hold it until the present one ends."""
    on_postgresql("SELECT pg_advisory_xact_lock(%s)", number)


def do_not_wait_for_disk() -> None:
    """Commit without waiting for the disk: for work that is simply done again after a crash."""
    on_postgresql("SET LOCAL synchronous_commit = off")


def limit_statements(milliseconds: int) -> None:
    """Let a statement that takes longer fail, also one that waits for a lock."""
    on_postgresql(f"SET LOCAL lock_timeout = {milliseconds}; SET LOCAL statement_timeout = {milliseconds}")


def waited_in_vain(problem: OperationalError) -> bool:
    """Whether a lock was not to be had: PostgreSQL's lock_timeout or statement_timeout, SQLite's busy_timeout."""
    cause = problem.__cause__
    busy = getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return busy or getattr(cause, "sqlstate", "") in ("55P03", "57014")


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
