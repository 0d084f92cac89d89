"""The ledger's arithmetic: how a message's state moves, and how counters follow. The only code that writes `Message.state`.

Called by `sms.compose` (creation), `sms.dispatch` (arm, record, sweep) and `sms.receipts` (fold), always inside their transaction.
A state is the maximum of everything known, so a late, repeated or reordered piece of news changes nothing.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Count, Max, Sum

from sms.models import many, outbox
from sms.models.insert import Later, insert
from sms.models.message import FINAL, Message, MessageState
from sms.models.outbox import Change
from sms.models.send import StateCount

among = many.among

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


COUNTED = ("send_id", "state", "code", "window", "delta")
NOT_POSTED = frozenset({MessageState.PENDING, MessageState.CANCELLED, MessageState.EXPIRED})


class News(msgspec.Struct, frozen=True, gc=False):
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


@dataclass(slots=True)
class Tally:
    """Counter deltas of one transaction, written once at its end. Kept by send, state, code and window of posting."""

    moves: Counter[tuple[int, str, str, int]]

    @classmethod
    def new(cls) -> "Tally":
        """Nothing moved yet."""
        return cls(Counter())

    def move(
        self,
        send_id: int,
        *,
        old: tuple[str, str] | None,
        new: tuple[str, str],
        count: int = 1,
        posted: datetime | None = None,
    ) -> None:
        """`count` messages, posted last at `posted`, went from (state, code) to (state, code); `old` is None at creation.

        Only failures count by code.
        """
        if old is not None:
            self.moves[(send_id, *_key(old, posted))] -= count
        self.moves[(send_id, *_key(new, posted))] += count

    def write(self, *, later: Later | None = None) -> None:
        """Insert the deltas."""
        rows = [(*place, delta) for place, delta in sorted(self.moves.items()) if delta]
        insert(StateCount, COUNTED, rows, later=later)
        self.moves.clear()


def window_of(at: datetime) -> int:
    """The five minutes that a moment is in."""
    return int(at.timestamp()) // StateCount.WINDOW


def _key(place: tuple[str, str], posted: datetime | None) -> tuple[str, str, int]:
    state, code = place
    return (
        str(state),
        code if state == MessageState.FAILED else "",
        0 if posted is None or state in NOT_POSTED else window_of(posted),
    )


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


class _Row(msgspec.Struct, gc=False):
    """What the ledger knows of a message; its names and order are those of READ."""

    id: int
    send_id: int
    attempt: int
    posted_at: datetime | None
    state: str
    code: str
    detail: str
    provider_id: str
    carrier: str
    segments_billed: int | None
    queued_at: datetime | None
    submitted_at: datetime | None
    final_at: datetime | None


READ = ("id", "send_id", "attempt", "posted_at", *COLUMNS)


def apply(news: Sequence[News], *, tally: Tally) -> dict[int, int]:
    """Fold news into the message rows, forward only; returns the attempts made of those that exist, by id.

    Rows are locked in order of id, so that two folders never deadlock.
    """
    if not news:
        return {}
    by_message: dict[int, list[News]] = defaultdict(list)
    for item in news:
        by_message[item.message_id].append(item)
    rows = _locked(sorted(by_message))
    listeners = outbox.listening()
    told: list[Change] = []
    changed: list[_Row] = []
    for row in rows:
        before, moved = (row.state, row.code), False
        for item in by_message[row.id]:
            was = (row.state, row.code)
            if _fold(row, item):
                moved = True
                if listeners and not item.returned:
                    told.append(_change(row, item, moved=(row.state, row.code) != was))
        if moved:
            changed.append(row)
            if (row.state, row.code) != before:
                tally.move(row.send_id, old=before, new=(row.state, row.code), posted=row.posted_at)
    _write(changed)
    outbox.tell(told, listeners)
    return {row.id: row.attempt for row in rows}


def _change(row: "_Row", item: News, *, moved: bool) -> Change:
    return Change(
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


def arm(message_ids: Sequence[int], *, at: datetime, tally: Tally) -> set[int]:
    """Pending → posting, one attempt more; returns the ids that really were pending. The caller holds the slice's fence."""
    if not message_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Message._meta.db_table} SET state = %s, attempt = attempt + 1, posted_at = %s, code = '', detail = ''"  # noqa: S608
            f" WHERE id IN ({many.in_list()}) AND state = %s RETURNING id, send_id",
            [
                MessageState.POSTING.value,
                connection.ops.adapt_datetimefield_value(at),
                many.parameter(list(message_ids)),
                MessageState.PENDING.value,
            ],
        )
        rows = cursor.fetchall()
    for send_id, count in Counter(send_id for _, send_id in rows).items():
        tally.move(
            send_id, old=(MessageState.PENDING, ""), new=(MessageState.POSTING, ""), count=count, posted=at
        )
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
            f" FROM {source} WHERE m.id = v.message AND m.state = %s AND m.attempt = v.try RETURNING id, send_id, posted_at",
            [
                MessageState.QUEUED.value,
                connection.ops.adapt_datetimefield_value(at),
                *values,
                MessageState.POSTING.value,
            ],
        )
        rows = cursor.fetchall()
    for (send_id, posted), count in Counter((row[1], row[2]) for row in rows).items():
        tally.move(
            send_id,
            old=(MessageState.POSTING, ""),
            new=(MessageState.QUEUED, ""),
            count=count,
            posted=_moment(posted),
        )
    if listeners := outbox.listening():
        attempts = {pk: attempt for pk, attempt, _ in accepted}
        queued = MessageState.QUEUED.value
        outbox.tell([Change(row[0], row[1], queued, "", "", at, attempts[row[0]]) for row in rows], listeners)
    if len(rows) < len(accepted):
        done = {row[0] for row in rows}
        apply(
            [
                News(pk, MessageState.QUEUED, at, provider_id=provider_id)
                for pk, _, provider_id in accepted
                if pk not in done
            ],
            tally=tally,
        )


