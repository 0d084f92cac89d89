"""A receipt without what is a person's. Called by the archive, by retention and erasure, and for receipts that come after an erasure."""

import json

from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt


def bare_receipt(raw: bytes) -> bytes:
    """The notification with its code, status, time and figures, without number, callback data and addresses; empty where unreadable.

    So timelines, and the judging of clicks by the time of delivery, go on without the receipt as it came.
    """
    try:
        note = parse_receipt(raw)
    except UnreadableBody:
        return b""
    info: dict[str, object] = {
        "code": note.code,
        "deliveryStatus": note.status,
        "deliveryChannel": "SMS",
    }
    if note.at is not None:
        info["timeStamp"] = note.at.isoformat()
    if note.segments is not None:
        info["messageCount"] = str(note.segments)
    outer = {"deliveryInfo": info, "transid": note.provider_id, "correlationid": note.correlation_id}
    if note.carrier:
        outer["carrier"] = note.carrier
    return json.dumps({"deliveryInfoNotification": outer, "shortened": True}).encode()
