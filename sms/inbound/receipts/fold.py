"""Folding: many receipts, one UPDATE. Forward only, so that order, repetition and delay do not matter.

A receipt that matches no message waits and is tried again, ever more seldom; one that cannot be read is set aside with its reason.
Neither holds up the others.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop
from msgspec.structs import replace

from sms.callbacks import outbox
from sms.callbacks.bodies import MessageChange
from sms.inbound import optouts
from sms.inbound.clicks.agents import Agent, agent_of
from sms.inbound.clicks.counts import judge_messages
from sms.inbound.receipts.shorten import erased_among, shortened
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.crash_points import point
from sms.ledger.state_machine import StateChange
from sms.models import Click, Message, MessageState, Receipt, ReceiptInbox, Service
from sms.models.receipt import GIVE_UP
from sms.models.sql.id_list import among
from sms.models.sql.pipeline import pipelined
from sms.models.sql.receipt_inbox import TakenReceipt, take_due
from sms.models.sql.session import database_now
from sms.models.sql.trouble import is_no_ones_fault
from sms.values import correlation_id
from sms.values.spans import spans
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import Notification, parse_receipt
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

# Translators: error is the name of a fault of the program.
BROKE_OFF = KeptSentence(gettext_noop("Applying it broke off: %(error)s"))

RETRY_AFTER = (10, 60, 600, 3600, 86_400)  # seconds until an unmatched receipt is tried again
SET_ASIDE = timedelta(days=3650)

STATES = {
    "submitted": MessageState.SUBMITTED,
    "delivered": MessageState.DELIVERED,
    "failed": MessageState.FAILED,
    "clicked": MessageState.DELIVERED,  # a link in a text that did not arrive cannot be opened
}
# these may: operators scan before they deliver
ON_THE_WAY = (Agent.SCANNER, Agent.CRAWLER, Agent.HEADLESS, Agent.TOOL)


class _Read(msgspec.Struct, frozen=True, gc=False):
    """A waiting receipt and what it says. `message_id` 0: of no message of ours that we know."""

    receipt_id: int
    tries: int
    message_id: int
    attempt: int
    service_id: int
    at: datetime
    note: Notification
    raw: bytes


def fold(*, limit: int = 5000, now: datetime | None = None) -> int:
    """Apply up to `limit` waiting receipts; returns how many were read.

    What makes a batch break off is found by applying its receipts one by one, and set aside alone.
    """
    now = now or database_now()
    try:
        return _apply(limit, now)
    except Exception as problem:
        if is_no_ones_fault(problem):
            raise  # the database's trouble is no receipt's fault
        log.error("receipts_break_off", error=repr(problem)[:300])
    due = ReceiptInbox.objects.filter(next_at__lte=now).order_by("next_at", "pk").values_list("pk", flat=True)
    return sum(_apply_alone(pk, now) for pk in list(due[:limit]))


def _apply_alone(receipt_id: int, now: datetime) -> int:
    try:
        return _apply(1, now, only=receipt_id)
    except Exception as problem:
        if is_no_ones_fault(problem):
            raise
        log.error("receipt_set_aside", receipt=receipt_id, error=repr(problem)[:300])
        ReceiptInbox.objects.filter(pk=receipt_id).update(
            why=ReceiptInbox.Why.BROKE,
            reason=BROKE_OFF(error=repr(problem))[:300],
            tries=F("tries") + 1,
            next_at=now + SET_ASIDE,
        )
        return 1


@spans.around("receipts.fold", lambda read, *_: {"receipts": read} if read else {})
def _apply(limit: int, now: datetime, *, only: int | None = None) -> int:
    with transaction.atomic():
        read: list[_Read] = []
        unread: list[ReceiptInbox] = []
        with pipelined():
            for taken in take_due(limit, now, only):
                read += _read(taken, now, unread)
        if not read and not unread:
            return 0
        read = _silenced(_match(read))
        changes = [_change_of(entry) for entry in read if entry.message_id]
        optouts.learn(changes)  # before any message is locked
        deltas = CounterDeltas()
        attempts = states.apply(changes, deltas=deltas)
        # of an attempt that was never made: its number was used before a backup was restored
        unknown = [entry for entry in read if entry.attempt > attempts.get(entry.message_id, -1)]
        clicked, delivered = (
            [
                entry
                for entry in read
                if entry.note.state == state and entry.attempt <= attempts.get(entry.message_id, -1)
            ]
            for state in ("clicked", "delivered")
        )
        clicked_now = _store_clicks(clicked)
        deltas.write()
        # a click changes what its neighbours mean, a delivery what the clicks before it mean
        judge_messages({entry.message_id for entry in (*clicked, *delivered)})
        _tell_clicks(clicked_now)
        _put_back(unread + [_again(entry, now) for entry in unknown])
        point("folded")
    return len(read) + len(unread)


def _read(taken: Sequence[TakenReceipt], now: datetime, unread: list[ReceiptInbox]) -> list[_Read]:
    """Parse; what is unreadable goes to `unread`, for good, visible with its reason."""
    read: list[_Read] = []
    without_time: list[int] = []
    for tries, pk, message_id, attempt, service_id, raw in taken:
        body = bytes(raw)
        try:
            note = parse_receipt(body)
        except UnreadableBody as problem:
            reason, later = str(problem)[:300], now + SET_ASIDE
            why = ReceiptInbox.Why.UNREADABLE
            unread.append(ReceiptInbox(receipt_id=pk, why=why, reason=reason, tries=tries + 1, next_at=later))
            log.warning("receipt_unreadable", receipt=pk)
            continue
        if note.at is None:
            without_time.append(pk)
        read.append(_Read(pk, tries, message_id, attempt, service_id, note.at or now, note, body))
    if without_time:  # the receipt's own time is when it came in
        came = _came(without_time)
        read = [replace(entry, at=came.get(entry.receipt_id, entry.at)) for entry in read]
    return read


def _match(read: list[_Read]) -> list[_Read]:
    """Where the correlation id was not recognised on arrival, look again, also for the provider's own id."""
    orphans = [entry for entry in read if not entry.message_id]
    if not orphans:
        return read
    services = Service.objects.filter(pk__in={entry.service_id for entry in orphans}).only("correlation_key")
    keys = {service.pk: service.correlation_key for service in services}
    provider_ids = {entry.note.provider_id for entry in orphans if entry.note.provider_id}
    theirs = Message.objects.filter(provider_id__in=provider_ids, send__service__in=keys)
    columns = theirs.values_list("provider_id", "send__service_id", "pk")
    by_provider_id = {(provider_id, service_id): pk for provider_id, service_id, pk in columns}

    def matched(entry: _Read) -> _Read:
        if ours := correlation_id.read(entry.note.correlation_id, key=keys[entry.service_id]):
            return replace(entry, message_id=ours.message_id, attempt=ours.attempt)
        theirs = by_provider_id.get((entry.note.provider_id, entry.service_id), 0)
        return replace(entry, message_id=theirs, attempt=0)

    return [entry if entry.message_id else matched(entry) for entry in read]


