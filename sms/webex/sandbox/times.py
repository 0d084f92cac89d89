"""Times: how the provider writes them, and how far sendAt, expireAt and validity may reach."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sms.webex.sandbox.refusals import invalid
from sms.webex.sandbox.switches import Switches

AHEAD = 7 * 86400.0
LONGEST = 72 * 3600

ZONES = {
    "-04:00": timezone(timedelta(hours=-4)),
    "+05:30": timezone(timedelta(hours=5, minutes=30)),
}

_WRITTEN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_SECONDS = re.compile(r"-?[0-9]{1,9}")


def iso(moment: float, zone: str = "Z") -> str:
    """Epoch seconds as the provider writes a time; ``zone`` is a choice of the switch ``receipt_time``."""
    text = datetime.fromtimestamp(moment, ZONES.get(zone, UTC)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z") if zone == "Z" else text


def due_and_expiry(data: dict[str, Any], switches: Switches, now: float) -> tuple[float, float]:
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
    if seconds < 1 and switches.zero_validity == "7004":
        raise invalid("validity")
    if seconds > LONGEST and switches.long_validity != "take":
        if switches.long_validity == "7004":
            raise invalid("validity")
        seconds = LONGEST
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
