"""What callbacks say: our own events, and receipts in the provider's shape for whoever came with `/v2/messages`. Pure but for its rows.

The provider's shape is reference §6.4 of Webex Connect. A receipt is passed on as it came, with what is the partner's put back in:
correlation id, callback data, destination and transaction id. What never reached the provider is told in the same shape.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from sms.models.callback import Echo, Notify
from sms.models.message import MessageState
from sms.values.msisdn import mask
from sms.webex.values import without_bom

Facts = tuple[int, str, str, int, int]  # message id, MSISDN, the provider's id, attempt, row

REPORTED = {
    MessageState.SUBMITTED: "SUBMITTED",
    MessageState.DELIVERED: "DELIVERED",
    MessageState.FAILED: "FAILED",
    MessageState.EXPIRED: "FAILED",
    MessageState.CANCELLED: "FAILED",
}
SPELLINGS = ("correlationId", "corelationid")
# Ours, where the provider never saw the message, in the provider's codes and words.
PLAIN = {
    MessageState.SUBMITTED: ("7501", "Submitted", "Submitted"),
    MessageState.DELIVERED: ("7500", "Delivered", "Delivered"),
    MessageState.FAILED: ("7011", "Failed", "Unknown error"),
    MessageState.EXPIRED: ("7208", "Un-Delivered", "Message expired"),
    MessageState.CANCELLED: ("7503", "Failed", "Cancelled before it was sent"),
}
CODES = {"opted_out": "9002"}


class MessageChange(NamedTuple):
    """One piece of news that moved a message, as the ledger saw it. `raw` is the receipt it came from, empty for anything else.

    `moved` is False where only details changed (a receipt that came late): the provider's shape tells it, our events do not.
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
    moved: bool = True
    url: str = ""


def reports(change: MessageChange, notify: Notify) -> bool:
    """Whether the provider would report this, and the request asked for it. No list asks for everything; SENT is SUBMITTED."""
    name = "CLICKED" if change.url else REPORTED.get(MessageState(change.state), "")
    if not name:
        return False
    wanted = {"SUBMITTED" if str(one).upper() == "SENT" else str(one).upper() for one in notify.receipts}
    return not wanted or name in wanted


def report(change: MessageChange, *, notify: Notify, facts: Facts, echo: Echo | None) -> str:
    """A receipt as the provider writes it, in the partner's terms; JSON."""
    envelope = _as_it_came(change.raw) or {"deliveryInfoNotification": _made(change, facts)}
    outer = envelope.get("deliveryInfoNotification", envelope)
    for spelling in SPELLINGS:
        outer.pop(spelling, None)
    outer["deliveryInfo"]["destination"] = (echo.destination if echo else "") or _number(facts).removeprefix(
        "+"
    )
    outer["correlationid"] = echo.correlation_id if echo else ""
    outer["callbackData"] = notify.callback_data
    outer["transid"] = name_of(notify.reference, row=facts[4]) if notify.reference else facts[2]
    return msgspec.json.encode(envelope).decode()


def _number(facts: Facts) -> str:
    """The recipient's; empty where it is kept no longer."""
    return facts[1] if facts[1].startswith("+") else ""


def name_of(reference: str, *, row: int) -> str:
    """The messageId of one destination: the first has the request's own, the others _1, _2 … behind it."""
    return f"{reference}_{row - 1}" if row > 1 else reference


def _as_it_came(raw: bytes) -> dict[str, Any] | None:
    if not raw:
        return None
    found = msgspec.json.decode(without_bom(raw))
    outer = found.get("deliveryInfoNotification", found)
    return found if isinstance(outer, dict) and isinstance(outer.get("deliveryInfo"), dict) else None


def _made(change: MessageChange, facts: Facts) -> dict[str, Any]:
    code, status, words = PLAIN[MessageState(change.state)]
    failed = change.state == MessageState.FAILED
    info = {
        "timeStamp": stamp(change.at),
        "Description": change.detail or words,
        "code": change.code if change.code.isdecimal() and failed else CODES.get(change.code, code),
        "deliveryChannel": "SMS",
        "additionalInfo": "",
        "destination": _number(facts),
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
    facts: Facts,
    callback_data: str,
    full_numbers: bool,
    echo: Echo | None,
) -> str:
    """One of our events: what it is, when it happened, and the message it is about, without its text; JSON."""
    data: dict[str, Any] = {
        "message": change.message_id,
        "send": change.send_id,
        "service": slug,
        "to": _number(facts) if full_numbers else mask(facts[1]),
        "state": str(change.state),
        "code": change.code,
        "detail": change.detail,
        "provider_id": facts[2],
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
    """The frame of every event of ours."""
    return msgspec.json.encode({"type": kind, "timestamp": stamp(at), "data": data}).decode()


def stamp(at: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
