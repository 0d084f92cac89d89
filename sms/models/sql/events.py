"""The event log: rows that may be there already, and up to where it can be read without a gap."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from sms.models.sql import session
from sms.models.sql.update_rows import stored

TABLE = "sms_event"
_MINE = "pg_current_xact_id_if_assigned()::text::bigint + 1"
_OPEN = f"coalesce({_MINE}, pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
_TO_COME = f"greatest({_MINE}, pg_snapshot_xmax(pg_current_snapshot())::text::bigint)"


class Place(NamedTuple):
    """Where a reader stands: behind this event of this transaction."""

    transaction_id: int
    event: int


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


def behind(place: Place) -> RawSQL:
    return RawSQL("(transaction_id, id) > (%s, %s)", place, output_field=BooleanField())


def up_to(place: Place) -> RawSQL:
    return RawSQL("(transaction_id, id) <= (%s, %s)", place, output_field=BooleanField())


def complete() -> Q:
    """Events before which no other can appear any more, as those of transactions that are still open could.

    On SQLite, with one writer at a time, these are all. What the present transaction wrote itself is its own to see.
    """
    if connection.vendor != "postgresql":
        return Q()
    return Q(RawSQL(f"transaction_id < {_OPEN}", [], output_field=BooleanField()))  # noqa: S611 - our own words


def is_to_come(transaction_id: int) -> bool:
    """Whether no transaction has that number yet."""
    if connection.vendor != "postgresql":
        return transaction_id > 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s >= {_TO_COME}", [transaction_id])
        return bool(cursor.fetchone()[0])


def begin_anew_after_a_restore(service_id: int) -> None:
    """Another PostgreSQL numbers its transactions anew. What came from before, with numbers that it has not given yet, comes first."""
    session.on_postgresql(
        f"UPDATE {TABLE} SET transaction_id = 0 WHERE service_id = %s AND transaction_id >= {_TO_COME}",  # noqa: S608 - our own words
        service_id,
    )
