"""Locks and limits of the present transaction. On SQLite, with its one writer, they have nothing to do."""

import sqlite3

from django.db import OperationalError, connection


def hold_lock(number: int) -> None:
    """Wait until no other transaction holds the lock of this number, and hold it until the present one ends."""
    _execute("SELECT pg_advisory_xact_lock(%s)", number)


def do_not_wait_for_disk() -> None:
    """Commit without waiting for the disk: for work that is simply done again after a crash."""
    _execute("SET LOCAL synchronous_commit = off")


def limit_statements(milliseconds: int) -> None:
    """Let a statement that takes longer fail, also one that waits for a lock."""
    _execute(f"SET LOCAL lock_timeout = {milliseconds}; SET LOCAL statement_timeout = {milliseconds}")


def waited_in_vain(problem: OperationalError) -> bool:
    """Whether a lock was not to be had: PostgreSQL's lock_timeout or statement_timeout, SQLite's busy_timeout."""
    cause = problem.__cause__
    busy = getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return busy or getattr(cause, "sqlstate", "") in ("55P03", "57014")


def _execute(statement: str, *values: int | str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)


def has_one_writer() -> bool:
    """Whether every write waits for every other, so that transactions must be short."""
    return connection.vendor == "sqlite"
