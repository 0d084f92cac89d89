"""A send, its messages and the slices that cover them, as `sms.compose` stores them: a dispatcher leases slices, not messages."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise

from django.db import DEFAULT_DB_ALIAS, connection

from sms.ledger.counters import CounterDeltas
from sms.ledger.settled import settle_after
from sms.models import Echo, Message, MessageState, Send, SendState, Slice
from sms.models.sql.clock import corrected_now
from sms.models.sql.insert import StatementBatch, copy, insert
from sms.values.msisdn import country_of

RAMP_FROM = 100  # messages: of fewer, one percent says nothing
SLICE = 500  # messages per lease: small enough to share between dispatchers, large enough that a claim costs nothing


@dataclass(frozen=True, slots=True)
class MessageContent:
    """What is stored of a message: its text after substitution (empty where the provider's template makes it) and its segments."""

    row: int  # where it stands in the audience
    msisdn: str  # E.164 with its plus
    text: str
    substitutions: dict[str, str]  # for the provider, where it substitutes
    segments: int
    zone: str = ""  # IANA time zone of the recipient, where a column says
    correlation_id: str = ""  # what it is called by those who asked for it
    reference: str = ""  # and what they call the recipient


SEND = tuple(field.attname for field in Send._meta.concrete_fields if not field.primary_key)
MESSAGE = ("send_id", "msisdn", "country", "row", "text", "substitutions", "segments", "zone", "state")
RUN = ("send_id", "service_id", "first_id", "last_id", "due_at", "lane", "stage", "simulated")


class IdGuard:
    """Asked before messages are written, outside their transaction: ids that a lost history used are left out by then.

    Whoever knows of lost histories is in a later room; `sms.apps` fills it.
    """

    def __init__(self) -> None:
        self.look: Callable[[], object] = lambda: None


id_guard = IdGuard()


def begin(**fields: object) -> Send:
    """A send, whose messages are to follow in the same transaction."""
    send = Send(created_at=corrected_now(), **fields)
    send.pk = insert(Send, SEND, [[getattr(send, name) for name in SEND]])[0]
    send._state.adding, send._state.db = False, DEFAULT_DB_ALIAS
    return send


def store(
    send: Send, lines: Sequence[MessageContent], *, deltas: CounterDeltas, batch: StatementBatch
) -> list[int]:
    """Messages in the order of their rows, and with `batch` the slices that cover them; returns the messages' ids."""
    pending = iter(_pending(send, lines, deltas))
    slices, ids = list[tuple[object, ...]](), list[int]()
    for stage, size in _runs(len(lines), ramp=send.ramp):
        stored = insert(Message, MESSAGE, list(islice(pending, size)))
        ids += stored
        slices.append(_slice(send, stored[0], stored[-1], stage))
    insert(Slice, RUN, slices, batch=batch)
    _store_names(send, lines, ids)
    return ids


def pour(send: Send, lines: Sequence[MessageContent], *, deltas: CounterDeltas) -> None:
    """Messages of a PREPARING send, a block of them in the order of their rows; no slices yet, those `open_send` makes."""
    copy(Message, MESSAGE, _pending(send, lines, deltas))
    if any(line.correlation_id or line.reference for line in lines):
        latest = Message.objects.filter(send=send).order_by("-pk").values_list("pk", flat=True)
        _store_names(send, lines, sorted(latest[: len(lines)]))


def _store_names(send: Send, lines: Sequence[MessageContent], ids: Sequence[int]) -> None:
    named = [
        (pk, send.service_id, line.correlation_id, line.reference)
        for pk, line in zip(ids, lines, strict=True)
        if line.correlation_id or line.reference
    ]
    if named:
        insert(Echo, ("message_id", "service_id", "correlation_id", "reference"), named)


def _pending(send: Send, lines: Sequence[MessageContent], deltas: CounterDeltas) -> list[tuple[object, ...]]:
    """The rows of MESSAGE, which are counted."""
    countries = [country_of(line.msisdn) for line in lines]
    deltas.create(send.pk, zip(countries, (line.segments for line in lines), strict=True))
    return [
        (
            *(send.pk, line.msisdn, country, line.row, line.text, line.substitutions),
            *(line.segments, line.zone, MessageState.PENDING),
        )
        for line, country in zip(lines, countries, strict=True)
    ]


def _slice(send: Send, first: int, last: int, stage: int) -> tuple[object, ...]:
    return (send.pk, send.service_id, first, last, send.due_at, int(send.lane), stage, send.simulated)


def state_of(*, due_at: datetime, approvers: int, now: datetime) -> SendState:
    """What a send becomes once all its messages are there. Small and large sends get their state here, and nowhere else."""
    if approvers:
        return SendState.AWAITING
    return SendState.SCHEDULED if due_at > now else SendState.SENDING


def open_send(send: Send, *, runs: Sequence[tuple[int, int, int]], now: datetime) -> None:
    """All messages of a PREPARING send are stored: cover them with slices (`runs_of`), so that they can be leased, and give it its state.

    In the transaction of the caller, who has locked the send.
    """
    insert(Slice, RUN, [_slice(send, *run) for run in runs])
    send.state = (
        state_of(due_at=send.due_at, approvers=send.approvers, now=now)
        if send.recipients
        else SendState.FINISHED
    )
    if send.state == SendState.FINISHED:
        send.posted_at = now
        settle_after([send.pk])
    send.save(update_fields=["state", "recipients", "rejected", "ramp", "posted_at"])


def runs_of(send: Send) -> list[tuple[int, int, int]]:
    """First and last message and stage of each slice, as `store` would have cut them; other sends may have ids in between.

    Looks at every message that is stored, so it is asked before a transaction that others wait for.
    """
    starts = [0, *stage_ends(send.recipients, ramp=send.ramp)]
    stage = " ".join(f"WHEN n < {end} THEN {number}" for number, end in enumerate(starts[1:]))
    start = " ".join(f"WHEN n < {end} THEN {begin}" for begin, end in pairwise(starts))
    numbered = "SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM sms_message WHERE send_id = %s"
    cut = f"SELECT id, CASE {stage} END AS stage, (n - CASE {start} END) / {SLICE} AS run FROM ({numbered}) AS numbered"  # noqa: S608 - words of ours; values are parameters
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT min(id), max(id), stage FROM ({cut}) AS cut GROUP BY stage, run ORDER BY stage, run",  # noqa: S608 - words of ours; values are parameters
            [send.pk],
        )
        return [(first, last, stage) for first, last, stage in cursor.fetchall()]


def ramps(count: int) -> bool:
    """Whether there are enough of them to start small."""
    return count >= RAMP_FROM


def stage_ends(count: int, *, ramp: bool) -> list[int]:
    """How many messages each stage goes up to: a ramp begins with one percent, goes on to ten, and ends with the rest."""
    return [-(-count // 100), -(-count // 10), count] if ramp else [count]


def _runs(count: int, *, ramp: bool) -> Iterator[tuple[int, int]]:
    done = 0
    for stage, end in enumerate(stage_ends(count, ramp=ramp)):
        while done < end:
            size = min(SLICE, end - done)
            yield stage, size
            done += size
