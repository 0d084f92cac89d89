"""The event log: rows that may be there already, and up to where it can be read without a gap."""

from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import connection

from sms.models.sql.update_rows import stored

TABLE = "sms_event"
_TYPES = {
    "event_id": "text",
    "service_id": "bigint",
    "owner": "uuid",
    "type": "text",
    "send_id": "bigint",
    "message_id": "bigint",
    "subject_id": "bigint",
    "at": "timestamptz",
    "created_at": "timestamptz",
    "test": "boolean",
    "data": "jsonb",
}
_NAMES = ", ".join(_TYPES)
_ON_POSTGRESQL = (
    f"INSERT INTO {TABLE} ({_NAMES}, transaction_id) SELECT {_NAMES}, pg_current_xact_id()::text::bigint"  # noqa: S608 - words of ours; values are parameters
    f" FROM json_to_recordset(%s) AS v({', '.join(f'{name} {kind}' for name, kind in _TYPES.items())})"
    " ON CONFLICT (event_id) DO NOTHING"
)
_ON_SQLITE = (
    f"INSERT INTO {TABLE} ({_NAMES}, transaction_id) VALUES ({', '.join(['%s'] * len(_TYPES))}, 0)"  # noqa: S608 - words of ours; values are parameters
    " ON CONFLICT (event_id) DO NOTHING"
)


def write(rows: Iterable[msgspec.Struct]) -> None:
    """Insert events, objects with the columns as attributes; what is there already stays as it is."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_ON_POSTGRESQL, [msgspec.json.encode(list(rows)).decode()])
        else:
            cursor.executemany(_ON_SQLITE, [_values(row) for row in rows])


def _values(row: msgspec.Struct) -> list[Any]:
    """SQLite keeps a UUID as its 32 digits."""
    found = {name: stored(getattr(row, name)) for name in _TYPES}
    found["owner"] = found["owner"] and found["owner"].hex
    return list(found.values())


def settled_before() -> int | None:
    """The transaction before which all are over, so that nothing more comes of them; None where there is one writer at a time."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])
