"""Folding: many receipts, one UPDATE. Forward only, so that order, repetition and delay do not matter.

A receipt that matches no message waits and is tried again, ever more seldom; one that cannot be read is set aside with its reason.
Neither holds up the others.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from sms import correlation, optout
from sms.models import Click, Message, MessageState, Receipt, ReceiptInbox, Service, ledger, outbox
from sms.models.ledger import News, Tally
from sms.models.outbox import Change
from sms.points import point
from sms.receipts.click_book import judge_messages
from sms.webex.errors import Unreadable
from sms.webex.receipts import Notification, parse_receipt

log = structlog.get_logger(__name__)

LATER = (10, 60, 600, 3600, 86_400)  # seconds until an unmatched receipt is tried again
SET_ASIDE = timedelta(days=3650)
GIVE_UP = 30 + len(LATER)  # tries: a month of days

STATES = {
    "submitted": MessageState.SUBMITTED,
    "delivered": MessageState.DELIVERED,
    "failed": MessageState.FAILED,
    "clicked": MessageState.DELIVERED,  # nobody opens a link in a text that did not arrive
}


class _Read(NamedTuple):
    """A waiting receipt and what it says. `message_id` 0: of no message of ours that we know."""

    receipt_id: int
    tries: int
    message_id: int
    service_id: int
    at: datetime
    note: Notification
    raw: bytes


def fold(*, limit: int = 2000, now: datetime | None = None) -> int:
    """Apply up to `limit` waiting receipts; returns how many were looked at.

    What makes a batch break off is found by applying its receipts one by one, and set aside alone.
    """
    now = now or timezone.now()
    try:
        return _apply(limit, now)
    except (OperationalError, InterfaceError):
        raise  # the database's trouble is no receipt's fault
    except Exception as problem:
        log.error("receipts_break_off", error=repr(problem)[:300])
    due = ReceiptInbox.objects.filter(next_at__lte=now).order_by("next_at", "pk").values_list("pk", flat=True)
    return sum(_apply_alone(pk, now) for pk in list(due[:limit]))


def _apply_alone(receipt_id: int, now: datetime) -> int:
    try:
        return _apply(1, now, only=receipt_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception as problem:
        log.error("receipt_set_aside", receipt=receipt_id, error=repr(problem)[:300])
        _set_aside(receipt_id, ReceiptInbox.Why.BROKE, f"Applying it broke off: {problem!r}", now)
        return 1


def _apply(limit: int, now: datetime, *, only: int | None = None) -> int:
    with transaction.atomic():
        waiting = ReceiptInbox.objects.filter(next_at__lte=now).order_by("next_at", "pk")
        if only is not None:
            waiting = waiting.filter(pk=only)
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        tries = dict(waiting.values_list("pk", "tries")[:limit])
        if not tries:
            return 0
        read = _match(_read(tries, now))
        optout.learn(_failures(read))  # before any message is locked
        tally = Tally.new()
        known = ledger.apply([_news(entry) for entry in read if entry.message_id], tally=tally)
        _store_clicks([entry for entry in read if entry.message_id in known])
        tally.write()
        # a click is news to its neighbours, a delivery to the clicks that came before it
        judge_messages(
            {entry.message_id for entry in read if entry.note.state in ("clicked", "delivered")} & known
        )
        _forget([entry.receipt_id for entry in read if entry.message_id in known])
        _postpone([entry for entry in read if entry.message_id not in known], now)
        point("folded")
    return len(tries)


def _read(tries: dict[int, int], now: datetime) -> list[_Read]:
    """Parse; what is unreadable is set aside for good, visible with its reason."""
    stored = Receipt.objects.filter(pk__in=ledger.among(tries)).order_by("pk")
    read, without_time = [], []
    for pk, message_id, service_id, raw in stored.values_list("pk", "message_id", "service_id", "raw"):
        body = bytes(raw)
        try:
            note = parse_receipt(body)
        except Unreadable as problem:
            _set_aside(pk, ReceiptInbox.Why.UNREADABLE, str(problem), now)
            log.warning("receipt_unreadable", receipt=pk)
            continue
        if note.at is None:
            without_time.append(pk)
        read.append(_Read(pk, tries[pk], message_id, service_id, note.at or now, note, body))
    if without_time:  # the receipt's own time is when it came in
        came = dict(stored.filter(pk__in=without_time).values_list("pk", "received_at"))
        read = [entry._replace(at=came.get(entry.receipt_id, entry.at)) for entry in read]
    return read


def _match(read: list[_Read]) -> list[_Read]:
    """Where the correlation id was not seen to be ours at the door, look again, also for the provider's own id."""
    orphans = [entry for entry in read if not entry.message_id]
    if not orphans:
        return read
    keys = {
        service.pk: service.correlation_key
        for service in Service.objects.filter(pk__in={entry.service_id for entry in orphans}).only(
            "correlation_key"
        )
    }
    provider_ids = {entry.note.provider_id for entry in orphans if entry.note.provider_id}
    by_provider_id = {
        (provider_id, service_id): pk
        for provider_id, service_id, pk in Message.objects.filter(
            provider_id__in=provider_ids, send__service__in=keys
        ).values_list("provider_id", "send__service_id", "pk")
    }
    found: dict[int, int] = {}
    for entry in orphans:
        ours = correlation.read(entry.note.correlation_id, key=keys[entry.service_id])
        found[entry.receipt_id] = (
            ours.message_id if ours else by_provider_id.get((entry.note.provider_id, entry.service_id), 0)
        )
    return [entry._replace(message_id=found.get(entry.receipt_id, entry.message_id)) for entry in read]


