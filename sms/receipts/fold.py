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
from sms.models import Click, Message, MessageState, Receipt, ReceiptInbox, Service, ledger
from sms.models.ledger import News, Tally
from sms.points import point
from sms.receipts.click_agents import Agent, agent_of
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
ON_THE_WAY = (
    Agent.SCANNER,
    Agent.CRAWLER,
    Agent.HEADLESS,
    Agent.TOOL,
)  # these may: operators scan before they deliver


class _Read(NamedTuple):
    """A waiting receipt and what it says. `message_id` 0: of no message of ours that we know."""

    receipt_id: int
    tries: int
    message_id: int
    attempt: int
    service_id: int
    at: datetime
    note: Notification


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
        attempts = ledger.apply([_news(entry) for entry in read if entry.message_id], tally=tally)
        # of an attempt that was never made: its number was used before a backup was restored
        known = [entry for entry in read if entry.attempt <= attempts.get(entry.message_id, -1)]
        unknown = [entry for entry in read if entry.attempt > attempts.get(entry.message_id, -1)]
        _store_clicks(known)
        tally.write()
        # a click is news to its neighbours, a delivery to the clicks that came before it
        judge_messages({entry.message_id for entry in known if entry.note.state in ("clicked", "delivered")})
        _forget([entry.receipt_id for entry in known])
        _postpone(unknown, now)
        point("folded")
    return len(tries)


def _read(tries: dict[int, int], now: datetime) -> list[_Read]:
    """Parse; what is unreadable is set aside for good, visible with its reason."""
    stored = Receipt.objects.filter(pk__in=ledger.among(tries)).order_by("pk")
    read, without_time = [], []
    columns = stored.values_list("pk", "message_id", "attempt", "service_id", "raw")
    for pk, message_id, attempt, service_id, raw in columns:
        try:
            note = parse_receipt(bytes(raw))
        except Unreadable as problem:
            _set_aside(pk, ReceiptInbox.Why.UNREADABLE, str(problem), now)
            log.warning("receipt_unreadable", receipt=pk)
            continue
        if note.at is None:
            without_time.append(pk)
        read.append(_Read(pk, tries[pk], message_id, attempt, service_id, note.at or now, note))
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
    found: dict[int, tuple[int, int]] = {}
    for entry in orphans:
        ours = correlation.read(entry.note.correlation_id, key=keys[entry.service_id])
        theirs = by_provider_id.get((entry.note.provider_id, entry.service_id), 0)
        found[entry.receipt_id] = (ours.message_id, ours.attempt) if ours else (theirs, 0)
    return [
        entry._replace(message_id=found[entry.receipt_id][0], attempt=found[entry.receipt_id][1])
        if entry.receipt_id in found
        else entry
        for entry in read
    ]


def _failures(read: list[_Read]) -> list[optout.Told]:
    """What may be a person's refusal."""
    return [
        optout.Told(entry.message_id, entry.note.code, entry.at, entry.attempt)
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
    state = STATES.get(note.state, MessageState.PENDING)  # an unknown status moves nothing, and is kept
    if note.state == "clicked" and agent_of(note.user_agent) in ON_THE_WAY:
        state = MessageState.SUBMITTED
    return News(
        message_id=entry.message_id,
        state=state,
        at=entry.at,
        attempt=entry.attempt,
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
