"""Waiting receipts taken out of the inbox, by one process at a time."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection

from sms.models.receipt import Receipt
from sms.models.sql import id_list
from sms.models.sql.pipeline import rows_ahead
from sms.models.sql.session import do_not_wait_for_disk, had_lock

ONE_FOLDER = 0x666F6C64  # the number of the lock
PART = 2500  # receipts that are read while PostgreSQL takes the next; with less it walks over those just taken too often
STORED = ("id", "message_id", "attempt", "service_id", "raw")
# tries, then STORED: plain rows, since a name for each would cost as much as reading them
TakenReceipt = tuple[int, int, int, int, int, bytes]


def take_due(limit: int, now: datetime, only: int | None) -> Iterator[Sequence[TakenReceipt]]:
    """Take the next waiting receipts, or the one with the id `only`; the caller puts back what cannot be applied.

    PostgreSQL does not wait for the disk: after a crash the receipts are in the inbox again. It takes the next PART of them while the
    caller reads the one before; call it inside `pipelined`.
    """
    this, only_one = ("AND receipt_id = %s", [only]) if only is not None else ("", [])
    due = f"FROM sms_receiptinbox WHERE next_at <= %s {this} ORDER BY next_at, receipt_id LIMIT %s"
    if connection.vendor == "postgresql":
        do_not_wait_for_disk()
        if not had_lock(
            ONE_FOLDER
        ):  # its holder applies what waits; one that stands still loses it with its transaction
            return
        # by place, half the cost of by key; what Retry has moved is no longer there, and waits for the next time
        yield from rows_ahead(
            f"""
            WITH gone AS (
                DELETE FROM sms_receiptinbox WHERE ctid = ANY(ARRAY(SELECT ctid {due})) RETURNING receipt_id, tries
            )
            SELECT tries, {", ".join(STORED)} FROM gone JOIN sms_receipt ON id = receipt_id ORDER BY id
            """,  # noqa: S608 - our own columns
            ([now, *only_one, min(PART, limit - start)] for start in range(0, limit, PART)),
        )
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM sms_receiptinbox WHERE receipt_id IN (SELECT receipt_id {due}) RETURNING receipt_id, tries",  # noqa: S608 - words of ours; values are parameters
            [connection.ops.adapt_datetimefield_value(now), *only_one, limit],
        )
        tries = dict(cursor.fetchall())
    rows = Receipt.objects.filter(pk__in=id_list.among(tries)).order_by("pk")
    yield [(tries[row[0]], *row) for row in rows.values_list(*STORED)]
