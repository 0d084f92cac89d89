"""Migrations beside processes that work: one `prepare` at a time, and none that makes everybody wait behind it.

A statement that changes a table waits for whoever reads it, and everybody else then waits behind that statement. So on PostgreSQL it lets
go after LOCK_TIMEOUT, and the migration is tried again a little later; what was migrated before stays.
"""

import fcntl
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection

from sms.models.sql.trouble import waited_in_vain

ONE_PREPARE = 0x70726570  # the number of the lock
LOCK_TIMEOUT = 2000  # milliseconds
GIVES_UP_AFTER = 600.0  # seconds


@contextmanager
def alone(folder: Path, *, busy: Callable[[], None]) -> Iterator[None]:
    """Wait for any other `prepare` of this installation to end; `busy` is called before that."""
    if connection.vendor == "postgresql":
        with _locked_there(busy):
            yield
    else:
        with _locked_here(folder / "prepare.lock", busy):
            yield


@contextmanager
def _locked_there(busy: Callable[[], None]) -> Iterator[None]:
    """By a transaction on a connection of its own, which a pool in transaction mode leaves to it until it ends."""
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL lock_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_PREPARE])
            if not cursor.fetchone()[0]:
                busy()
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_PREPARE])
        yield
    finally:
        holder.close()  # which ends the transaction, and with it the lock


@contextmanager
def _locked_here(path: Path, busy: Callable[[], None]) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def letting_go(migrate: Callable[[], object], *, again: Callable[[], None]) -> None:
    """Run what changes tables until it had every lock that it wanted; `again` is called before each further try."""
    until = time.monotonic() + GIVES_UP_AFTER
    while True:
        try:
            with connection.execute_wrapper(_limited):
                migrate()
            return
        except OperationalError as problem:
            if not (_deadlock(problem) or waited_in_vain(problem)) or time.monotonic() > until:
                raise
        again()
        time.sleep(random.uniform(0.5, 2.0))  # noqa: S311 - so that what works gets its turn


def _limited(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Each statement of a transaction, for `SET LOCAL` ends with it. One outside, as CREATE INDEX CONCURRENTLY, stands in nobody's way."""
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        limits = f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}; SET LOCAL statement_timeout = 0"
        context["cursor"].cursor.execute(limits)
    return execute(sql, params, many, context)


def _deadlock(problem: OperationalError) -> bool:
    return getattr(problem.__cause__, "sqlstate", "") == "40P01"
