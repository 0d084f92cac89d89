"""The ledger's arithmetic: how a message's state moves, and how counters follow. The only code that writes `Message.state`.

Called by `sms.compose` (creation), `sms.dispatch` (arm, record, sweep) and `sms.inbound.receipts` (fold), always inside their transaction.
A state is the maximum of everything known, so a late, repeated or reordered piece of news changes nothing.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Count, Max, Sum

from sms.callbacks import outbox
from sms.callbacks.bodies import MessageChange
from sms.ledger.counters import (
    CounterDeltas,
    CountKey,
    MessageRow,
    RowSnapshot,
    hour_of,
    moves_hour,
    window_of,
)
from sms.models.link import Click
from sms.models.message import FINAL, Message, MessageState
from sms.models.send import Send, StateCount
from sms.models.sql import id_list
from sms.models.sql.pipeline import pipelined, rows

__all__ = [
    "RANK",
    "CounterDeltas",
    "StateChange",
    "accept",
    "among",
    "apply",
    "arm",
    "cancel",
    "squash",
    "window_of",
]

among = id_list.among

RANK: Mapping[str, int] = {
    MessageState.PENDING: 0,
    MessageState.POSTING: 10,
    MessageState.UNCONFIRMED: 20,
    MessageState.QUEUED: 30,
    MessageState.SUBMITTED: 40,
    MessageState.NO_REPORT: 60,
    MessageState.FAILED: 80,
    MessageState.CANCELLED: 80,
    MessageState.EXPIRED: 80,
    MessageState.DELIVERED: 90,
}


class StateChange(msgspec.Struct, frozen=True, gc=False):
    """One piece of news about one message.

    `state` is the state it proves. News of an attempt beyond those that were made is none (0: of no
    attempt in particular). `returned` (with state pending) is the only way down: the attempt certainly
    never reached the provider, and it counts only while that attempt is still open.
    """

    message_id: int
    state: str
    at: datetime
    attempt: int = 0
    code: str = ""
    detail: str = ""
    provider_id: str = ""
    carrier: str = ""
    segments: int | None = None
    returned: bool = False
    raw: bytes = b""  # the receipt that tells it


COLUMNS = (
    "state",
    "code",
    "detail",
    "provider_id",
    "carrier",
    "segments_billed",
    "queued_at",
    "submitted_at",
    "final_at",
)


ALIKE = ("send_id", "country", "carrier", "segments", "segments_billed")  # in the order of `CountKey`
PART = 850  # messages that are folded while PostgreSQL writes those before
READ = ("id", "send_id", "attempt", "posted_at", "country", "segments", *COLUMNS)


def apply(news: Sequence[StateChange], *, tally: CounterDeltas) -> dict[int, int]:
    """Fold news into the message rows, forward only; returns the attempts made of those that exist, by id.

    Rows are locked in order of id, so that two folders never deadlock.
    """
    if not news:
        return {}
    by_message: dict[int, list[StateChange]] = defaultdict(list)
    for item in news:
        by_message[item.message_id].append(item)
    found = _locked(sorted(by_message))
    listeners = outbox.listening()
    told: list[MessageChange] = []
    moved: list[tuple[MessageRow, RowSnapshot]] = []
    with pipelined():
        for start in range(0, len(found), PART):  # one part is written while the next is folded
            part = list(_folded(found[start : start + PART], by_message, told if listeners else None))
            _write([row for row, _ in part])
            _count(part, tally)
            moved += part
    _move_clicks(moved, tally)
    outbox.tell(told, listeners)
    return {row.id: row.attempt for row in found}


def _folded(
    found: Sequence[MessageRow],
    by_message: Mapping[int, Sequence[StateChange]],
    told: list[MessageChange] | None,
) -> Iterator[tuple[MessageRow, RowSnapshot]]:
    """Fold each row's news into it; the rows that changed, and what they were. What listeners may hear of goes to `told`."""
    for row in found:
        before, moved = RowSnapshot.of(row), False
        for item in by_message[row.id]:
            was = (row.state, row.code)
            if _fold(row, item):
                moved = True
                if told is not None and not item.returned:
                    told.append(_change(row, item, moved=(row.state, row.code) != was))
        if moved:
            yield row, before


def _count(changed: Sequence[tuple[MessageRow, RowSnapshot]], tally: CounterDeltas) -> None:
    """Counters and facts of rows that changed."""
    begun = _begun({row.send_id for row, before in changed if moves_hour(row, before)})
    for row, before in changed:
        tally.change(row, before, begun)


