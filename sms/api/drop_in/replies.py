"""What an accepted request is answered, and what a message looks like when it is asked for.

The messageId of a request is a UUID; of several destinations the first has it bare, the others with _1, _2 … behind it.
"""

import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import msgspec

from sms.compliance import archive
from sms.models import Echo, Message, MessageState, Send
from sms.webex.limits import RECEIPTS

STATUS = {
    MessageState.PENDING: "queued",
    MessageState.POSTING: "queued",
    MessageState.UNCONFIRMED: "queued",
    MessageState.QUEUED: "queued",
    MessageState.SUBMITTED: "Submitted",
    MessageState.NO_REPORT: "Submitted",
    MessageState.FAILED: "Failed",
    MessageState.CANCELLED: "Failed",
    MessageState.EXPIRED: "Failed",
    MessageState.DELIVERED: "Delivered",
}


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def accepted(reference: uuid.UUID, correlation_id: str, *, at: datetime) -> bytes:
    """One object, for however many destinations; it describes the first."""
    return msgspec.json.encode(
        {
            "requestTimestamp": moment(at),
            "messageId": str(reference),
            "correlationId": correlation_id,
            "status": "queued",
        }
    )


def find(message_id: str, *, service_id: int) -> Message | None:
    written, _, number = message_id.partition("_")
    if number and not (number.isascii() and number.isdecimal() and len(number) < 5):
        return None
    try:
        reference = uuid.UUID(written)
    except ValueError:
        return None
    if str(reference) != written.lower():
        return None
    row = int(number or 0) + 1
    messages = Message.objects.filter(send__reference=reference, send__service=service_id, row=row)
    found = messages.select_related("send__sender", "echo").first()
    return found or _archived(reference, service_id=service_id, row=row)


def _archived(reference: uuid.UUID, *, service_id: int, row: int) -> Message | None:
    rows = Send.objects.filter(reference=reference, service=service_id, keeping__archived_at__isnull=False)
    send = rows.select_related("service", "sender").first()
    story = archive.at_row(send, row) if send else None
    return story.message if story else None


def shown(message: Message, message_id: str) -> bytes:
    """The read-back. Its text is form-URL-encoded and its segments are a text, as documented."""
    send: Send = message.send
    kept, echo = send.options, _echo(message)
    options: dict[str, Any] = kept.get("options", {})
    return msgspec.json.encode(
        {
            "clientId": 1,
            "groupId": 1,
            "teamId": 1,
            "channel": "sms",
            "toType": "msisdn",
            "to": message.msisdn.removeprefix("+") if message.msisdn.startswith("+") else "",
            "from": send.sender.address,
            "messageId": message_id,
            "correlationId": echo.correlation_id if echo else "",
            "numSegments": str(message.segments_billed or message.segments),
            "requestTimestamp": moment(send.created_at),
            "requestedReceipts": kept.get("requestedReceipts") or sorted(RECEIPTS),
            "version": "2.0",
            "content": {
                "type": kept.get("type", "text"),
                "text": quote_plus(message.text, errors="replace"),
            },
            "callbackData": kept.get("callbackData", ""),
            "notifyUrl": kept.get("notifyUrl", ""),
            "options": {
                "trackOpens": False,
                "smsFallback": False,
                "bypassSuppression": False,
                "domain": options.get("domain", ""),
                "trackClicks": options.get("trackClicks", False),
                "shortenLinks": options.get("shortenLinks", False),
            },
            "direction": "outbound",
            "status": STATUS[MessageState(message.state)],
        }
    )


def _echo(message: Message) -> Echo | None:
    try:
        return message.echo
    except Echo.DoesNotExist:
        return None
