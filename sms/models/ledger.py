"""The ledger's arithmetic: how a message's state moves, and how counters follow. The only code that writes `Message.state`.

Called by `sms.compose` (creation), `sms.dispatch` (arm, record, sweep) and `sms.receipts` (fold), always inside their transaction.
A state is the maximum of everything known, so a late, repeated or reordered piece of news changes nothing.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, QuerySet, Sum

from sms.models.message import FINAL, Message, MessageState
from sms.models.send import StateCount

RANK: Mapping[str, int] = {
    MessageState.PENDING: 0,
    MessageState.POSTING: 10,
    MessageState.UNCONFIRMED: 20,
    MessageState.QUEUED: 30,
    MessageState.SUBMITTED: 40,
    MessageState.FAILED: 80,
    MessageState.CANCELLED: 80,
    MessageState.EXPIRED: 80,
    MessageState.DELIVERED: 90,
}


@dataclass(frozen=True, slots=True)
class News:
    """One piece of news about one message.

    `state` is the state it proves. `returned` (with state pending) is the only way down: the attempt certainly never reached
    the provider, and it counts only while that attempt is still open.
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


@dataclass(slots=True)
class Tally:
    """Counter deltas of one transaction, written once at its end."""

    moves: Counter[tuple[int, str, str]]

    @classmethod
    def new(cls) -> "Tally":
        """Nothing moved yet."""
        return cls(Counter())

    def move(
        self, send_id: int, *, old: tuple[str, str] | None, new: tuple[str, str], count: int = 1
    ) -> None:
        """`count` messages went from (state, code) to (state, code); `old` is None at creation. Only failures count by code."""
        if old is not None:
            self.moves[(send_id, old[0], _code(old))] -= count
        self.moves[(send_id, new[0], _code(new))] += count

    def write(self) -> None:
        """Insert the deltas."""
        StateCount.objects.bulk_create(
            StateCount(send_id=send, state=state, code=code, delta=delta)
            for (send, state, code), delta in sorted(self.moves.items())
            if delta
        )
        self.moves.clear()


def _code(key: tuple[str, str]) -> str:
    return key[1] if key[0] == MessageState.FAILED else ""


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


def apply(news: Sequence[News], *, tally: Tally) -> set[int]:
    """Fold news into the message rows, forward only; returns the ids that exist.

    Rows are locked in order of id, so that two folders never deadlock.
    """
    if not news:
        return set()
    wanted = sorted({item.message_id for item in news})
    rows = {row.pk: row for row in _locked(Message.objects.filter(pk__in=wanted))}
    changed: dict[int, Message] = {}
    for item in news:
        row = rows.get(item.message_id)
        if row is None:
            continue
        before = (row.state, row.code)
        if _fold(row, item):
            changed[row.pk] = row
            if (row.state, row.code) != before:
                tally.move(row.send_id, old=before, new=(row.state, row.code))
    _write(changed.values())
    return set(rows)


def arm(message_ids: Sequence[int], *, at: datetime, tally: Tally) -> set[int]:
    """Pending → posting, one attempt more; returns the ids that really were pending. The caller holds the slice's fence."""
    if not message_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Message._meta.db_table} SET state = %s, attempt = attempt + 1, posted_at = %s, code = '', detail = ''"  # noqa: S608
            f" WHERE id IN ({_ids()}) AND state = %s RETURNING id, send_id",
            [
                MessageState.POSTING.value,
                connection.ops.adapt_datetimefield_value(at),
                _list(list(message_ids)),
                MessageState.PENDING.value,
            ],
        )
        rows = cursor.fetchall()
    _moved(rows, MessageState.PENDING, MessageState.POSTING, tally)
    return {pk for pk, _ in rows}


def accept(accepted: Sequence[tuple[int, int, str]], *, at: datetime, tally: Tally) -> None:
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
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} AS m SET state = %s, queued_at = coalesce(m.queued_at, %s), provider_id = v.provider"  # noqa: S608
            f" FROM {source} WHERE m.id = v.message AND m.state = %s AND m.attempt = v.try RETURNING id, send_id",
            [
                MessageState.QUEUED.value,
                connection.ops.adapt_datetimefield_value(at),
                *values,
                MessageState.POSTING.value,
            ],
        )
        rows = cursor.fetchall()
    _moved(rows, MessageState.POSTING, MessageState.QUEUED, tally)
    if len(rows) < len(accepted):
        done = {pk for pk, _ in rows}
        apply(
            [
                News(pk, MessageState.QUEUED, at, attempt=attempt, provider_id=provider_id)
                for pk, attempt, provider_id in accepted
                if pk not in done
            ],
            tally=tally,
        )