def _move_clicks(changed: Sequence[tuple[MessageRow, RowSnapshot]], tally: CounterDeltas) -> None:
    """Clicks go where their message goes."""
    elsewhere = {
        row.id: (row, before)
        for row, before in changed
        if row.carrier != before.carrier and RANK[before.state] >= RANK[MessageState.SUBMITTED]
    }
    if not elsewhere:
        return
    verdicts: dict[int, list[str]] = defaultdict(list)
    clicks = Click.objects.filter(message_id__in=among(elsewhere), rules_version__gt=0).order_by()
    for message_id, verdict in clicks.values_list("message_id", "verdict"):
        verdicts[message_id].append(verdict)
    for message_id, its in verdicts.items():
        row, before = elsewhere[message_id]
        hour = hour_of(row.state, row.posted_at)
        tally.clicks((row.send_id, hour, row.country, before.carrier), its, -1)
        tally.clicks((row.send_id, hour, row.country, row.carrier), its, 1)


def _begun(send_ids: Collection[int]) -> dict[int, datetime]:
    """When the first message of each send could be posted."""
    rows = Send.objects.filter(pk__in=send_ids) if send_ids else Send.objects.none()
    return {
        pk: max(created, due)
        for pk, created, due in rows.values_list("pk", "created_at", "due_at").order_by()
    }


def _change(row: "MessageRow", item: StateChange, *, moved: bool) -> MessageChange:
    return MessageChange(
        row.id,
        row.send_id,
        item.state,
        item.code[:10],
        item.detail,
        item.at,
        row.attempt,
        item.segments,
        item.carrier,
        item.raw,
        moved,
    )


def arm(message_ids: Sequence[int], *, at: datetime, tally: CounterDeltas) -> set[int]:
    """Pending → posting, one attempt more; returns the ids that really were pending. The caller holds the slice's fence."""
    if not message_ids:
        return set()
    statement = (
        f"UPDATE {Message._meta.db_table} SET state = %s, attempt = attempt + 1, posted_at = %s, code = '', detail = ''"  # noqa: S608
        f" WHERE id IN ({id_list.in_list()}) AND state = %s"
    )
    values = [
        MessageState.POSTING.value,
        connection.ops.adapt_datetimefield_value(at),
        id_list.parameter(list(message_ids)),
        MessageState.PENDING.value,
    ]
    marked: set[int] = set()
    for ids, begun, row in _moved(statement, values, ALIKE, begun=True):
        alike = CountKey(*row)
        tally.move(alike, MessageState.PENDING, MessageState.POSTING, len(ids), posted=at)
        tally.time("wait", alike, at, begun, at, len(ids))
        marked.update(ids)
    return marked


def _moved(
    statement: str, values: Sequence[Any], columns: Sequence[str], *, begun: bool = False
) -> list[tuple[list[int], Any, tuple[Any, ...]]]:
    """Run an UPDATE of messages: their ids by what `columns` say of them, with the time from which their send could go if asked.

    Grouped by PostgreSQL itself, because reading the same values for each of hundreds took longer than the UPDATE.
    """
    listed, since = ", ".join(columns), Send._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            when = f"(SELECT greatest(s.created_at, s.due_at) FROM {since} s WHERE s.id = moved.send_id)"  # noqa: S608
            cursor.execute(
                f"WITH moved AS ({statement} RETURNING id, {listed})"  # noqa: S608
                f" SELECT array_agg(id), {when if begun else 'NULL'}, {listed} FROM moved GROUP BY {listed}",
                values,
            )
            return [(ids, since, tuple(rest)) for ids, since, *rest in cursor.fetchall()]
        cursor.execute(f"{statement} RETURNING id, {listed}", values)
        rows = cursor.fetchall()
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for pk, *rest in rows:
        groups[tuple(rest)].append(pk)
    place = columns.index("send_id")
    starts = _begun({row[place] for row in groups}) if begun else {}
    return [(ids, starts.get(row[place]), row) for row, ids in groups.items()]


