"""Rows of the audit as their proofs see them: the body of each is made by the database from what its columns hold now."""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, Error, connection, connections

from sms.models import audit_proof
from sms.models.audit import AuditEvent
from sms.models.sql import trouble

# number, event id, digest, hash, seal's MAC; the row's id, body and MAC, or None where there is no row
SealedRow = tuple[int, int, str, str, str, int | None, str | bytes | None, str | None]


def body_of(alias: str) -> str:
    """SQL of what a row says now, as `audit_proof.body` makes it; whatever no row of ours can hold makes it another body."""
    others = [f"{alias}.{name}" for name in AuditEvent.PROVEN[1:]]
    if connection.vendor == "postgresql":
        at = f"to_char({alias}.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        # `to_char` writes a year before Christ as the one after
        at = f"({at} || CASE WHEN {alias}.at < '0001-01-01 00:00+00' THEN ' BC' ELSE '' END)"
        parts = [
            f"coalesce(chr(10) || octet_length({one}) || ':' || {one}, chr(10) || '-')"
            for one in (at, *others)
        ]
        return f"concat('{audit_proof.FORM}', {', '.join(parts)})"
    # as bytes: a column that is no UTF-8 any more is to be reported, not to end the reading
    at = f"(CASE WHEN length({alias}.at) = 19 THEN {alias}.at || '.000000' ELSE {alias}.at END)"
    columns = [(f"{alias}.at", at), *((one, one) for one in others)]
    # bytes that read as the same text are another value to SQLite: pages that ask for the text would not find the row
    parts = [
        f"(CASE typeof({column}) WHEN 'text' THEN char(10) || length(CAST({said} AS BLOB)) || ':' || {said}"
        f" WHEN 'null' THEN char(10) || '-' ELSE char(10) || typeof({column}) END)"
        for column, said in columns
    ]
    return f"CAST('{audit_proof.FORM}' || {' || '.join(parts)} AS BLOB)"


def read_ahead(
    pool: ThreadPoolExecutor, service_slug: str, *, after: int, until: int
) -> Callable[[], Sequence[SealedRow]]:
    """Seals of a chain between two numbers, each with its row; call the result for them.

    PostgreSQL reads them on a thread of `pool`, while the caller hashes the page before.
    """
    joined = "LEFT JOIN sms_auditevent e ON e.id = s.event_id"
    if until - after == 1 and connection.vendor == "postgresql":
        # OFFSET keeps it from joining the whole table for one row: another one that is damaged would end the reading of this one
        joined = "LEFT JOIN LATERAL (SELECT * FROM sms_auditevent WHERE id = s.event_id OFFSET 0) e ON true"
    # both ends are given, so that PostgreSQL plans for a page even where it knows nothing of the table yet
    statement = f"""
        SELECT s.number, s.event_id, s.digest, s.hash, s.mac, e.id, {body_of("e")}, e.mac
        FROM sms_auditseal s {joined}
        WHERE s.service_slug = %s AND s.number > %s AND s.number <= %s
        ORDER BY s.number
    """  # noqa: S608 - our own columns
    values = (service_slug, after, until)
    if connection.vendor != "postgresql":
        return functools.partial(_read, connection, statement, values)
    connection.ensure_connection()
    # the object itself: `connection` is another one on another thread
    return pool.submit(_read_on_thread, connections[DEFAULT_DB_ALIAS], statement, values).result


def _read(database: Any, statement: str, values: Sequence[object]) -> Sequence[SealedRow]:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return cast("Sequence[SealedRow]", cursor.fetchall())


def _read_on_thread(database: Any, statement: str, values: Sequence[object]) -> Sequence[SealedRow]:
    """By the driver's own connection, which lets one thread at a time use it."""
    try:
        with database.wrap_database_errors, database.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cast("Sequence[SealedRow]", cursor.fetchall())
    except Error as problem:
        trouble.count(problem)
        raise