def _moved(rows: Iterable[tuple[int, int]], old: str, new: str, tally: Tally) -> None:
    for send_id, count in Counter(send_id for _, send_id in rows).items():
        tally.move(send_id, old=(old, ""), new=(new, ""), count=count)


def _ids() -> str:
    """What stands in `IN (…)` for a list of ids given as one parameter, so that the statement's text is always the same."""
    return (
        "SELECT unnest(%s::bigint[])"
        if connection.vendor == "postgresql"
        else "SELECT value FROM json_each(%s)"
    )


def _list(ids: list[int]) -> Any:
    return ids if connection.vendor == "postgresql" else json.dumps(ids)


def cancel(send_id: int, *, at: datetime, tally: Tally) -> int:
    """Pending → cancelled for a whole send; returns how many. The caller has locked the send's slices."""
    pending = Message.objects.filter(send_id=send_id, state=MessageState.PENDING)
    stopped = pending.update(state=MessageState.CANCELLED, final_at=at)
    tally.move(send_id, old=(MessageState.PENDING, ""), new=(MessageState.CANCELLED, ""), count=stopped)
    return stopped


def _locked(rows: "QuerySet[Message]") -> "QuerySet[Message]":
    """Locked on PostgreSQL; on SQLite the IMMEDIATE transaction is the lock."""
    rows = rows.order_by("pk").only("pk", "send_id", "attempt", "posted_at", *COLUMNS)
    return rows.select_for_update() if connection.features.has_select_for_update else rows


def _fold(row: Message, item: News) -> bool:
    """One piece of news into one row; True where something changed."""
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
    changed = _stamp(row, item) or changed
    if RANK[item.state] > RANK[row.state]:
        row.state, row.code, row.detail = item.state, item.code[:10], item.detail[:200]
        changed = True
    return changed


def _stamp(row: Message, item: News) -> bool:
    """The first time each milestone was reached."""
    column = {MessageState.QUEUED: "queued_at", MessageState.SUBMITTED: "submitted_at"}.get(
        MessageState(item.state)
    )
    if item.state in FINAL and (row.final_at is None or RANK[item.state] > RANK[row.state]):
        column = "final_at"
    if column is None or (column != "final_at" and getattr(row, column) is not None):
        return False
    setattr(row, column, item.at)
    return True


_TYPES = (
    "bigint",
    "text",
    "text",
    "text",
    "text",
    "text",
    "smallint",
    "timestamptz",
    "timestamptz",
    "timestamptz",
)


def _write(rows: Iterable[Message]) -> None:
    """Write COLUMNS of many rows at once: unnest on PostgreSQL, executemany on SQLite (no round trip there)."""
    values = [(row.pk, *(getattr(row, column) for column in COLUMNS)) for row in rows]
    if not values:
        return
    table = Message._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{kind}[]" for kind in _TYPES)
            sets = ", ".join(f"{column} = v.{column}" for column in COLUMNS)
            cursor.execute(
                f"UPDATE {table} m SET {sets} FROM unnest({arrays}) AS v(id, {', '.join(COLUMNS)}) WHERE m.id = v.id",  # noqa: S608
                [list(column) for column in zip(*values, strict=True)],
            )
        else:
            sets = ", ".join(f"{column} = %s" for column in COLUMNS)
            cursor.executemany(
                f"UPDATE {table} SET {sets} WHERE id = %s",  # noqa: S608
                [(*(_plain(value) for value in rest), pk) for pk, *rest in values],
            )


def _plain(value: Any) -> Any:
    """Times as SQLite stores them."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def squash(*, keep: int = 16) -> int:
    """Fold each counter's deltas into one row; returns the rows saved. Run by the tick, harmless at any time."""
    saved = 0
    crowded = (
        StateCount.objects.values("send_id", "state", "code")
        .annotate(rows=Count("id"))
        .filter(rows__gt=keep)
        .order_by("send_id")
    )
    for key in list(crowded):
        with transaction.atomic():
            same = StateCount.objects.filter(send_id=key["send_id"], state=key["state"], code=key["code"])
            locked = same.select_for_update() if connection.features.has_select_for_update else same
            ids = list(locked.order_by("pk").values_list("pk", flat=True))
            total = StateCount.objects.filter(pk__in=ids).aggregate(total=Sum("delta"))["total"] or 0
            StateCount.objects.filter(pk__in=ids).delete()
            if total:
                StateCount.objects.create(
                    send_id=key["send_id"], state=key["state"], code=key["code"], delta=total
                )
            saved += len(ids) - 1
    return saved
