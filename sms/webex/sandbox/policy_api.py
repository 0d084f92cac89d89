"""The Contact Policy API (``/v1/groups``) on the same server: the provider has a host of its own for it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, unquote

from sms.webex.sandbox import consent
from sms.webex.sandbox.consent import Cap, Consents, Group, Member
from sms.webex.sandbox.http1 import Exchange
from sms.webex.sandbox.receipts import iso

PAGE = 50
LARGEST_PAGE = 1000
ROOT = "/v1/groups"

_ADDRESS = re.compile(r"\+[1-9][0-9]{6,14}")
_COUNTERS = {
    "9002": "20002",
    "9003": "20003",
    "9004": "20004",
    "9005": "20005",
    "9006": "20007",
    "9007": "20008",
    "9010": "20012",
}
_FIELDS = ("date", "address", "channel", "consent", "expires", "keyword", "campaign", "source")


class Wrong(Exception):
    """An answer other than success: its status, and a sentence."""

    def __init__(self, status: int, message: str = "") -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status
        self.message = message


class PolicyApi:
    """Routes and answers. The provider documents neither the bodies of its errors nor those of its GETs."""

    def __init__(self, consents: Consents, key: Callable[[], str], clock: Callable[[], float]) -> None:
        """``key`` gives the profile key of the moment; without one any bearer token is good."""
        self.consents = consents
        self.key = key
        self.clock = clock

    def handle(self, exchange: Exchange) -> bool:
        """Answer; False when the path is not of this API."""
        path = exchange.path
        if path != ROOT and not path.startswith(ROOT + "/"):
            return False
        scheme, _, token = exchange.headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        key = self.key()
        if scheme.lower() != "bearer" or not token.strip() or (key and token.strip() != key):
            exchange.reply(401)
            return True
        try:
            self._route(exchange, [unquote(one) for one in path[len(ROOT) :].split("/")[1:]])
        except Wrong as wrong:
            exchange.reply(
                wrong.status, json.dumps({"message": wrong.message}).encode() if wrong.message else b""
            )
        return True

    def _route(self, exchange: Exchange, parts: list[str]) -> None:
        every = parts[:1] == ["*"]
        match exchange.method, parts[1:] if parts else None:
            case "GET", None:
                _json(exchange, [self._shown(one) for one in self.consents.groups.values()])
            case "POST", None:
                self._create(exchange)
            case "GET", [] if not every:
                _json(exchange, self._shown(self._group(parts[0])))
            case "PUT", [] if not every:
                self._change(exchange, self._group(parts[0]))
            case "DELETE", [] if not every:
                del self.consents.groups[self._group(parts[0]).group_id]
                exchange.reply(204)
            case "GET", ["members"]:
                self._list(exchange, self._groups(parts[0]))
            case "POST", ["members"] if every:
                self._everywhere(exchange, self._member(_object(exchange)))
            case "POST", ["members"]:
                self._put(self._group(parts[0]), self._member(_object(exchange)))
                exchange.reply(204)
            case "DELETE", ["members"] if not every:
                self._remove(exchange, self._group(parts[0]))
            case "GET", ["members", "count"]:
                found = sum(len(self._found(one, _query(exchange))) for one in self._groups(parts[0]))
                _json(exchange, {"count": found})
            case "POST", ["members", "optOut"] if every:
                self._opt_out(exchange)
            case "POST", ["counters"] if not every:
                self._count(exchange, parts[0])
            case "PUT", ["counters"] if not every:
                self._set_counter(exchange, self._group(parts[0]))
            case method, None | [] | ["members"] | ["members", "count" | "optOut"] | ["counters"]:
                raise Wrong(405, f"{method} is not for this address.")
            case _:
                raise Wrong(404)

    # -- groups

    def _group(self, group_id: str) -> Group:
        group = self.consents.groups.get(group_id)
        if group is None:
            raise Wrong(404)
        return group

    def _groups(self, group_id: str) -> list[Group]:
        return list(self.consents.groups.values()) if group_id == "*" else [self._group(group_id)]

    @staticmethod
    def _shown(group: Group) -> dict[str, Any]:
        return {
            "groupId": group.group_id,
            "name": group.name,
            "description": group.description,
            "groupDefault": group.kind,
            "status": group.status,
            "senders": [{"channel": channel, "address": address} for channel, address in group.senders],
            "maxFrequencies": [
                {"period": cap.period, "maxCount": cap.most}
                | ({"channel": cap.channel} if cap.channel else {})
                for cap in group.caps
            ],
            "createdBy": group.created_by,
        }

    def _create(self, exchange: Exchange) -> None:
        group = self._read(_object(exchange), consent.new_id())
        self.consents.groups[group.group_id] = group
        exchange.reply(201, group.group_id.encode(), headers=b"Content-Type: text/plain\r\n")

    def _change(self, exchange: Exchange, group: Group) -> None:
        read = self._read(_object(exchange), group.group_id)
        read.members, read.used = group.members, group.used
        self.consents.groups[group.group_id] = read
        exchange.reply(204)

    def _read(self, data: dict[str, Any], group_id: str) -> Group:
        name, kind = _text(data, "name"), _text(data, "groupDefault")
        if not 1 <= len(name) <= consent.LONGEST_NAME:
            raise Wrong(400, "name has 1 to 128 characters.")
        if any(one.name == name and one.group_id != group_id for one in self.consents.groups.values()):
            raise Wrong(409, "There is a group of this name.")
        if not _text(data, "description"):
            raise Wrong(400, "description is missing.")
        if kind not in consent.KINDS:
            raise Wrong(400, "groupDefault is ALLOWLIST or DENYLIST.")
        status = _text(data, "status") or "ENABLED"
        if status not in consent.STATES:
            raise Wrong(400, "status is ENABLED or DISABLED.")
        senders = []
        for one in _list(data, "senders"):
            if one.get("channel") not in consent.CHANNELS:
                raise Wrong(400, "A sender has a channel: email, text, voice or whatsapp.")
            senders.append((str(one["channel"]), _text(one, "address")))
        if not 1 <= len(senders) <= consent.MOST_SENDERS:
            raise Wrong(400, "senders has 1 to 10 entries.")
        return Group(
            group_id,
            name,
            _text(data, "description"),
            kind,
            senders,
            _caps(data),
            _text(data, "createdBy"),
            status,
        )

    # -- members

    def _member(self, data: dict[str, Any]) -> Member:
        channel, address, agreed = _text(data, "channel"), _text(data, "address"), data.get("consent")
        if not isinstance(agreed, bool):
            raise Wrong(400, "consent is true or false.")
        if not address or (channel == "text" and not _ADDRESS.fullmatch(address)):
            raise Wrong(400, "address is a number with + and country code.")
        details = data.get("metadata") or {}
        if not isinstance(details, dict):
            raise Wrong(400, "metadata is an object.")
        return Member(
            channel,
            address,
            agreed,
            _text(data, "reason"),
            _moment(data, "expires"),
            self.clock(),
            {name: str(value) for name, value in details.items()},
        )

    @staticmethod
    def _put(group: Group, member: Member) -> None:
        if not group.has(member.channel):
            raise Wrong(409, f"The group has no sender on the channel {member.channel}.")
        group.members[member.channel, member.address] = member

    def _everywhere(
        self, exchange: Exchange, member: Member, only: Callable[[Group], bool] | None = None
    ) -> None:
        updated, ignored = [], []
        for group in self.consents.groups.values():
            if not group.has(member.channel):
                ignored.append({"groupId": group.group_id, "reason": "INVALID_CHANNEL"})
            elif only is not None and not only(group):
                ignored.append({"groupId": group.group_id, "reason": "OTHER"})
            else:
                self._put(group, member)
                updated.append(group.group_id)
        _json(exchange, {"updated": updated, "ignored": ignored})

    def _opt_out(self, exchange: Exchange) -> None:
        data = _object(exchange)
        sender = _text(data, "senderAddress")
        member = self._member(data | {"consent": False})

        def concerned(group: Group) -> bool:
            return group.kind == "DENYLIST" or not sender or (member.channel, sender) in group.senders

        self._everywhere(exchange, member, concerned)

    def _remove(self, exchange: Exchange, group: Group) -> None:
        asked = _object(exchange) if exchange.body else _query(exchange)
        if group.members.pop((_text(asked, "channel"), _text(asked, "address")), None) is None:
            raise Wrong(404)
        exchange.reply(204)

    @staticmethod
    def _found(group: Group, query: dict[str, str]) -> list[Member]:
        return [
            one
            for one in group.members.values()
            if query.get("channel", one.channel) == one.channel
            and query.get("address", one.address) == one.address
            and query.get("consent", str(one.consent)).lower() == str(one.consent).lower()
        ]

    def _list(self, exchange: Exchange, groups: list[Group]) -> None:
        query = _query(exchange)
        header = exchange.headers.get(b"x-cp-continue-token", b"").decode("latin-1")
        size, start = query.get("pageSize", str(PAGE)), query.get("continuationToken", header) or "0"
        if not size.isdecimal() or not 1 <= int(size) <= LARGEST_PAGE or not start.isdecimal():
            raise Wrong(400, "pageSize is 1 to 1000, and a continuationToken one that was given.")
        found = [(group.group_id, one) for group in groups for one in self._found(group, query)]
        first = int(start)
        page = [_member_shown(group_id, one) for group_id, one in found[first : first + int(size)]]
        more = str(first + int(size)) if len(found) > first + int(size) else ""
        token = f"X-cp-continue-token: {more}\r\n".encode() if more else b""
        if query.get("format", "JSON").upper() == "CSV":
            exchange.reply(200, _csv(page), headers=b"Content-Type: text/csv\r\n" + token)
            return
        body = {"members": page} | ({"continuationToken": more} if more else {})
        exchange.reply(200, json.dumps(body).encode(), headers=b"Content-Type: application/json\r\n" + token)

    # -- counters

    def _count(self, exchange: Exchange, group_id: str) -> None:
        try:
            asked = json.loads(exchange.body)
        except ValueError:
            raise Wrong(400, "The body is no JSON.") from None
        if not isinstance(asked, list) or len(asked) != 1 or not isinstance(asked[0], dict):
            raise Wrong(400, "The body is an array of exactly one object.")
        one, now = asked[0], self.clock()
        channel, address = _text(one, "channel"), _text(one, "address")
        cap = one.get("channelApplyFrequencyCap") is True
        agreed = one.get("channelCheckConsent") is True
        stopped = self.consents.check(group_id, address, now, consent=agreed, cap=cap, channel=channel)
        if group_id not in self.consents.groups:
            stopped = "9007"
        if stopped:
            status, code = 400, _COUNTERS[stopped]
        elif not cap:
            status, code = 200, "20010"
        else:
            status, code = 200, "20001" if self.consents.count(group_id, address, now, channel) else "20006"
        known = {name: one[name] for name in ("sourceTransId", "correlationId") if name in one}
        exchange.reply(status, json.dumps([known | {"code": code}]).encode())

    def _set_counter(self, exchange: Exchange, group: Group) -> None:
        data = _object(exchange)
        channel, period, count = _text(data, "channel"), _text(data, "period"), data.get("count")
        if (
            period not in consent.PERIODS
            or not isinstance(count, int)
            or isinstance(count, bool)
            or count < 0
        ):
            raise Wrong(400, "period is DAY, WEEK or MONTH, count a number.")
        if not group.has(channel):
            raise Wrong(409, f"The group has no sender on the channel {channel}.")
        named = consent.calendar(period, self.clock())
        for cap in group.caps:
            if cap.period == period and cap.channel in ("", channel):
                group.used[cap.channel, _text(data, "address"), period] = (named, count)
        exchange.reply(204)


def _json(exchange: Exchange, value: Any) -> None:
    exchange.reply(200, json.dumps(value).encode())


def _object(exchange: Exchange) -> dict[str, Any]:
    try:
        data = json.loads(exchange.body)
    except ValueError:
        raise Wrong(400, "The body is no JSON.") from None
    if not isinstance(data, dict):
        raise Wrong(400, "The body is no object.")
    return data


def _query(exchange: Exchange) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(exchange.query).items()}


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Wrong(400, f"{name} is a text.")
    return value


def _list(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = data.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Wrong(400, f"{name} is a list of objects.")
    return value


def _moment(data: dict[str, Any], name: str) -> float:
    value = _text(data, name)
    if not value:
        return 0.0
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Wrong(400, f"{name} is a time with its zone.")
    return moment.timestamp()


def _caps(data: dict[str, Any]) -> list[Cap]:
    caps = []
    for one in _list(data, "maxFrequencies"):
        period, count, channel = one.get("period"), str(one.get("maxCount", "")), one.get("channel") or ""
        if period not in consent.PERIODS or (channel and channel not in consent.CHANNELS):
            raise Wrong(400, "A frequency has a period, DAY, WEEK or MONTH, and perhaps a channel.")
        if not count.isdecimal() or not 1 <= int(count) <= consent.LARGEST_CAP:
            raise Wrong(400, "maxCount is 1 to 5000.")
        caps.append(Cap(str(period), int(count), str(channel)))
    for channel in {cap.channel for cap in caps}:
        counts = sorted(
            (consent.PERIODS.index(cap.period), cap.most) for cap in caps if cap.channel == channel
        )
        rising = all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(counts))
        if not rising:
            raise Wrong(400, "Each period once, and a day less than a week less than a month.")
    if len(caps) > consent.MOST_CAPS:
        raise Wrong(400, "maxFrequencies has up to 10 entries.")
    return caps


def _member_shown(group_id: str, one: Member) -> dict[str, Any]:
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


def _csv(page: list[dict[str, Any]]) -> bytes:
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
