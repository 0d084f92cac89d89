"""The event log: rows that may be there already, and up to where it can be read without a gap.

A PostgreSQL that a dump was restored into, or that took over from another, numbers transactions as it likes. Each such one begins an epoch
of its own (`EventEpoch`), and what is written in it sorts behind all that was written before, under the cursors that readers have.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from sms.models.sql.history import CLUSTER
from sms.models.sql.update_rows import stored

TABLE = "sms_event"
EPOCHS = "sms_eventepoch"
_LOCK = 0x4570_6F63  # of who writes an epoch down
OF_AN_EPOCH = 48  # bits: room for the transactions of centuries
# A server promoted from a standby or recovered up to a moment keeps its identifier and begins a new timeline
_EPOCH = (
    f"coalesce((SELECT CASE WHEN cluster = {CLUSTER} THEN number ELSE number + 1 END"  # noqa: S608 - our own words
    f" FROM {EPOCHS} ORDER BY number DESC LIMIT 1), 1)::bigint"
)
_EPOCH_OF_SQLITE = f"coalesce((SELECT max(number) + 1 FROM {EPOCHS}), 0)"  # noqa: S608 - our own words
_MINE = "pg_current_xact_id_if_assigned()::text::bigint + 1"
_OPEN = f"(({_EPOCH}) << {OF_AN_EPOCH}) + coalesce({_MINE}, pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
_TO_COME = f"(({_EPOCH}) << {OF_AN_EPOCH}) + greatest({_MINE}, pg_snapshot_xmax(pg_current_snapshot())::text::bigint)"


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
    f"WITH epoch AS (SELECT {_EPOCH} AS now), begun AS (INSERT INTO {EPOCHS} (number, cluster) SELECT now, {CLUSTER} FROM epoch"  # noqa: S608 - words of ours; values are parameters
    # whoever cannot write it down writes events of it all the same, and does not wait
    f" WHERE CASE WHEN NOT EXISTS (SELECT FROM {EPOCHS} WHERE number = now) THEN pg_try_advisory_xact_lock({_LOCK}) END"
    " ON CONFLICT (number) DO NOTHING)"
    f" INSERT INTO {TABLE} ({_NAMES}, transaction_id)"
    f" SELECT {_NAMES}, (epoch.now << {OF_AN_EPOCH}) + pg_current_xact_id()::text::bigint"
    f" FROM epoch, json_to_recordset(%s) AS v({', '.join(f'{name} {kind}' for name, kind in _TYPES.items())})"
    " ON CONFLICT (event_id) DO NOTHING"
)
_LAST_ID_OF_SQLITE = f"coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{TABLE}'), 0)"  # noqa: S608 - our own words
# each row counts as a transaction: of rows with one number an index is read from the first of them, wherever a reader stands
_NEXT_OF_SQLITE = f"({_EPOCH_OF_SQLITE} << {OF_AN_EPOCH}) + {_LAST_ID_OF_SQLITE}"
_ON_SQLITE = (
    f"INSERT INTO {TABLE} ({_NAMES}, transaction_id) VALUES ({', '.join(['%s'] * len(_TYPES))}, {_NEXT_OF_SQLITE})"  # noqa: S608 - words of ours; values are parameters
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


def is_to_come(place: Place) -> bool:
    """Whether nobody can have stood there yet: a reader of another copy of this database did."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT %s >= {_TO_COME}", [place.transaction_id])
        else:
            cursor.execute(f"SELECT (%s, %s) > ({_NEXT_OF_SQLITE}, {_LAST_ID_OF_SQLITE})", place)
        return bool(cursor.fetchone()[0])
