"""Folding: many receipts, one UPDATE. Forward only, so that order, repetition and delay do not matter.

A receipt that matches no message waits and is tried again, ever more seldom; one that cannot be read is set aside with its reason.
Neither holds up the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from sms.models import Click, Message, MessageState, ReceiptInbox, ledger
from sms.models.ledger import News, Tally
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


@dataclass(frozen=True, slots=True)
class _Read:
    item: ReceiptInbox
    message_id: int
    note: Notification


def fold(*, limit: int = 1000, now: datetime | None = None) -> int:
    """Apply up to `limit` waiting receipts; returns how many were looked at."""
    now = now or timezone.now()
    with transaction.atomic():
        waiting = (
            ReceiptInbox.objects.filter(next_at__lte=now).select_related("receipt").order_by("next_at", "pk")
        )
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True, of=("self",))
        items = list(waiting[:limit])
        if not items:
            return 0
        read = _read(items)
        tally = Tally.new()
        known = ledger.apply([_news(entry) for entry in read], tally=tally)
        _store_clicks([entry for entry in read if entry.message_id in known])
        tally.write()
        # a click is news to its neighbours, a delivery to the clicks that came before it
        judge_messages(
            {entry.message_id for entry in read if entry.note.state in ("clicked", "delivered")} & known
        )
        applied = [entry.item.pk for entry in read if entry.message_id in known]
        ReceiptInbox.objects.filter(pk__in=applied).delete()
        _postpone([entry.item for entry in read if entry.message_id not in known], now)
        point("folded")
    return len(items)


def _read(items: Sequence[ReceiptInbox]) -> list[_Read]:
    """Parse; what is unreadable is set aside for good, visible with its reason."""
    read = []
    for item in items:
        try:
            note = parse_receipt(bytes(item.receipt.raw))
        except Unreadable as problem:
            item.why, item.reason = ReceiptInbox.Why.UNREADABLE, str(problem)[:300]
            item.next_at += SET_ASIDE
            item.save(update_fields=["why", "reason", "next_at"])
            log.warning("receipt_unreadable", receipt=item.pk)
            continue
        read.append(_Read(item, item.receipt.message_id, note))
    return _match_by_provider_id(read)


def _match_by_provider_id(read: list[_Read]) -> list[_Read]:
    """Where the correlation id was not ours, the provider's id may still name the message."""
    orphans = {
        entry.note.provider_id: entry for entry in read if not entry.message_id and entry.note.provider_id
    }
    if not orphans:
        return read
    services = {entry.item.receipt.service_id for entry in orphans.values()}
    found = Message.objects.filter(provider_id__in=list(orphans), send__service__in=services).values_list(
        "provider_id", "send__service_id", "pk"
    )
    ids = {(provider_id, service_id): pk for provider_id, service_id, pk in found}
    return [
        entry
        if entry.message_id
        else _Read(
            entry.item, ids.get((entry.note.provider_id, entry.item.receipt.service_id), 0), entry.note
        )
        for entry in read
    ]


def _news(entry: _Read) -> News:
    note = entry.note
    return News(
        message_id=entry.message_id,
        state=STATES.get(note.state, MessageState.PENDING),  # an unknown status moves nothing, and is kept
        at=note.at or entry.item.receipt.received_at,
        code=note.code,
        detail=note.description if note.state == "failed" else "",
        provider_id=note.provider_id,
        carrier=note.carrier,
        segments=note.segments,
    )


def _store_clicks(entries: Sequence[_Read]) -> None:
    Click.objects.bulk_create(
        (
            Click(
                message_id=entry.message_id,
                receipt_id=entry.item.pk,
                url=entry.note.url,
                ip=entry.note.ip[:45],
                user_agent=entry.note.user_agent,
                at=entry.note.at or entry.item.receipt.received_at,
            )
            for entry in entries
            if entry.note.state == "clicked"
        ),
        ignore_conflicts=True,
    )


def _postpone(items: Sequence[ReceiptInbox], now: datetime) -> None:
    for item in items:
        wait = LATER[min(item.tries, len(LATER) - 1)] if item.tries < GIVE_UP else 86_400 * 365
        ReceiptInbox.objects.filter(pk=item.pk).update(
            why=ReceiptInbox.Why.UNKNOWN,
            reason="It names no message of this service.",
            tries=F("tries") + 1,
            next_at=now + timedelta(seconds=wait),
        )