def accept(accepted: Sequence[tuple[int, int, str]], *, at: datetime, tally: CounterDeltas) -> None:
    """(message, attempt, provider id) that the provider took: posting → queued in one statement.

    Whoever is elsewhere by now, because a receipt was faster or the sweep came first, takes the general way.
    """
    if not accepted:
        return
    table, columns = Message._meta.db_table, list(zip(*accepted, strict=True))
    if connection.vendor == "postgresql":
        source = "unnest(%s::bigint[], %s::int[], %s::text[]) AS v(message, try, provider)"
        values: list[Any] = [list(column) for column in columns]
    else:
        source = (
            "(SELECT json_extract(value, '$[0]') AS message, json_extract(value, '$[1]') AS try,"
            " json_extract(value, '$[2]') AS provider FROM json_each(%s)) AS v"
        )
        values = [json.dumps(accepted)]
    statement = (
        f"UPDATE {table} AS m SET state = %s, queued_at = coalesce(m.queued_at, %s), provider_id = v.provider"  # noqa: S608
        f" FROM {source} WHERE m.id = v.message AND m.state = %s AND m.attempt = v.try"
    )
    given = [
        MessageState.QUEUED.value,
        connection.ops.adapt_datetimefield_value(at),
        *values,
        MessageState.POSTING.value,
    ]
    sends: dict[int, int] = {}
    for ids, _, (posted, queued, *row) in _moved(statement, given, ("posted_at", "queued_at", *ALIKE)):
        alike, posted_at = CountKey(*row), _moment(posted)
        tally.move(alike, MessageState.POSTING, MessageState.QUEUED, len(ids), posted=posted_at)
        tally.time("submit", alike, _moment(queued), posted_at, posted_at, len(ids))
        sends.update(dict.fromkeys(ids, alike.send_id))
    if listeners := outbox.listening():
        attempts = {pk: attempt for pk, attempt, _ in accepted}
        queued = MessageState.QUEUED.value
        outbox.tell(
            [MessageChange(pk, send_id, queued, "", "", at, attempts[pk]) for pk, send_id in sends.items()],
            listeners,
        )
    if len(sends) < len(accepted):
        apply(
            [
                StateChange(pk, MessageState.QUEUED, at, provider_id=provider_id)
                for pk, _, provider_id in accepted
                if pk not in sends
            ],
            tally=tally,
        )


def _moment(value: Any) -> Any:
    """A time as a cursor of our own returned it: on SQLite it is text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def cancel(send_id: int, *, at: datetime, tally: CounterDeltas) -> int:
    """Pending → cancelled for a whole send; returns how many. The caller has locked the send's slices."""
    pending = Message.objects.filter(send_id=send_id, state=MessageState.PENDING)
    if listeners := outbox.listening():
        cancelled = MessageState.CANCELLED.value
        rows = pending.values_list("pk", "attempt")
        outbox.tell(
            [MessageChange(pk, send_id, cancelled, "", "", at, attempt) for pk, attempt in rows], listeners
        )
    gone = (
        f"UPDATE {Message._meta.db_table} SET state = %s, final_at = %s WHERE send_id = %s AND state = %s"  # noqa: S608
        f" RETURNING {', '.join(ALIKE)}"
    )
    if connection.vendor == "postgresql":  # a send may have a hundred thousand: counted there
        gone = (
            f"WITH gone AS ({gone}) SELECT {', '.join(ALIKE)}, count(*) FROM gone GROUP BY {', '.join(ALIKE)}"  # noqa: S608
        )
    now = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(gone, [MessageState.CANCELLED.value, now, send_id, MessageState.PENDING.value])
        stopped: Counter[CountKey] = Counter()
        for row in cursor.fetchall():
            stopped[CountKey(*row[: len(ALIKE)])] += row[len(ALIKE)] if len(row) > len(ALIKE) else 1
    for alike, count in stopped.items():
        tally.move(alike, MessageState.PENDING, MessageState.CANCELLED, count)
    return stopped.total()


def _locked(ids: list[int]) -> list[MessageRow]:
    """Locked on PostgreSQL; on SQLite the IMMEDIATE transaction is the lock."""
    if connection.vendor == "postgresql":
        statement = (
            f"SELECT {', '.join(READ)} FROM {Message._meta.db_table} WHERE id = ANY(%s::bigint[])"  # noqa: S608
            " ORDER BY id FOR NO KEY UPDATE"
        )
        return [MessageRow(*values) for values in rows(statement, [ids])]
    listed = Message.objects.filter(pk__in=among(ids)).order_by("pk").values_list(*READ)
    return [MessageRow(*values) for values in listed]


