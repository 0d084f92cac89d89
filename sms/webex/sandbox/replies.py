"""What an accepted request is answered, and the ids its messages get."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone

from sms.webex.sandbox.message_log import SandboxMessage
from sms.webex.sandbox.switches import Switches

EAST = timezone(timedelta(hours=-4))


def ids(count: int, switches: Switches) -> list[str]:
    base = str(uuid.uuid4())
    if count == 1 or switches.ids_of_many == "same":
        return [base] * count
    if switches.ids_of_many == "own":
        return [base, *(str(uuid.uuid4()) for _ in range(count - 1))]
    return [base, *(f"{base}_{number}" for number in range(1, count))]


def body(accepted: list[SandboxMessage], now: float, switches: Switches) -> bytes:
    written = datetime.fromtimestamp(now, UTC if switches.reply_time == "utc" else EAST)
    at = written.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    many = len(accepted) > 1 and switches.reply_to_many != "object"
    replies = [
        {
            "requestTimestamp": at,
            "messageId": one.message_id,
            "correlationId": one.correlation,
            "status": "queued",
        }
        for one in (accepted if many else accepted[:1])
    ]
    if not many:
        return json.dumps(replies[0]).encode()
    if switches.reply_to_many == "list":
        return json.dumps(replies).encode()
    return json.dumps({"requestTimestamp": at, "messages": replies}).encode()
