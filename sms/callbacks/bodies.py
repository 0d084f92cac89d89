"""What callbacks to notifyUrls say: receipts in the provider's shape for API sends that gave one. Pure. Of our own events: `event_bodies`.

The provider's shape is reference §6.4 of Webex Connect. A receipt is passed on as it came, with what is the partner's put back in:
correlation id, callback data, destination and transaction id. What never reached the provider is reported in the same shape.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from sms.models.callback import Echo
from sms.models.message import PRESUMED, Message, MessageState
from sms.models.send import Send
from sms.values.problems import ProblemCode
from sms.webex.codes import delivery_status
from sms.webex.values import decoded
from sms.webex.wire import stamp

CORRELATION_KEYS = ("correlationId", "corelationid")
# What a request asks for a state by, and, where the provider never saw the message, its codes and words.
REPORTED = {
    MessageState.SUBMITTED: ("SUBMITTED", "7501", "Submitted", "Submitted"),
    MessageState.DELIVERED: ("DELIVERED", "7500", "Delivered", "Delivered"),
    MessageState.FAILED: ("FAILED", "7011", "Failed", "Unknown error"),
    MessageState.EXPIRED: ("FAILED", "7208", "Un-Delivered", "Message expired"),
    MessageState.CANCELLED: ("FAILED", "7503", "Failed", "Cancelled before it was sent"),
}
# the provider's by ours
PROVIDER_CODES: dict[str, str] = {ProblemCode.OPTED_OUT: "9002"}
# in receipts; 10001 is ours and in no range of the provider's: nobody knows whether it was sent
RECEIPT_CODES = PROVIDER_CODES | dict.fromkeys(PRESUMED, "10001")


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
    verdict: str = ""
    reason: str = ""


def reports(change: MessageChange, send: Send) -> bool:
    """Whether the provider would report this, and the send asks for it; SENT is SUBMITTED."""
    state = MessageState(change.state)
    if state not in REPORTED and not change.url:
        return False
    name = "CLICKED" if change.url else REPORTED[state][0]
    return name in {"SUBMITTED" if one == "SENT" else one for one in send.receipts.names}


def report(change: MessageChange, *, send: Send, message: Message) -> str:
    """A receipt as the provider writes it, in the partner's terms; JSON."""
    number = _number_of(message)
    envelope = _received(change.raw) or {"deliveryInfoNotification": _report_of_ours(change, message)}
    outer = envelope.get("deliveryInfoNotification", envelope)
    for name in CORRELATION_KEYS:
        outer.pop(name, None)
    echo: Echo | None = getattr(message, "echo", None)
    outer["deliveryInfo"]["destination"] = (echo and echo.destination) or number.removeprefix("+")
    outer["correlationid"] = message.partner_correlation_id
    outer["callbackData"] = send.callback_data
    named = send.reference and name_of(str(send.reference), row=message.row)
    outer["transid"] = named or message.provider_id
    if send.simulated:  # in the block in which replies say it too
        envelope["textdesk"] = {"test": True}
    return msgspec.json.encode(envelope).decode()


def name_of(reference: str, *, row: int) -> str:
    """The messageId of one destination: the first has the request's own, the others _1, _2 … behind it."""
    return f"{reference}_{row - 1}" if row > 1 else reference


def _number_of(message: Message) -> str:
    """The recipient's; empty where it is no longer kept."""
    return message.msisdn if message.msisdn.startswith("+") else ""


def _received(raw: bytes) -> dict[str, Any] | None:
    if not raw:
        return None
    found = decoded(raw)
    outer = found.get("deliveryInfoNotification", found)
    return found if isinstance(outer, dict) and isinstance(outer.get("deliveryInfo"), dict) else None


def _report_of_ours(change: MessageChange, message: Message) -> dict[str, Any]:
    _, code, status, words = REPORTED[MessageState(change.state)]
    if change.state == MessageState.FAILED:
        code = change.code if change.code.isdecimal() else RECEIPT_CODES.get(change.code, code)
        status = delivery_status(code)
    info = {
        "timeStamp": stamp(change.at),
        "Description": change.detail or words,
        "code": code,
        "deliveryChannel": "SMS",
        "additionalInfo": "",
        "destination": _number_of(message),
        "destinationType": "msisdn",
        "deliveryStatus": status,
    }
    if change.segments is not None or change.state != MessageState.SUBMITTED:
        info["messageCount"] = str(change.segments or message.segments_billed or message.segments or 1)
    return {"deliveryInfo": info, "carrier": change.carrier, "subtid": ""}


def envelope(kind: str, *, at: datetime, data: Mapping[str, Any]) -> str:
    return msgspec.json.encode({"type": kind, "timestamp": stamp(at), "data": data}).decode()