def _fold(row: MessageRow, item: StateChange) -> bool:
    """One piece of news into one row; True where something changed."""
    if item.attempt > row.attempt:
        return False
    if item.returned:
        open_attempt = (
            row.state in (MessageState.POSTING, MessageState.UNCONFIRMED) and row.attempt == item.attempt
        )
        if open_attempt:
            row.state, row.code, row.detail = MessageState.PENDING, item.code, item.detail[:200]
        return open_attempt
    changed = False
    if item.provider_id and not row.provider_id:
        row.provider_id, changed = item.provider_id[:64], True
    if item.carrier and item.carrier != row.carrier:
        row.carrier, changed = item.carrier[:20], True
    if item.segments is not None and row.segments_billed is None:
        row.segments_billed, changed = item.segments, True
    if item.state == MessageState.SUBMITTED:
        if row.submitted_at is None or item.at < row.submitted_at:
            row.submitted_at, changed = item.at, True
    elif item.state == MessageState.QUEUED and row.queued_at is None:
        row.queued_at, changed = item.at, True
    if item.state in FINAL and row.state in FINAL:
        return _second_end(row, item) or changed
    if RANK[item.state] > RANK[row.state]:
        row.state, row.code, row.detail = str(item.state), item.code[:10], item.detail[:200]
        if item.state in FINAL:
            row.final_at = item.at
        changed = True
    return changed


def _second_end(row: MessageRow, item: StateChange) -> bool:
    """Two ends of one message: the surer one counts, of two alike the earlier. The other stays in the detail: a conflict."""
    state, code, at = row.state, row.code, row.final_at
    if item.state == state:
        if at is not None and (item.at, item.code[:10]) >= (at, code):
            return False
        row.code, row.final_at = item.code[:10], item.at
        if not row.detail.startswith(CONFLICT):
            row.detail = item.detail[:200]
        return True
    if RANK[item.state] > RANK[state]:
        row.state, row.code, row.final_at = str(item.state), item.code[:10], item.at
        row.detail = _conflict(state, code)
        return True
    if row.detail.startswith(CONFLICT):
        return False
    row.detail = _conflict(item.state, item.code)
    return True


CONFLICT = "Also reported "


def _conflict(state: str, code: str) -> str:
    return f"{CONFLICT}{MessageState(state).label.lower()}{f', code {code}' if code else ''}."[:200]


_TYPES = ("text", "text", "text", "text", "text", "smallint", "timestamptz", "timestamptz", "timestamptz")


def _write(rows: Sequence[MessageRow]) -> None:
    """Write COLUMNS of many rows at once: one JSON text on PostgreSQL, executemany on SQLite (no round trip there)."""
    if not rows:
        return
    table = Message._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            types = ", ".join(f"{column} {kind}" for column, kind in zip(COLUMNS, _TYPES, strict=True))
            sets = ", ".join(f"{column} = v.{column}" for column in COLUMNS)
            cursor.execute(
                f"UPDATE {table} m SET {sets} FROM json_to_recordset(%s::json) AS v(id bigint, {types}) WHERE m.id = v.id",  # noqa: S608
                [msgspec.json.encode(rows).decode()],
            )
        else:
            sets = ", ".join(f"{column} = %s" for column in COLUMNS)
            cursor.executemany(
                f"UPDATE {table} SET {sets} WHERE id = %s",  # noqa: S608
                [(*(_plain(getattr(row, column)) for column in COLUMNS), row.id) for row in rows],
            )


def _plain(value: Any) -> Any:
    """Times as SQLite stores them."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


SQUASHED = 50_000


def squash(*, keep: int = 16) -> int:
    """Fold each counter's deltas into one row; returns the rows saved. Run by the tick, harmless at any time.

    Looks at the newest SQUASHED rows only: what grows is among them, and a squashed row is new again.
    """
    saved = 0
    newest = StateCount.objects.aggregate(newest=Max("pk"))["newest"] or 0
    crowded = (
        StateCount.objects.filter(pk__gt=newest - SQUASHED)
        .values("send_id", "state", "code", "window")
        .annotate(rows=Count("id"))
        .filter(rows__gt=keep)
        .order_by("send_id")
    )
    for key in list(crowded):
        with transaction.atomic():
            kind = {name: key[name] for name in ("send_id", "state", "code", "window")}
            same = StateCount.objects.filter(**kind)
            locked = same.select_for_update() if connection.features.has_select_for_update else same
            ids = list(locked.order_by("pk").values_list("pk", flat=True))
            total = StateCount.objects.filter(pk__in=ids).aggregate(total=Sum("delta"))["total"] or 0
            StateCount.objects.filter(pk__in=ids).delete()
            if total:
                StateCount.objects.create(**kind, delta=total)
            saved += len(ids) - 1
    return saved