def _silenced(read: list[_Read]) -> list[_Read]:
    """Of messages whose number was erased only the outcome is read, stored and reported."""
    gone = erased_among({entry.message_id for entry in read}, services={entry.service_id for entry in read})
    late = {entry.receipt_id: entry.raw for entry in read if entry.message_id in gone}
    bare = shortened(late) if late else {}
    return [
        replace(entry, raw=bare[entry.receipt_id], note=parse_receipt(bare[entry.receipt_id]))
        if entry.receipt_id in bare
        else entry
        for entry in read
    ]


def _change_of(entry: _Read) -> StateChange:
    note = entry.note
    state = STATES.get(note.state, MessageState.PENDING)  # an unknown status moves nothing, and is kept
    if note.state == "clicked" and agent_of(note.user_agent) in ON_THE_WAY:
        state = MessageState.SUBMITTED
    return StateChange(
        message_id=entry.message_id,
        state=state,
        at=entry.at,
        attempt=entry.attempt,
        code=note.code,
        detail=note.description if note.state == "failed" else "",
        provider_id=note.provider_id,
        carrier=note.carrier,
        segments=note.segments,
        raw=b""
        if note.state == "clicked"
        else entry.raw,  # a click proves the delivery, and is no receipt of it
    )


def _new_clicks(clicked: Sequence[_Read]) -> list[_Read]:
    """Without those that another receipt has told already: a tenant's webhook and our notifyUrl may both hear of one click."""
    told: dict[tuple[object, ...], int] = {}
    known = Click.objects.filter(message_id__in={entry.message_id for entry in clicked})
    for *visit, receipt_id in known.values_list("message_id", "at", "url", "ip", "user_agent", "receipt_id"):
        told[tuple(visit)] = receipt_id
    return [
        entry for entry in clicked if told.setdefault(_visit(entry), entry.receipt_id) == entry.receipt_id
    ]


