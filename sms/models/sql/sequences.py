"""Where the next ids come from, moved ahead of ids that a lost part of the history may have used."""

from django.db import connection

LARGE, SMALL = (
    100_000_000,
    1_000_000,
)  # ids that are left out: more than a month's messages; of tables with short ids


def move_on() -> int:
    """Leave out ids in every table of the database; returns how many tables. PostgreSQL does not take that back with a transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(setval(format('%%I.%%I', schemaname, sequencename)::regclass, least(max_value,"
                " coalesce(last_value, start_value) + CASE WHEN data_type = 'bigint'::regtype THEN %s ELSE %s END)))"
                " FROM pg_sequences WHERE schemaname = current_schema()",
                [LARGE, SMALL],
            )
            return int(cursor.fetchone()[0])
        cursor.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_master WHERE type = 'table'"
            " AND sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence)"
        )
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s", [LARGE])
        return cursor.rowcount
