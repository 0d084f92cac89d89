"""One message's life as events, for the API. What a receipt says is read from the receipt itself."""

from dataclasses import dataclass
from datetime import datetime

from sms.compliance import archive
from sms.inbound.receipts import reason_in_words
from sms.models import Click, MessageState, Receipt
from sms.webex import codes
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One point."""

    at: datetime
    event: str
    code: str = ""
    detail: str = ""


def timeline(story: archive.MessageHistory) -> list[TimelineEvent]:
    message, receipts, clicks = story.message, story.receipts, story.clicks
    events = [TimelineEvent(message.send.created_at, "composed", detail=f"Row {message.row}")]
    if message.posted_at:
        events.append(TimelineEvent(message.posted_at, "posted", detail=f"Attempt {message.attempt}"))
    if message.queued_at:
        events.append(
            TimelineEvent(message.queued_at, "accepted", detail=message.provider_id or message.detail)
        )
    if message.final_at and message.state in (MessageState.CANCELLED, MessageState.EXPIRED):
        events.append(TimelineEvent(message.final_at, str(message.state), message.code, message.detail))
    if message.final_at and message.state == MessageState.FAILED and not receipts:
        events.append(TimelineEvent(message.final_at, "failed", message.code, message.detail))
    events += [_receipt_event(receipt, clicks.get(receipt.pk)) for receipt in receipts]
    return sorted(events, key=lambda event: event.at)


def _receipt_event(receipt: Receipt, click: Click | None) -> TimelineEvent:
    try:
        note = parse_receipt(bytes(receipt.raw))
    except UnreadableBody:
        return TimelineEvent(receipt.received_at, "receipt", detail="It cannot be read.")
    if note.state == "clicked":
        who = f"{click.verdict}: {reason_in_words(click.reason)}" if click else "not judged yet"
        return TimelineEvent(receipt.received_at, "clicked", note.code, f"{note.url} · {who}")
    kind = note.state if note.state in ("submitted", "delivered", "failed") else "receipt"
    return TimelineEvent(receipt.received_at, kind, note.code, codes.lookup(note.code).meaning)
