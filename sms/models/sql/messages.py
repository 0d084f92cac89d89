"""Many rows of messages read, locked and changed by one statement. Only `sms.ledger` may call what writes.

The changes come back in groups that are equal in everything counters need, made by PostgreSQL itself: reading the same values for
each of hundreds of messages took longer than the UPDATE.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from sms.models.message import Message, MessageState
from sms.models.send import Send
from sms.models.sql import id_list
from sms.models.sql.pipeline import rows
from sms.models.sql.session import on_postgresql
from sms.models.sql.update_rows import stored, update_rows

TABLE = Message._meta.db_table


class MessageRow(msgspec.Struct, gc=False):
    """What the ledger reads of a message. WRITTEN are the columns that it may change."""

    id: int
    send_id: int
    attempt: int
    posted_at: datetime | None
    country: str
    segments: int
    state: str
    code: str
    detail: str
    provider_id: str
    carrier: str
    segments_billed: int | None
    queued_at: datetime | None
    submitted_at: datetime | None
    final_at: datetime | None


WRITTEN = (
    *("state", "code", "detail", "provider_id", "carrier", "segments_billed"),
    *("queued_at", "submitted_at", "final_at"),
)


class Acceptance(msgspec.Struct, frozen=True, gc=False):
    """A message that the provider took, in which attempt, and the id that it gave it."""

    message_id: int
    attempt: int
    provider_id: str


class ChangedGroup(msgspec.Struct, frozen=True, gc=False):
    """Messages that one statement changed alike. `ids` and `ready_at` (when their send could first be posted) only where asked for."""

    count: int
    ids: list[int] | None
    ready_at: datetime | None
    send_id: int
    country: str
    carrier: str
    segments: int
    segments_billed: int | None
    posted_at: datetime | None
    queued_at: datetime | None


_GROUPED = ChangedGroup.__struct_fields__[3:]


def lock(ids: Sequence[int]) -> list[MessageRow]:
    """The rows with these ids in order of id, locked; on SQLite the IMMEDIATE transaction is the lock."""
    names = MessageRow.__struct_fields__
    if connection.vendor == "postgresql":
        statement = (
            f"SELECT {', '.join(names)} FROM {TABLE} WHERE id = ANY(%s::bigint[])"  # noqa: S608 - words of ours; values are parameters
            " ORDER BY id FOR NO KEY UPDATE"
        )
        return [MessageRow(*values) for values in rows(statement, [list(ids)])]
    listed = Message.objects.filter(pk__in=id_list.among(ids)).order_by("pk").values_list(*names)
    return [MessageRow(*values) for values in listed]


def hold(ids: Sequence[int]) -> None:
    """Lock these rows in order of id, as `lock` does, without reading them: for a transaction that writes them by several statements."""
    on_postgresql(
        f"SELECT count(*) FROM (SELECT FROM {TABLE} WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE) AS held",  # noqa: S608 - words of ours; values are parameters
        list(ids),
    )


def hold_pending(send_id: int) -> None:
    """The same for all of a send that are pending."""
    on_postgresql(
        f"SELECT count(*) FROM (SELECT FROM {TABLE} WHERE send_id = %s AND state = %s ORDER BY id FOR NO KEY UPDATE) AS held",  # noqa: S608 - words of ours; values are parameters
        send_id,
        MessageState.PENDING.value,
    )


def hold_free(ids: Sequence[int]) -> set[int]:
    """Lock those of these that nobody else has locked just now; returns their ids. Never waits, so it may follow other locks."""
    if connection.vendor != "postgresql":
        return set(ids)
    statement = f"SELECT id FROM {TABLE} WHERE id = ANY(%s::bigint[]) FOR NO KEY UPDATE SKIP LOCKED"  # noqa: S608 - words of ours; values are parameters
    return {pk for (pk,) in rows(statement, [list(ids)])}


def write(changed: Sequence[MessageRow]) -> None:
    update_rows(Message, WRITTEN, changed)


def set_posting(ids: Sequence[int], *, at: datetime) -> list[ChangedGroup]:
    """Pending → posting under one attempt more, for those of `ids` that are pending; groups with their ids and `ready_at`."""
    return _grouped(
        f"UPDATE {TABLE} SET state = %s, attempt = attempt + 1, posted_at = %s, code = '', detail = ''"  # noqa: S608 - words of ours; values are parameters
        f" WHERE id IN ({id_list.in_list()}) AND state = %s",
        [MessageState.POSTING.value, stored(at), id_list.parameter(list(ids)), MessageState.PENDING.value],
        ids=True,
        ready_at=True,
    )


def set_queued(accepted: Sequence[Acceptance], *, at: datetime) -> list[ChangedGroup]:
    """Posting → queued, for those that are still posting in the attempt that was accepted; groups with their ids."""
    names = Acceptance.__struct_fields__
    if connection.vendor == "postgresql":
        source = "unnest(%s::bigint[], %s::int[], %s::text[]) AS v(message_id, attempt, provider_id)"
        values: list[Any] = [[getattr(one, name) for one in accepted] for name in names]
    else:
        columns = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in names)
        source = f"(SELECT {columns} FROM json_each(%s)) AS v"  # noqa: S608 - words of ours; values are parameters
        values = [msgspec.json.encode(accepted).decode()]
    return _grouped(
        f"UPDATE {TABLE} AS m SET state = %s, queued_at = coalesce(m.queued_at, %s), provider_id = v.provider_id"  # noqa: S608 - words of ours; values are parameters
        f" FROM {source} WHERE m.id = v.message_id AND m.state = %s AND m.attempt = v.attempt",
        [MessageState.QUEUED.value, stored(at), *values, MessageState.POSTING.value],
        ids=True,
    )


def set_cancelled(send_id: int, *, at: datetime) -> list[ChangedGroup]:
    """Pending → cancelled, for a whole send of perhaps a hundred thousand; groups without ids."""
    return _grouped(
        f"UPDATE {TABLE} SET state = %s, final_at = %s WHERE send_id = %s AND state = %s",  # noqa: S608 - words of ours; values are parameters
        [MessageState.CANCELLED.value, stored(at), send_id, MessageState.PENDING.value],
    )


def _grouped(
    statement: str, values: Sequence[Any], *, ids: bool = False, ready_at: bool = False
) -> list[ChangedGroup]:
    columns = ", ".join(_GROUPED)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            listed = "array_agg(id)" if ids else "NULL"
            when = "NULL::timestamptz"
            if ready_at:
                when = f"(SELECT greatest(s.created_at, s.due_at) FROM {Send._meta.db_table} s WHERE s.id = changed.send_id)"  # noqa: S608 - words of ours; values are parameters
            cursor.execute(
                f"WITH changed AS ({statement} RETURNING id, {columns})"  # noqa: S608 - words of ours; values are parameters
                f" SELECT count(*), {listed}, {when}, {columns} FROM changed GROUP BY {columns}",
                values,
            )
            return [ChangedGroup(*row) for row in cursor.fetchall()]
        cursor.execute(f"{statement} RETURNING id, {columns}", values)
        found = cursor.fetchall()
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for pk, *rest in found:
        groups[tuple(rest)].append(pk)
    starts = Send.ready_times({send_id for send_id, *_ in groups}) if ready_at else {}
    return [
        ChangedGroup(
            len(listed), listed if ids else None, starts.get(row[0]), *row[:-2], *map(_moment, row[-2:])
        )
        for row, listed in groups.items()
    ]


def _moment(value: str | datetime | None) -> datetime | None:
    """A time as SQLite returns it to a statement of our own: in UTC, with no zone, and as text where it knows no type."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
