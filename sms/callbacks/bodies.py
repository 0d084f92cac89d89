"""What callbacks say: our own events, and receipts in the provider's shape for API sends that gave a notifyUrl. Pure.

The provider's shape is reference §6.4 of Webex Connect. A receipt is passed on as it came, with what is the partner's put back in:
correlation id, callback data, destination and transaction id. What never reached the provider is reported in the same shape.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from sms.models.callback import Echo, Notify
from sms.models.message import MessageState
from sms.values.msisdn import mask
from sms.webex.values import without_bom

REPORTED = {
    MessageState.SUBMITTED: "SUBMITTED",
    MessageState.DELIVERED: "DELIVERED",
    MessageState.FAILED: "FAILED",
    MessageState.EXPIRED: "FAILED",
    MessageState.CANCELLED: "FAILED",
}
CORRELATION_KEYS = ("correlationId", "corelationid")
# Ours, where the provider never saw the message, in the provider's codes and words.
PLAIN = {
    MessageState.SUBMITTED: ("7501", "Submitted", "Submitted"),
    MessageState.DELIVERED: ("7500", "Delivered", "Delivered"),
    MessageState.FAILED: ("7011", "Failed", "Unknown error"),
    MessageState.EXPIRED: ("7208", "Un-Delivered", "Message expired"),
    MessageState.CANCELLED: ("7503", "Failed", "Cancelled before it was sent"),
}
CODES = {"opted_out": "9002"}


class MessageChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of a message, as the ledger saw it. `raw` is the receipt it came from, empty for anything else.

    `state_changed` is False where only details did (a receipt that came late): the provider's shape reports it, our events do not.
    """

    message_id: int
    send_id: int
    state: str
    code: str
    detail: str
    at: datetime
    attempt: int
    segments: int | None = None
    carrier: str = ""
    raw: bytes = b""
    state_changed: bool = True
    url: str = ""


class MessageFacts(msgspec.Struct, frozen=True, gc=False):
    """What a body says of the message itself. `row` is its place in the request, from 1."""

    message_id: int
    msisdn: str
    provider_id: str
    attempt: int
    row: int

    @property
    def number(self) -> str:
        """The recipient's; empty where it is no longer kept."""
        return self.msisdn if self.msisdn.startswith("+") else ""


def reports(change: MessageChange, notify: Notify) -> bool:
    """Whether the provider would report this, and the request asked for it. No list asks for everything; SENT is SUBMITTED."""
    name = "CLICKED" if change.url else REPORTED.get(MessageState(change.state), "")
    if not name:
        return False
    wanted = {"SUBMITTED" if str(one).upper() == "SENT" else str(one).upper() for one in notify.receipts}
    return not wanted or name in wanted


def report(change: MessageChange, *, notify: Notify, facts: MessageFacts, echo: Echo | None) -> str:
    """A receipt as the provider writes it, in the partner's terms; JSON."""
    envelope = _received(change.raw) or {"deliveryInfoNotification": _report_of_ours(change, facts)}
    outer = envelope.get("deliveryInfoNotification", envelope)
    for name in CORRELATION_KEYS:
        outer.pop(name, None)
    number = facts.number.removeprefix("+")
    outer["deliveryInfo"]["destination"] = (echo and echo.destination) or number
    outer["correlationid"] = echo.correlation_id if echo else ""
    outer["callbackData"] = notify.callback_data
    outer["transid"] = name_of(notify.reference, row=facts.row) if notify.reference else facts.provider_id
    return msgspec.json.encode(envelope).decode()


def name_of(reference: str, *, row: int) -> str:
    """The messageId of one destination: the first has the request's own, the others _1, _2 … behind it."""
    return f"{reference}_{row - 1}" if row > 1 else reference


def _received(raw: bytes) -> dict[str, Any] | None:
    if not raw:
        return None
    found = msgspec.json.decode(without_bom(raw))
    outer = found.get("deliveryInfoNotification", found)
    return found if isinstance(outer, dict) and isinstance(outer.get("deliveryInfo"), dict) else None


def _report_of_ours(change: MessageChange, facts: MessageFacts) -> dict[str, Any]:
    code, status, words = PLAIN[MessageState(change.state)]
    failed = change.state == MessageState.FAILED
    info = {
        "timeStamp": stamp(change.at),
        "Description": change.detail or words,
        "code": change.code if change.code.isdecimal() and failed else CODES.get(change.code, code),
        "deliveryChannel": "SMS",
        "additionalInfo": "",
        "destination": facts.number,
        "destinationType": "msisdn",
        "deliveryStatus": status,
    }
    if change.segments is not None:
        info["messageCount"] = str(change.segments)
    return {"deliveryInfo": info, "carrier": change.carrier, "subtid": ""}


def event(
    change: MessageChange,
    *,
    kind: str,
    slug: str,
    facts: MessageFacts,
    callback_data: str,
    full_numbers: bool,
    echo: Echo | None,
) -> str:
    """One of our events: what it is, when it happened, and the message it is about, without its text; JSON."""
    data: dict[str, Any] = {
        "message": change.message_id,
        "send": change.send_id,
        "service": slug,
        "to": facts.number if full_numbers else mask(facts.msisdn),
        "state": str(change.state),
        "code": change.code,
        "detail": change.detail,
        "provider_id": facts.provider_id,
        "attempt": change.attempt,
    }
    if callback_data:
        data["callback_data"] = callback_data
    if echo is not None and echo.correlation_id:
        data["correlation_id"] = echo.correlation_id
    if change.segments is not None:
        data["segments"] = change.segments
    if change.url:
        data["url"] = change.url
    return envelope(kind, at=change.at, data=data)


def envelope(kind: str, *, at: datetime, data: Mapping[str, Any]) -> str:
    return msgspec.json.encode({"type": kind, "timestamp": stamp(at), "data": data}).decode()


def stamp(at: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
