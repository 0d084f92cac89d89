"""How a message's state follows from what becomes known about it. Pure; called by `sms.ledger.states`.

A state is the maximum of everything known, so what comes late, repeated or in another order changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from django.utils.translation import gettext_noop

from sms.models.message import FINAL, PRESUMED, MessageState
from sms.models.sql.messages import MessageRow
from sms.words import KeptSentence

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
CONFLICT = "Also reported "
_WITHOUT = {  # of two ends
    MessageState.FAILED: KeptSentence(gettext_noop("Also reported failed.")),
    MessageState.CANCELLED: KeptSentence(gettext_noop("Also reported cancelled.")),
    MessageState.EXPIRED: KeptSentence(gettext_noop("Also reported expired.")),
    MessageState.DELIVERED: KeptSentence(gettext_noop("Also reported delivered.")),
}
_WITH_CODE = {
    MessageState.FAILED: KeptSentence(gettext_noop("Also reported failed, code %(code)s.")),
    MessageState.CANCELLED: KeptSentence(gettext_noop("Also reported cancelled, code %(code)s.")),
    MessageState.EXPIRED: KeptSentence(gettext_noop("Also reported expired, code %(code)s.")),
    MessageState.DELIVERED: KeptSentence(gettext_noop("Also reported delivered, code %(code)s.")),
}


class StateChange(msgspec.Struct, frozen=True, gc=False):
    """What became known about one message.

    `state` is the state it proves. It is ignored if `attempt` is beyond those that were made (0: of no attempt in particular).
    `returned` (with state pending) is the only way down: the attempt certainly never reached the provider, and it counts only
    while that attempt is still open. A failure that is only presumed (PRESUMED) ends an unconfirmed message, and gives way to
    whatever is known of it later.
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
    raw: bytes = b""  # the receipt that says it


def merge(row: MessageRow, change: StateChange) -> bool:
    """Apply one change to a row; True where something of it is different now."""
    if change.attempt > row.attempt:
        return False
    if change.returned:
        return _give_back(row, change)
    if _is_presumed(change) and (row.state != MessageState.UNCONFIRMED or row.attempt != change.attempt):
        return False
    changed = _add_details(row, change)
    presumed = _is_presumed(row)
    if change.state in FINAL and row.state in FINAL and not presumed:
        return _merge_ends(row, change) or changed
    if RANK[change.state] > RANK[MessageState.UNCONFIRMED if presumed else row.state]:
        row.state, row.code, row.detail = str(change.state), change.code[:10], change.detail[:200]
        row.final_at = change.at if change.state in FINAL else None
        changed = True
    return changed


def _is_presumed(one: MessageRow | StateChange) -> bool:
    return one.state == MessageState.FAILED and one.code in PRESUMED


def _give_back(row: MessageRow, change: StateChange) -> bool:
    if row.state not in (MessageState.POSTING, MessageState.UNCONFIRMED) or row.attempt != change.attempt:
        return False
    row.state, row.code, row.detail = MessageState.PENDING, change.code, change.detail[:200]
    return True


def _add_details(row: MessageRow, change: StateChange) -> bool:
    changed = False
    if change.provider_id and not row.provider_id:
        row.provider_id, changed = change.provider_id[:64], True
    if change.carrier and change.carrier != row.carrier:
        row.carrier, changed = change.carrier[:20], True
    if change.segments is not None and row.segments_billed is None:
        row.segments_billed, changed = change.segments, True
    if change.state == MessageState.SUBMITTED:
        if row.submitted_at is None or change.at < row.submitted_at:
            row.submitted_at, changed = change.at, True
    elif change.state == MessageState.QUEUED and row.queued_at is None:
        row.queued_at, changed = change.at, True
    return changed


def _merge_ends(row: MessageRow, change: StateChange) -> bool:
    """Two ends of one message: the surer one counts, of two equal ones the earlier. The other is noted in the detail: a conflict."""
    state, code, at = row.state, row.code, row.final_at
    if change.state == state:
        if at is not None and (change.at, change.code[:10]) >= (at, code):
            return False
        row.code, row.final_at = change.code[:10], change.at
        if not row.detail.startswith(CONFLICT):
            row.detail = change.detail[:200]
        return True
    if RANK[change.state] > RANK[state]:
        row.state, row.code, row.final_at = str(change.state), change.code[:10], change.at
        row.detail = _conflict(state, code)
        return True
    if row.detail.startswith(CONFLICT):
        return False
    row.detail = _conflict(change.state, change.code)
    return True


def _conflict(state: str, code: str) -> str:
    return (_WITH_CODE if code else _WITHOUT)[MessageState(state)](code=code)[:200]
