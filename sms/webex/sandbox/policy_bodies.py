"""The bodies of the Contact Policy API: groups and members, read from JSON and written as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import re
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


def group_of(data: dict[str, Any], group_id: str) -> ConsentGroup:
    name, kind = text_of(data, "name"), text_of(data, "groupDefault")
    if not 1 <= len(name) <= consent.LONGEST_NAME:
        raise PolicyApiError(400, "name has 1 to 128 characters.")
    if not text_of(data, "description"):
        raise PolicyApiError(400, "description is missing.")
    if kind not in consent.KINDS:
        raise PolicyApiError(400, "groupDefault is ALLOWLIST or DENYLIST.")
    status = text_of(data, "status") or "ENABLED"
    if status not in consent.STATES:
        raise PolicyApiError(400, "status is ENABLED or DISABLED.")
    senders = []
    for one in _list(data, "senders"):
        if one.get("channel") not in consent.CHANNELS:
            raise PolicyApiError(400, "A sender has a channel: email, text, voice or whatsapp.")
        senders.append((str(one["channel"]), text_of(one, "address")))
    if not 1 <= len(senders) <= consent.MOST_SENDERS:
        raise PolicyApiError(400, "senders has 1 to 10 entries.")
    return ConsentGroup(
        group_id,
        name,
        text_of(data, "description"),
        kind,
        senders,
        _caps(data),
        text_of(data, "createdBy"),
        status,
    )


def member_of(data: dict[str, Any], now: float) -> Member:
    channel, address, agreed = text_of(data, "channel"), text_of(data, "address"), data.get("consent")
    if not isinstance(agreed, bool):
        raise PolicyApiError(400, "consent is true or false.")
    if not address or (channel == "text" and not _ADDRESS.fullmatch(address)):
        raise PolicyApiError(400, "address is a number with + and country code.")
    details = data.get("metadata") or {}
    if not isinstance(details, dict):
        raise PolicyApiError(400, "metadata is an object.")
    return Member(
        channel,
        address,
        agreed,
        text_of(data, "reason"),
        _moment(data, "expires"),
        now,
        {name: str(value) for name, value in details.items()},
    )


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


def object_of(request: Request) -> dict[str, Any]:
    try:
        data = json.loads(request.body)
    except ValueError:
        raise PolicyApiError(400, "The body is no JSON.") from None
    if not isinstance(data, dict):
        raise PolicyApiError(400, "The body is no object.")
    return data


def query_of(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query).items()}


def text_of(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise PolicyApiError(400, f"{name} is a text.")
    return value


def _list(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = data.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise PolicyApiError(400, f"{name} is a list of objects.")
    return value


def _moment(data: dict[str, Any], name: str) -> float:
    value = text_of(data, name)
    if not value:
        return 0.0
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise PolicyApiError(400, f"{name} is a time with its zone.")
    return moment.timestamp()


def _caps(data: dict[str, Any]) -> list[Cap]:
    caps = []
    for one in _list(data, "maxFrequencies"):
        period, count, channel = one.get("period"), str(one.get("maxCount", "")), one.get("channel") or ""
        if period not in consent.PERIODS or (channel and channel not in consent.CHANNELS):
            raise PolicyApiError(400, "A frequency has a period, DAY, WEEK or MONTH, and perhaps a channel.")
        if not count.isdecimal() or not 1 <= int(count) <= consent.LARGEST_CAP:
            raise PolicyApiError(400, "maxCount is 1 to 5000.")
        caps.append(Cap(str(period), int(count), str(channel)))
    for channel in {cap.channel for cap in caps}:
        counts = sorted(
            (consent.PERIODS.index(cap.period), cap.most) for cap in caps if cap.channel == channel
        )
        rising = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(counts))
        if not rising:
            raise PolicyApiError(400, "Each period once, and a day less than a week less than a month.")
    if len(caps) > consent.MOST_CAPS:
        raise PolicyApiError(400, "maxFrequencies has up to 10 entries.")
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
        first = [
            one["lastUpdated"],
            one["address"],
            one["channel"],
            str(one["consent"]).lower(),
            one["expires"] or "",
        ]
        table.writerow(first + [one["metadata"].get(name, "") for name in _FIELDS[5:]])
    return out.getvalue().encode()
