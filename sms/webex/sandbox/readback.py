"""`GET /v2/messages/{messageId}`: the state of a message, in the shape of the provider's beta."""

from __future__ import annotations

import json
from urllib.parse import quote_plus

from sms.webex.sandbox.message_log import SandboxMessage
from sms.webex.sandbox.times import iso

PREFIX = "/v2/messages/"


def body(message: SandboxMessage) -> bytes:
    """The answer for a message. Its text is form-URL-encoded, its segments a text, as documented."""
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
