"""Messages of a restored copy, of whose history a part was lost: put where no dispatcher sends them again by itself.

In the transaction of the caller. Called by `sms.sends.after_restore` and `sms.ledger.states`.
"""

from collections.abc import Sequence
from copy import copy
from datetime import datetime

import msgspec

from sms.callbacks import events as event_log
from sms.callbacks import outbox
from sms.callbacks.bodies import MessageChange
from sms.ledger.counters import CounterDeltas, crossed_posting
from sms.models.message import UNSENT, Message, MessageState
from sms.models.send import Send
from sms.models.sql import messages
from sms.models.sql.update_rows import update_rows

WRITTEN = ("state", "detail", "attempt", "posted_at", "queued_at")


class Surmise(msgspec.Struct, frozen=True, gc=False):
    """Where an unsent message is put: queued under the attempt that a receipt names, unconfirmed, or pending as it was.

    `attempt` is the one that counts as made; the next is one more, and its correlation id is new.
    """

    message_id: int
    state: MessageState
    attempt: int
    at: datetime
    detail: str = ""


def surmise(found: Sequence[Surmise], *, deltas: CounterDeltas) -> int:
    """Put messages there that are still unsent; returns how many. Rows are locked in order of id."""
    if not found:
        return 0
    by_id = {one.message_id: one for one in found}
    followers = event_log.find_followers()
    changed, told = [], []
    for row in messages.lock(sorted(by_id)):
        one = by_id[row.id]
        if row.state not in UNSENT:
            continue
        before = copy(row)
        row.state, row.detail, row.attempt = str(one.state), one.detail[:200], max(row.attempt, one.attempt)
        if one.state != MessageState.PENDING:
            row.posted_at = row.posted_at or one.at
        if one.state == MessageState.QUEUED:
            row.queued_at = row.queued_at or one.at
        changed.append((before, row))
        if followers and row.state != before.state:
            told.append(_event(row, one))
    update_rows(Message, WRITTEN, [row for _, row in changed])
    ready = Send.ready_times({row.send_id for before, row in changed if crossed_posting(before, row)})
    for before, row in changed:
        deltas.change(before, row, ready)
    outbox.enqueue(told, followers)
    return len(changed)


def _event(row: messages.MessageRow, one: Surmise) -> MessageChange:
    return MessageChange(
        message_id=row.id,
        send_id=row.send_id,
        state=row.state,
        code="",
        detail=row.detail,
        at=one.at,
        attempt=row.attempt,
    )