def _failures(read: list[_Read]) -> list[optout.Told]:
    """What may be a person's refusal."""
    return [
        optout.Told(entry.message_id, entry.note.code, entry.at)
        for entry in read
        if entry.message_id and entry.note.state == "failed"
    ]


def _forget(receipt_ids: list[int]) -> None:
    if receipt_ids:
        ReceiptInbox.objects.filter(pk__in=ledger.among(receipt_ids)).delete()


def _set_aside(receipt_id: int, why: str, reason: str, now: datetime) -> None:
    ReceiptInbox.objects.filter(pk=receipt_id).update(
        why=why, reason=reason[:300], tries=F("tries") + 1, next_at=now + SET_ASIDE
    )


def _news(entry: _Read) -> News:
    note = entry.note
    return News(
        message_id=entry.message_id,
        state=STATES.get(note.state, MessageState.PENDING),  # an unknown status moves nothing, and is kept
        at=entry.at,
        code=note.code,
        detail=note.description if note.state == "failed" else "",
        provider_id=note.provider_id,
        carrier=note.carrier,
        segments=note.segments,
        raw=entry.raw
        if note.state != "clicked"
        else b"",  # a click proves the delivery, but is no receipt of it
    )


def _store_clicks(entries: Sequence[_Read]) -> None:
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
            for entry in entries
            if entry.note.state == "clicked"
        ),
        ignore_conflicts=True,
    )
    outbox.tell_clicks(
        [
            Change(
                entry.message_id,
                0,
                MessageState.DELIVERED,
                entry.note.code,
                "",
                entry.at,
                0,
                raw=entry.raw,
                url=entry.note.url,
            )
            for entry in entries
            if entry.note.state == "clicked"
        ]
    )


def _postpone(entries: Sequence[_Read], now: datetime) -> None:
    """By how often each was tried, one UPDATE for those that were tried alike."""
    alike: dict[int, list[int]] = defaultdict(list)
    for entry in entries:
        alike[entry.tries].append(entry.receipt_id)
    for tries, ids in alike.items():
        wait = LATER[min(tries, len(LATER) - 1)] if tries < GIVE_UP else 86_400 * 365
        ReceiptInbox.objects.filter(pk__in=ledger.among(ids)).update(
            why=ReceiptInbox.Why.UNKNOWN,
            reason="It names no message of this service.",
            tries=tries + 1,
            next_at=now + timedelta(seconds=wait),
        )
