"""Where the next ids come from, moved ahead of ids that a lost part of the history may have used."""

from datetime import datetime

from django.db import connection

from sms.values import lives

LARGE, SMALL = (
    100_000_000,
    1_000_000,
)  # ids that are left out at least, should the clock be wrong; of tables with short ids


def move_on(*, at: datetime) -> int:
    """Leave out ids in every table of the database, up to those of `at`; returns how many tables. PostgreSQL does not take that back
    with a transaction."""
    by_time, short = lives.first_id(at), lives.first_attempt(at)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(setval(format('%%I.%%I', schemaname, sequencename)::regclass, least(max_value,"
                " CASE WHEN data_type = 'bigint'::regtype THEN greatest(coalesce(last_value, start_value) + %s, %s)"
                " ELSE greatest(coalesce(last_value, start_value) + %s, %s) END)))"
                " FROM pg_sequences WHERE schemaname = current_schema()",
                [LARGE, by_time, SMALL, short],
            )
            return int(cursor.fetchone()[0])
        cursor.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_master WHERE type = 'table'"
            " AND sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence)"
        )
        cursor.execute("UPDATE sqlite_sequence SET seq = max(seq + %s, %s)", [LARGE, by_time])
        return cursor.rowcount
