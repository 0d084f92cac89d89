"""The only code that changes `Message.state`, always inside its caller's transaction; counters and callbacks follow from it.

Called by `sms.compose` (cancelled tests), `sms.dispatch` (arm, record, sweep), `sms.sends` (cancel) and `sms.inbound` (receipts).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from datetime import datetime

import structlog
from django.db.models import F

from sms.callbacks import events as event_log
from sms.callbacks import outbox
from sms.callbacks.bodies import MessageChange
from sms.ledger.counters import CountedMessage, CounterDeltas, MessagePlace, crossed_posting
from sms.ledger.lost_history import Surmise, surmise
from sms.ledger.state_machine import RANK, StateChange, merge
from sms.models.link import Click
from sms.models.message import Message, MessageState
from sms.models.send import Send
from sms.models.sql import messages
from sms.models.sql.id_list import among
from sms.models.sql.messages import Acceptance, MessageRow
from sms.models.sql.pipeline import pipelined

log = structlog.get_logger(__name__)

PART = 850  # messages that are merged while PostgreSQL writes those before

RowChange = tuple[MessageRow, MessageRow]  # as it was, as it is


def apply(changes: Sequence[StateChange], *, deltas: CounterDeltas) -> dict[int, int]:
    """Merge what became known into the messages' rows; returns the attempts made of those that exist, by id.

    Rows are locked in order of id, so that two callers never deadlock.
    """
    if not changes:
        return {}
    by_message: dict[int, list[StateChange]] = defaultdict(list)
    for change in changes:
        by_message[change.message_id].append(change)
    rows = messages.lock(sorted(by_message))
    followers = event_log.find_followers()
    events: list[MessageChange] = []
    changed: list[RowChange] = []
    with pipelined():
        for start in range(0, len(rows), PART):  # one part is written while the next is merged
            part = _merged(rows[start : start + PART], by_message, events if followers else None)
            messages.write([row for _, row in part])
            ready = Send.ready_times({row.send_id for before, row in part if crossed_posting(before, row)})
            for before, row in part:
                deltas.change(before, row, ready)
            changed += part
    _move_clicks(changed, deltas)
    outbox.enqueue(events, followers)
    return {row.id: row.attempt for row in rows}


def hold(message_ids: Collection[int]) -> None:
    """Lock all messages that the caller's transaction will change, where it does so in more than one step.

    Each step locks in order of id, and two of them together do not: whoever has locked one of the second step and wants one of the first
    waits for us while we wait for them.
    """
    if message_ids:
        messages.hold(sorted(message_ids))


def hold_free(message_ids: Sequence[int]) -> set[int]:
    """Lock those that nobody works on just now, after other messages are locked; returns their ids. The others have to wait."""
    return messages.hold_free(message_ids) if message_ids else set()


def _merged(
    rows: Sequence[MessageRow],
    by_message: Mapping[int, Sequence[StateChange]],
    events: list[MessageChange] | None,
) -> list[RowChange]:
    """The rows that changed, each as it was and as it is. What may be told is added to `events`."""
    found: list[RowChange] = []
    for row in rows:
        before, changed = copy(row), False
        for change in by_message[row.id]:
            state, code = row.state, row.code
            if merge(row, change):
                changed = True
                if events is not None and not change.returned:
                    events.append(_event(row, change, state_changed=(row.state, row.code) != (state, code)))
        if changed:
            found.append((before, row))
    return found


def _event(row: MessageRow, change: StateChange, *, state_changed: bool) -> MessageChange:
    return MessageChange(
        message_id=row.id,
        send_id=row.send_id,
        state=change.state,
        code=change.code[:10],
        detail=change.detail,
        at=change.at,
        attempt=row.attempt,
        segments=change.segments,
        carrier=change.carrier,
        raw=change.raw,
        state_changed=state_changed,
    )


def _move_clicks(changed: Sequence[RowChange], deltas: CounterDeltas) -> None:
    """A click counts for its message's carrier, which a receipt may change after the click."""
    by_id = {
        row.id: (before, row)
        for before, row in changed
        if row.carrier != before.carrier and RANK[before.state] >= RANK[MessageState.SUBMITTED]
    }
    if not by_id:
        return
    verdicts: dict[int, list[str]] = defaultdict(list)
    clicks = Click.objects.filter(message_id__in=among(by_id), rules_version__gt=0).order_by()
    for message_id, verdict in clicks.values_list("message_id", "verdict"):
        verdicts[message_id].append(verdict)
    for message_id, its in verdicts.items():
        before, row = by_id[message_id]
        place = MessagePlace.of(row)
        deltas.clicks(MessagePlace(place.send_id, place.quarter, place.country, before.carrier), its, -1)
        deltas.clicks(place, its, 1)


