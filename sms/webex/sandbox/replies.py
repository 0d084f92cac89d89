"""What an accepted request is answered, the ids its messages get, and what `GET /v2/messages/{messageId}` says of one."""

import json
import uuid
from typing import NamedTuple
from urllib.parse import quote_plus

from sms.webex.sandbox.destinations import SandboxDestination
from sms.webex.sandbox.message_log import SandboxMessage
from sms.webex.sandbox.switches import Switches
from sms.webex.sandbox.times import iso

READ_BACK = "/v2/messages/"  # and the message id
QUEUED, REJECTED = "queued", "rejected"
LEFT_OUT = ""  # neither accepted nor named in the reply


class SandboxReply(NamedTuple):
    """What the reply says of one destination; only what is queued becomes a message."""

    message_id: str
    correlation: str
    status: str


def replies_to(destinations: list[SandboxDestination], switches: Switches) -> list[SandboxReply]:
    """One for each destination, in order."""
    return [
        SandboxReply(message_id, to.correlation, status)
        for message_id, to, status in zip(
            _ids(len(destinations), switches), destinations, _statuses(destinations, switches), strict=True
        )
    ]


def _statuses(destinations: list[SandboxDestination], switches: Switches) -> list[str]:
    """Numbers that cannot exist may be rejected at once; a reply of one object cannot say so of a part."""
    if switches.reply_status == "queued":
        return [QUEUED] * len(destinations)
    bad = [switches.reply_status == "rejected" or not to.digits for to in destinations]
    if all(bad):
        return [REJECTED] * len(bad)
    if switches.reply_to_many == "object":
        return [QUEUED] * len(bad)
    instead = LEFT_OUT if switches.reply_status == "bad_left_out" else REJECTED
    return [instead if one else QUEUED for one in bad]


def _ids(count: int, switches: Switches) -> list[str]:
    base = str(uuid.uuid4())
    if count == 1 or switches.ids_of_many == "same":
        return [base] * count
    if switches.ids_of_many == "own":
        return [base, *(str(uuid.uuid4()) for _ in range(count - 1))]
    return [base, *(f"{base}_{number}" for number in range(1, count))]


def body(found: list[SandboxReply], now: float, switches: Switches) -> bytes:
    at = iso(now, "Z" if switches.reply_time == "utc" else "-04:00")
    many = len(found) > 1 and switches.reply_to_many != "object"
    replies = [
        {
            "requestTimestamp": at,
            "messageId": one.message_id,
            "correlationId": one.correlation,
            "status": one.status,
        }
        for one in (found if many else found[:1])
        if one.status != LEFT_OUT
    ]
    if not many:
        return json.dumps(replies[0]).encode()
    if switches.reply_to_many == "list":
        return json.dumps(replies).encode()
    return json.dumps({"requestTimestamp": at, "messages": replies}).encode()


def read_back(message: SandboxMessage) -> bytes:
    """In the shape of the provider's beta: its text is form-URL-encoded, its segments a text, as documented."""
    order = message.order
    return json.dumps(
        {
            "clientId": 1,
            "groupId": 1,
            "teamId": 1,
            "channel": "sms",
            "toType": "msisdn",
            "to": message.digits or message.msisdn,
            "from": order.sender,
            "messageId": message.message_id,
            "correlationId": message.correlation,
            "numSegments": str(message.segments),
            "requestTimestamp": iso(message.at),
            "requestedReceipts": sorted(order.receipts),
            "version": "2.0",
            "content": {
                "type": "unicode" if order.unicode else "text",
                "text": quote_plus(message.text, errors="replace"),
            },
            "callbackData": order.callback,
            "notifyUrl": order.notify_url.removeprefix("invalid:"),
            "options": {
                "trackOpens": False,
                "smsFallback": False,
                "bypassSuppression": False,
                "domain": order.links.domain,
                "trackClicks": order.links.track,
                "shortenLinks": order.links.shorten,
            },
            "direction": "outbound",
            "status": message.status,
        }
    ).encode()