def _visit(entry: _Read) -> tuple[object, ...]:
    note = entry.note
    return entry.message_id, entry.at, note.url, note.ip[:45], note.user_agent


def _store_clicks(clicked: Sequence[_Read]) -> list[_Read]:
    """Returns those that are new."""
    clicked = _new_clicks(clicked) if clicked else []
    if not clicked:
        return []
    Click.objects.bulk_create(
        (
            Click(
                message_id=entry.message_id,
                receipt_id=entry.receipt_id,
                url=entry.note.url,
                ip=entry.note.ip[:45],
                user_agent=entry.note.user_agent,
                at=entry.at,
            )
            for entry in clicked
        ),
        ignore_conflicts=True,
    )
    return clicked


def _tell_clicks(clicked: Sequence[_Read]) -> None:
    """Once they are judged."""
    if not clicked:
        return
    rows = Click.objects.filter(receipt_id__in=among(entry.receipt_id for entry in clicked)).order_by()
    verdicts = {
        pk: (verdict, reason) for pk, verdict, reason in rows.values_list("receipt_id", "verdict", "reason")
    }
    outbox.enqueue_clicks(
        [
            MessageChange(
                message_id=entry.message_id,
                send_id=0,
                state=MessageState.DELIVERED,
                code=entry.note.code,
                detail="",
                at=entry.at,
                attempt=0,
                raw=entry.raw,
                url=entry.note.url,
                verdict=verdicts[entry.receipt_id][0],
                reason=verdicts[entry.receipt_id][1],
            )
            for entry in clicked
            if entry.receipt_id in verdicts
        ]
    )


def _came(receipt_ids: Iterable[int]) -> dict[int, datetime]:
    return dict(Receipt.objects.filter(pk__in=among(receipt_ids)).values_list("pk", "received_at"))


def _put_back(rows: Sequence[ReceiptInbox]) -> None:
    came = _came(row.pk for row in rows) if rows else {}
    for row in rows:
        row.received_at = came[row.pk]
    ReceiptInbox.objects.bulk_create(rows)


def _again(entry: _Read, now: datetime) -> ReceiptInbox:
    """Back into the inbox, for longer the more often it was tried."""
    wait = timedelta(seconds=RETRY_AFTER[min(entry.tries, len(RETRY_AFTER) - 1)])
    return ReceiptInbox(
        receipt_id=entry.receipt_id,
        why=ReceiptInbox.Why.UNKNOWN,
        reason=gettext_noop("It names no message of this service."),
        tries=entry.tries + 1,
        next_at=now + (wait if entry.tries < GIVE_UP else SET_ASIDE),
    )
