"""Receipts stored and put into the inbox together, and taken out of it by one process at a time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from sms.models.receipt import Receipt, ReceiptInbox
from sms.models.sql import id_list, receipt_months
from sms.models.sql.pipeline import rows_ahead
from sms.models.sql.session import database_now, do_not_wait_for_disk, had_lock

ONE_FOLDER = 0x666F6C64  # the number of the lock
PART = 2500  # receipts that are read while PostgreSQL takes the next; with less it walks over those just taken too often
STORED = ("id", "message_id", "attempt", "service_id", "raw")
# tries, then STORED: plain rows, since a name for each would cost as much as reading them
TakenReceipt = tuple[int, int, int, int, int, bytes]


NEW_COLUMNS = "service_id, message_id, attempt, dedupe, raw, received_at, simulated"
NewReceipt = tuple[int, int, int, bytes, bytes, datetime, bool]


def store_new(rows: Sequence[NewReceipt], *, everywhere: bool) -> int:
    """Store those of different receipts that are not stored yet, each with its row in the inbox; returns how many.

    The only conflict that there can be is of `dedupe`. For `everywhere` see `receipt_months.repeats`. They wait by the clock that folds
    them, since this host's may be an hour ahead; PostgreSQL is not asked for it first.
    """
    on_time = connection.ops.adapt_datetimefield_value
    values: list[Any] = [value for *row, at, simulated in rows for value in (*row, on_time(at), simulated)]
    came = f"VALUES {', '.join(['(%s, %s, %s, %s, %s, %s, %s)'] * len(rows))}"
    now = "clock_timestamp()" if connection.vendor == "postgresql" else "%s"
    waits = (
        "INSERT INTO sms_receiptinbox (receipt_id, received_at, why, reason, tries, next_at)"
        f" SELECT id, received_at, '{ReceiptInbox.Why.NEW}', '', 0, {now} FROM"
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            times = [row[5] for row in rows]
            beyond = receipt_months.repeats(first=min(times), last=max(times), everywhere=everywhere)
            if beyond is not None:
                between = "AND kept.received_at BETWEEN %s AND %s" if beyond else ""
                known = f"SELECT FROM sms_receipt kept WHERE kept.dedupe = came.dedupe {between}"
                came = f"SELECT * FROM ({came}) AS came ({NEW_COLUMNS}) WHERE NOT EXISTS ({known})"  # noqa: S608 - words of ours; values are parameters
                values += beyond
            cursor.execute(
                f"WITH new AS (INSERT INTO sms_receipt ({NEW_COLUMNS}) {came}"
                f" ON CONFLICT DO NOTHING RETURNING id, received_at) {waits} new",
                values,
            )
            return cursor.rowcount
        cursor.execute(
            f"INSERT INTO sms_receipt ({NEW_COLUMNS}) {came} ON CONFLICT DO NOTHING RETURNING id",
            values,
        )
        if new := [pk for (pk,) in cursor.fetchall()]:
            cursor.execute(
                f"{waits} sms_receipt WHERE id IN ({id_list.in_list()})",
                [on_time(database_now()), id_list.parameter(new)],
            )
        return len(new)


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
        # the inbox by place, half the cost of by key; what Retry has moved is no longer there, and waits for the next time.
        # Receipts by their month, too, so that none is looked for in all of them
        yield from rows_ahead(
            f"""
            WITH gone AS (
                DELETE FROM sms_receiptinbox WHERE ctid = ANY(ARRAY(SELECT ctid {due})) RETURNING receipt_id, received_at AS month, tries
            )
            SELECT tries, {", ".join(STORED)} FROM gone JOIN sms_receipt ON id = receipt_id AND received_at = month ORDER BY id
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