def _moment(value: Any) -> Any:
    """A time as a cursor of our own returned it: on SQLite it is text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def cancel(send_id: int, *, at: datetime, tally: Tally) -> int:
    """Pending → cancelled for a whole send; returns how many. The caller has locked the send's slices."""
    pending = Message.objects.filter(send_id=send_id, state=MessageState.PENDING)
    if listeners := outbox.listening():
        cancelled = MessageState.CANCELLED.value
        rows = pending.values_list("pk", "attempt")
        outbox.tell([Change(pk, send_id, cancelled, "", "", at, attempt) for pk, attempt in rows], listeners)
    stopped = pending.update(state=MessageState.CANCELLED, final_at=at)
    tally.move(send_id, old=(MessageState.PENDING, ""), new=(MessageState.CANCELLED, ""), count=stopped)
    return stopped


def _locked(ids: list[int]) -> list[_Row]:
    """Locked on PostgreSQL; on SQLite the IMMEDIATE transaction is the lock.

    As one JSON text there and back, because reading thousands of times one by one took most of folding's time.
    """
    if connection.vendor != "postgresql":
        rows = Message.objects.filter(pk__in=among(ids)).order_by("pk")
        return [_Row(*values) for values in rows.values_list(*READ)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(json_agg(m), '[]')::text FROM (SELECT {', '.join(READ)} FROM {Message._meta.db_table}"  # noqa: S608
            f" WHERE id IN ({many.in_list()}) ORDER BY id FOR NO KEY UPDATE) AS m",
            [ids],
        )
        found: list[_Row] = msgspec.json.decode(cursor.fetchone()[0], type=list[_Row])
    return found


def _fold(row: _Row, item: News) -> bool:
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


def _second_end(row: _Row, item: News) -> bool:
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


def _write(rows: Sequence[_Row]) -> None:
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
