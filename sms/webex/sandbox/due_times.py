"""sendAt, expireAt and validity: how they are written, and how far they may reach."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sms.webex.sandbox.refusals import invalid
from sms.webex.sandbox.switches import Switches

AHEAD = 7 * 86400.0
LONGEST = 72 * 3600

_WRITTEN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_SECONDS = re.compile(r"-?[0-9]{1,9}")


def times(data: dict[str, Any], switches: Switches, now: float) -> tuple[float, float]:
    """When to send and when to give up, in epoch seconds; 0 for at once and for never."""
    send_at, expire_at = _moment(data, "sendAt", switches, now), _moment(data, "expireAt", switches, now)
    if send_at and send_at < now and switches.past_send_at == "7004":
        raise invalid("sendAt")
    start = max(send_at, now)
    validity = data.get("validity")
    if validity is None or validity == "":
        if expire_at and expire_at <= start and switches.past_expire_at == "7004":
            raise invalid("expireAt")
        return send_at, expire_at
    if expire_at:
        raise invalid("validity")
    written = str(validity)
    if isinstance(validity, bool | float) or not _SECONDS.fullmatch(written):
        raise invalid("validity")
    seconds = int(written)
    if not 1 <= seconds <= LONGEST:
        raise invalid("validity")
    return send_at, (send_at or now) + seconds


def _moment(data: dict[str, Any], name: str, switches: Switches, now: float) -> float:
    value = data.get(name)
    if value is None or value == "":
        return 0.0
    if not isinstance(value, str) or not _WRITTEN.fullmatch(value):
        raise invalid(name)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise invalid(name) from None
    if moment.tzinfo is None:
        if switches.zoneless_time == "7004":
            raise invalid(name)
        moment = moment.replace(tzinfo=UTC)
    try:
        seconds = moment.timestamp()
    except OverflowError:
        raise invalid(name) from None
    if seconds > now + AHEAD:
        raise invalid(name)
    return seconds
