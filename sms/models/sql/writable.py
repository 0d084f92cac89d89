"""Whether work could be done in the database now: a row can be written, and no other session locks a table that is needed for it."""

import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Model

from sms.models.duty import Duty
from sms.models.inbound import InboundMessage
from sms.models.message import Message
from sms.models.receipt import Receipt, ReceiptInbox
from sms.models.send import Send, Slice, StateCount

FOR_SENDS = (Send, Slice, Message, StateCount, Receipt, ReceiptInbox)
FOR_POSTS = (Receipt, ReceiptInbox, InboundMessage)
HOST = platform.node()
WAIT = 1000  # milliseconds


def try_to_write(needed: Sequence[type[Model]], *, by: str) -> None:
    """Write this host's row of `by`, and take the locks that an UPDATE of these tables takes; raises the database's Error where one fails.

    A row, since a disk that is full or a standby that must have it shows itself with nothing less.
    Waiting for such a lock holds up nobody: it conflicts with none that ordinary work takes.
    """
    with _impatient(), transaction.atomic():
        if connection.vendor == "postgresql":
            tables = ", ".join(f'"{one._meta.db_table}"' for one in needed)
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {WAIT}; SET LOCAL statement_timeout = {3 * WAIT}")
                cursor.execute(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE")
        Duty.objects.update_or_create(name=f"{by} {HOST}"[:30], defaults={"owner": "", "leased_until": None})


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
