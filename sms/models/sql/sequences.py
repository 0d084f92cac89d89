"""Where the next ids come from, moved ahead of ids that a lost part of the history may have used."""

import secrets
from datetime import datetime

from django.db import connection

from sms.values import lives

LARGE, SMALL = 100_000_000, 1_000_000  # ids that are left out at least; of tables with short ids
# and at random so many more, since an earlier restore of the same backup is known to nobody. Ids of ten digits would look like numbers
# of phones, which logs and the audit hide
SPREAD = 800_000_000
BY_TIME = "sms_event"  # the table whose ids stand in cursors of readers


def move_on(*, at: datetime) -> int:
    """Leave out ids in every table of the database; returns how many tables. PostgreSQL does not take that back with a transaction."""
    more, by_time = LARGE + secrets.randbelow(SPREAD), lives.first_event(at)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(setval(format('%%I.%%I', schemaname, sequencename)::regclass, least(max_value,"
                " CASE WHEN data_type <> 'bigint'::regtype THEN coalesce(last_value, start_value) + %s"
                " WHEN sequencename = %s THEN greatest(coalesce(last_value, start_value) + %s, %s)"
                " ELSE coalesce(last_value, start_value) + %s END)))"
                " FROM pg_sequences WHERE schemaname = current_schema()",
                [SMALL, f"{BY_TIME}_id_seq", LARGE, by_time, more],
            )
            return int(cursor.fetchone()[0])
        cursor.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_master WHERE type = 'table'"
            " AND sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence)"
        )
        cursor.execute(
            "UPDATE sqlite_sequence SET seq = CASE WHEN name = %s THEN max(seq + %s, %s) ELSE seq + %s END",
            [BY_TIME, LARGE, by_time, more],
        )
        return cursor.rowcount