def arm(message_ids: Sequence[int], *, at: datetime, deltas: CounterDeltas) -> set[int]:
    """Pending → posting, one attempt more; returns the ids that really were pending. The caller holds the slice's fence."""
    armed: set[int] = set()
    for group in messages.set_posting(message_ids, at=at) if message_ids else ():
        message = CountedMessage.of(group, MessageState.POSTING)
        deltas.move(message, MessageState.PENDING, count=group.count)
        if group.ready_at is not None:
            deltas.time("wait", message, group.ready_at, at, count=group.count)
        armed.update(group.ids or ())
    return armed


def accept(accepted: Sequence[Acceptance], *, at: datetime, deltas: CounterDeltas) -> None:
    """Posting → queued for what the provider took, in one statement. The caller has locked them (`hold`).

    Messages that are elsewhere by now, because a receipt was faster or the sweep came first, are merged as usual.
    """
    if not accepted:
        return
    sends: dict[int, int] = {}
    for group in messages.set_queued(accepted, at=at):
        message = CountedMessage.of(group, MessageState.QUEUED)
        deltas.move(message, MessageState.POSTING, count=group.count)
        if group.posted_at is not None and group.queued_at is not None:
            deltas.time("submit", message, group.posted_at, group.queued_at, count=group.count)
        sends.update(dict.fromkeys(group.ids or (), group.send_id))
    if followers := event_log.find_followers():
        queued = [
            _plain_event(one.message_id, sends[one.message_id], MessageState.QUEUED, at, one.attempt)
            for one in accepted
            if one.message_id in sends
        ]
        outbox.enqueue(queued, followers)
    others = [one for one in accepted if one.message_id not in sends]
    _remember({one.message_id: one.attempt for one in others}, MessageState.QUEUED, at=at, deltas=deltas)
    apply(
        [StateChange(one.message_id, MessageState.QUEUED, at, provider_id=one.provider_id) for one in others],
        deltas=deltas,
    )


def answer(changes: Sequence[StateChange], *, deltas: CounterDeltas) -> None:
    """What the provider said of attempts that it did not accept; it may have waited on a disk. The caller has locked them (`hold`).

    It says nothing of an attempt that was made since: that one has, or will have, an answer of its own.
    """
    if not changes:
        return
    made = {one.message_id: one.attempt for one in changes if not one.returned}
    outdated = _remember(made, MessageState.UNCONFIRMED, at=changes[0].at, deltas=deltas)
    apply([one for one in changes if one.message_id not in outdated], deltas=deltas)


def _remember(
    made: Mapping[int, int], state: MessageState, *, at: datetime, deltas: CounterDeltas
) -> set[int]:
    """Attempts that this database does not know: it was restored, or is a standby that was promoted under us, and had not heard of them.

    Returns the ids of messages that were posted again since. Of an answer that names no attempt nothing is known.
    """
    made = {pk: attempt for pk, attempt in made.items() if attempt}
    columns = ("pk", "attempt", "posted_at")
    rows = list(Message.objects.filter(pk__in=among(made)).values_list(*columns)) if made else []
    lost = [
        Surmise(pk, state, made[pk], at)
        for pk, attempt, posted_at in rows
        if attempt < made[pk] or posted_at is None
    ]
    if lost:
        log.warning("attempts_remembered", messages=len(lost))
        surmise(lost, deltas=deltas)
    later = [pk for pk, attempt, posted_at in rows if attempt > made[pk] and posted_at is not None]
    # that attempt was never made: it says what is not known of a restored copy, and this answer is part of it
    in_doubt = Message.objects.filter(
        pk__in=among(later), attempt=F("send__service__restored_copies__attempts_from")
    )
    return set(later) - set(in_doubt.values_list("pk", flat=True) if later else ())


def cancel(send_id: int, *, at: datetime, deltas: CounterDeltas) -> int:
    """Pending → cancelled for a whole send; returns how many. The caller has locked the send's slices."""
    if followers := event_log.find_followers():
        pending = Message.objects.filter(send_id=send_id, state=MessageState.PENDING)
        cancelled = [
            _plain_event(pk, send_id, MessageState.CANCELLED, at, attempt)
            for pk, attempt in pending.values_list("pk", "attempt")
        ]
        outbox.enqueue(cancelled, followers)
    messages.hold_pending(send_id)
    groups = messages.set_cancelled(send_id, at=at)
    for group in groups:
        message = CountedMessage.of(group, MessageState.CANCELLED)
        deltas.move(message, MessageState.PENDING, count=group.count)
    return sum(group.count for group in groups)


def _plain_event(
    message_id: int, send_id: int, state: MessageState, at: datetime, attempt: int
) -> MessageChange:
    return MessageChange(
        message_id=message_id, send_id=send_id, state=state.value, code="", detail="", at=at, attempt=attempt
    )
