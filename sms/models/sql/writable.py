"""Whether work could be done in the database now: a row can be written, and no other session locks a table that every send needs."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from sms.models.duty import Duty
from sms.models.message import Message
from sms.models.receipt import Receipt, ReceiptInbox
from sms.models.send import Send, Slice, StateCount

NEEDED = (Send, Slice, Message, StateCount, Receipt, ReceiptInbox)
WAIT = 1000  # milliseconds


def try_to_write(name: str) -> None:
    """Write a row under this name, and take the locks that an UPDATE of the busiest tables takes; raises DatabaseError where one fails.

    Waiting for such a lock holds up nobody: it conflicts with none that ordinary work takes.
    """
    with _impatient(), transaction.atomic():
        if connection.vendor == "postgresql":
            tables = ", ".join(f'"{one._meta.db_table}"' for one in NEEDED)
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {WAIT}; SET LOCAL statement_timeout = {3 * WAIT}")
                cursor.execute(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE")
        Duty.objects.update_or_create(name=name, defaults={"owner": "", "leased_until": None})


@contextmanager
def _impatient() -> Iterator[None]:
    """SQLite has one lock, for which other work waits for long."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {WAIT}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {before}")
