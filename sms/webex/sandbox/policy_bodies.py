"""The bodies of the Contact Policy API: groups and members, read from JSON and written as JSON or CSV."""

import csv
import io
import json
import re
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs

from sms.webex.sandbox import consent
from sms.webex.sandbox.consent import Cap, ConsentGroup, Member
from sms.webex.sandbox.http_server import Request, Response
from sms.webex.sandbox.times import iso

_ADDRESS = re.compile(r"\+[1-9][0-9]{6,14}")
_FIELDS = ("date", "address", "channel", "consent", "expires", "keyword", "campaign", "source")


class PolicyApiError(Exception):
    """An answer other than success: its status, and a sentence."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def answer(self) -> Response:
        return Response(self.status, json.dumps({"message": self.message}).encode() if self.message else b"")


def need(held: bool, sentence: str, status: int = 400) -> None:
    if not held:
        raise PolicyApiError(status, sentence)


def group_of(data: dict[str, Any], group_id: str) -> ConsentGroup:
    name, about, kind = text_of(data, "name"), text_of(data, "description"), text_of(data, "groupDefault")
    status = text_of(data, "status") or "ENABLED"
    need(1 <= len(name) <= consent.LONGEST_NAME, "name has 1 to 128 characters.")
    need(bool(about), "description is missing.")
    need(kind in consent.KINDS, "groupDefault is ALLOWLIST or DENYLIST.")
    need(status in consent.STATES, "status is ENABLED or DISABLED.")
    senders = []
    for one in _list(data, "senders"):
        channel = one.get("channel")
        need(channel in consent.CHANNELS, "A sender has a channel: email, text, voice or whatsapp.")
        senders.append((str(channel), text_of(one, "address")))
    need(1 <= len(senders) <= consent.MOST_SENDERS, "senders has 1 to 10 entries.")
    caps = _caps(data)
    return ConsentGroup(group_id, name, about, kind, senders, caps, text_of(data, "createdBy"), status)


def member_of(data: dict[str, Any], now: float) -> Member:
    channel, address, agreed = text_of(data, "channel"), text_of(data, "address"), data.get("consent")
    if not isinstance(agreed, bool):
        raise PolicyApiError(400, "consent is true or false.")
    possible = _ADDRESS.fullmatch(address) if channel == "text" else address
    need(bool(possible), "address is a number with + and country code.")
    details = data.get("metadata") or {}
    need(isinstance(details, dict), "metadata is an object.")
    kept = {name: str(value) for name, value in details.items()}
    return Member(channel, address, agreed, text_of(data, "reason"), _moment(data, "expires"), now, kept)


def group_shown(group: ConsentGroup) -> dict[str, Any]:
    return {
        "groupId": group.group_id,
        "name": group.name,
        "description": group.description,
        "groupDefault": group.kind,
        "status": group.status,
        "senders": [{"channel": channel, "address": address} for channel, address in group.senders],
        "maxFrequencies": [
            {"period": cap.period, "maxCount": cap.most} | ({"channel": cap.channel} if cap.channel else {})
            for cap in group.caps
        ],
        "createdBy": group.created_by,
    }


def json_of(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError:
        raise PolicyApiError(400, "The body is no JSON.") from None


def object_of(request: Request) -> dict[str, Any]:
    data: dict[str, Any] = json_of(request)
    need(isinstance(data, dict), "The body is no object.")
    return data


def query_of(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query).items()}


def text_of(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    need(value is None or isinstance(value, str), f"{name} is a text.")
    return value or ""


def _list(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value: list[dict[str, Any]] = data.get(name) or []
    possible = isinstance(value, list) and all(isinstance(one, dict) for one in value)
    need(possible, f"{name} is a list of objects.")
    return value


def _moment(data: dict[str, Any], name: str) -> float:
    value = text_of(data, name)
    if not value:
        return 0.0
    with suppress(ValueError):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.timestamp()
    raise PolicyApiError(400, f"{name} is a time with its zone.")


def _caps(data: dict[str, Any]) -> list[Cap]:
    caps = []
    for one in _list(data, "maxFrequencies"):
        period, count, channel = one.get("period"), str(one.get("maxCount", "")), one.get("channel") or ""
        known = period in consent.PERIODS and channel in ("", *consent.CHANNELS)
        need(known, "A frequency has a period, DAY, WEEK or MONTH, and perhaps a channel.")
        need(count.isdecimal() and 1 <= int(count) <= consent.LARGEST_CAP, "maxCount is 1 to 5000.")
        caps.append(Cap(str(period), int(count), str(channel)))
    for channel in {cap.channel for cap in caps}:
        of_channel = [cap for cap in caps if cap.channel == channel]
        counts = sorted((consent.PERIODS.index(cap.period), cap.most) for cap in of_channel)
        rising = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(counts))
        need(rising, "Each period once, and a day less than a week less than a month.")
    need(len(caps) <= consent.MOST_CAPS, "maxFrequencies has up to 10 entries.")
    return caps


def member_shown(group_id: str, one: Member) -> dict[str, Any]:
    return {
        "groupId": group_id,
        "channel": one.channel,
        "address": one.address,
        "consent": one.consent,
        "reason": one.reason,
        "expires": iso(one.expires) if one.expires else None,
        "lastUpdated": iso(one.updated),
        "metadata": one.metadata,
    }


def as_csv(page: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(_FIELDS)
    for one in page:
        consent, expires = str(one["consent"]).lower(), one["expires"] or ""
        details = [one["metadata"].get(name, "") for name in _FIELDS[5:]]
        table.writerow([one["lastUpdated"], one["address"], one["channel"], consent, expires, *details])
    return out.getvalue().encode()
