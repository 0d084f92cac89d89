"""Times: how the provider writes them, and how far sendAt, expireAt and validity may reach."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sms.webex.sandbox.fields import string, whole
from sms.webex.sandbox.refusals import invalid
from sms.webex.sandbox.switches import Switches

WEEK = 7 * 86400.0
LONGEST = 72 * 3600

ZONES = {"-04:00": timezone(timedelta(hours=-4)), "+05:30": timezone(timedelta(hours=5, minutes=30))}

# `YYYY-MM-DDThh:mm:ss.sZ`, the seed says, and "UTC"; whether the fraction may be missing it does not.
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z")
_LOCAL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)(.*)")
_OFFSET = re.compile(r"[+-][0-9]{2}:?[0-9]{2}")


def iso(moment: float, zone: str = "Z") -> str:
    """Epoch seconds as the provider writes a time; ``zone`` is a choice of the switch ``receipt_time``."""
    text = datetime.fromtimestamp(moment, ZONES.get(zone, UTC)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z") if zone == "Z" else text


def due_and_expiry(data: dict[str, Any], switches: Switches, now: float) -> tuple[float, float]:
    """When to send and when to give up, in epoch seconds; 0 for at once and for never."""
    send_at, expire_at = _moment(data, "sendAt", switches, now), _moment(data, "expireAt", switches, now)
    validity = data.get("validity")
    if send_at and send_at < now and switches.past_send_at == "7004":
        raise invalid("sendAt")
    if validity is None:
        if expire_at and expire_at <= max(send_at, now) and switches.past_expire_at == "7004":
            raise invalid("expireAt")
        return send_at, expire_at
    if expire_at:
        raise invalid("validity")  # "will not be accepted if both values are present"
    seconds = whole(validity, "validity")
    if seconds < 1 and switches.zero_validity == "7004":
        raise invalid("validity")
    if seconds > LONGEST and switches.long_validity != "take":
        if switches.long_validity == "7004":
            raise invalid("validity")
        seconds = LONGEST
    return send_at, (send_at or now) + seconds


def _moment(data: dict[str, Any], name: str, switches: Switches, now: float) -> float:
    if data.get(name) is None:
        return 0.0
    written = string(data, name)
    if not _UTC.fullmatch(written):
        written = _of_another_form(written, name, switches)
    try:
        moment = datetime.fromisoformat(written).timestamp()
    except (ValueError, OverflowError):
        raise invalid(name) from None
    if moment > now + WEEK:
        raise invalid(name)
    return moment


def _of_another_form(written: str, name: str, switches: Switches) -> str:
    """A time with an offset or without a zone, where switches take it; seconds may be missing then."""
    match = _LOCAL.fullmatch(written)
    local, zone = match.groups() if match else ("", "")
    if local and not zone and switches.zoneless_time == "utc":
        return local + "Z"
    if local and (_OFFSET.fullmatch(zone) or zone == "Z") and switches.offset_time == "take":
        return written
    raise invalid(name)
