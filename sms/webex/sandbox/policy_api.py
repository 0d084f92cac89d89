"""The Contact Policy API (``/v1/groups``) on the same server: the provider has a host of its own for it."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from sms.webex.sandbox import consent
from sms.webex.sandbox.consent import ConsentGroup, Consents, Member
from sms.webex.sandbox.http_server import Request, Response
from sms.webex.sandbox.policy_bodies import (
    PolicyApiError,
    as_csv,
    group_of,
    group_shown,
    json_of,
    member_of,
    member_shown,
    need,
    object_of,
    query_of,
    text_of,
)
from sms.webex.sandbox.settings import Tenant

PAGE = 50
LARGEST_PAGE = 1000
ROOT = "/v1/groups"

_COUNTERS = {
    "9002": "20002",
    "9003": "20003",
    "9005": "20005",
    "9006": "20007",
    "9007": "20008",
    "9010": "20012",
}
_DONE = Response(204)


class PolicyApi:
    """Routes and answers. The provider documents neither the bodies of its errors nor those of its GETs."""

    def __init__(self, tenant: Tenant, consents: Consents) -> None:
        self.tenant = tenant
        self.consents = consents

    def handle(self, request: Request) -> Response | None:
        """Answer; None when the path is not of this API."""
        path = request.path
        if path != ROOT and not path.startswith(ROOT + "/"):
            return None
        scheme, _, token = request.headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        key = self.tenant.settings.profile_key  # without one any bearer token is good
        if scheme.lower() != "bearer" or not token.strip() or (key and token.strip() != key):
            return Response(401)
        try:
            return self._route(request, [unquote(one) for one in path[len(ROOT) :].split("/")[1:]])
        except PolicyApiError as error:
            return error.answer()

    def _route(self, request: Request, parts: list[str]) -> Response:
        every = parts[:1] == ["*"]
        match request.method, parts[1:] if parts else None:
            case "GET", None:
                return _json([group_shown(one) for one in self.consents.groups.values()])
            case "POST", None:
                return self._create(request)
            case "GET", [] if not every:
                return _json(group_shown(self._group(parts[0])))
            case "PUT", [] if not every:
                return self._change(request, self._group(parts[0]))
            case "DELETE", [] if not every:
                del self.consents.groups[self._group(parts[0]).group_id]
                return _DONE
            case "GET", ["members"]:
                return self._list(request, self._groups(parts[0]))
            case "POST", ["members"] if every:
                return self._everywhere(member_of(object_of(request), self.tenant.clock()))
            case "POST", ["members"]:
                return self._put(self._group(parts[0]), member_of(object_of(request), self.tenant.clock()))
            case "DELETE", ["members"] if not every:
                return self._remove(request, self._group(parts[0]))
            case "GET", ["members", "count"]:
                query = query_of(request)
                return _json({"count": sum(len(_found(one, query)) for one in self._groups(parts[0]))})
            case "POST", ["members", "optOut"] if every:
                return self._opt_out(request)
            case "POST", ["counters"] if not every:
                return self._count(request, parts[0])
            case "PUT", ["counters"] if not every:
                return self._set_counter(request, self._group(parts[0]))
            case method, None | [] | ["members"] | ["members", "count" | "optOut"] | ["counters"]:
                raise PolicyApiError(405, f"{method} is not for this address.")
            case _:
                raise PolicyApiError(404)

    # -- groups

    def _group(self, group_id: str) -> ConsentGroup:
        group = self.consents.groups.get(group_id)
        if group is None:
            raise PolicyApiError(404)
        return group

    def _groups(self, group_id: str) -> list[ConsentGroup]:
        return list(self.consents.groups.values()) if group_id == "*" else [self._group(group_id)]

    def _create(self, request: Request) -> Response:
        group = self._read(request, consent.new_id())
        self.consents.groups[group.group_id] = group
        return Response(201, group.group_id.encode(), b"text/plain")

    def _change(self, request: Request, group: ConsentGroup) -> Response:
        read = self._read(request, group.group_id)
        read.members, read.used = group.members, group.used
        self.consents.groups[group.group_id] = read
        return _DONE

    def _read(self, request: Request, group_id: str) -> ConsentGroup:
        read = group_of(object_of(request), group_id)
        if any(one.name == read.name and one.group_id != group_id for one in self.consents.groups.values()):
            raise PolicyApiError(409, "There is a group of this name.")
        return read

    # -- members

    @staticmethod
    def _put(group: ConsentGroup, member: Member) -> Response:
        need(group.has(member.channel), f"The group has no sender on the channel {member.channel}.", 409)
        group.members[member.channel, member.address] = member
        return _DONE

    def _everywhere(self, member: Member, only: Callable[[ConsentGroup], bool] | None = None) -> Response:
        updated, ignored = [], []
        for group in self.consents.groups.values():
            if not group.has(member.channel):
                ignored.append({"groupId": group.group_id, "reason": "INVALID_CHANNEL"})
            elif only is not None and not only(group):
                ignored.append({"groupId": group.group_id, "reason": "OTHER"})
            else:
                self._put(group, member)
                updated.append(group.group_id)
        return _json({"updated": updated, "ignored": ignored})

    def _opt_out(self, request: Request) -> Response:
        data = object_of(request)
        sender = text_of(data, "senderAddress")
        member = member_of(data | {"consent": False}, self.tenant.clock())

        def concerned(group: ConsentGroup) -> bool:
            return group.kind == "DENYLIST" or not sender or (member.channel, sender) in group.senders

        return self._everywhere(member, concerned)

    def _remove(self, request: Request, group: ConsentGroup) -> Response:
        asked = object_of(request) if request.body else query_of(request)
        if group.members.pop((text_of(asked, "channel"), text_of(asked, "address")), None) is None:
            raise PolicyApiError(404)
        return _DONE

    def _list(self, request: Request, groups: list[ConsentGroup]) -> Response:
        query = query_of(request)
        header = request.headers.get(b"x-cp-continue-token", b"").decode("latin-1")
        size, start = query.get("pageSize", str(PAGE)), query.get("continuationToken", header) or "0"
        possible = size.isdecimal() and 1 <= int(size) <= LARGEST_PAGE and start.isdecimal()
        need(possible, "pageSize is 1 to 1000, and a continuationToken one that was given.")
        found = [(group.group_id, one) for group in groups for one in _found(group, query)]
        first = int(start)
        page = [member_shown(group_id, one) for group_id, one in found[first : first + int(size)]]
        more = str(first + int(size)) if len(found) > first + int(size) else ""
        token = f"X-cp-continue-token: {more}\r\n".encode() if more else b""
        if query.get("format", "JSON").upper() == "CSV":
            return Response(200, as_csv(page), b"text/csv", token)
        body = {"members": page} | ({"continuationToken": more} if more else {})
        return Response(200, json.dumps(body).encode(), headers=token)

    # -- counters

    def _count(self, request: Request, group_id: str) -> Response:
        asked = json_of(request)
        whole = isinstance(asked, list) and len(asked) == 1 and isinstance(asked[0], dict)
        need(whole, "The body is an array of exactly one object.")
        one, now = asked[0], self.tenant.clock()
        channel, address = text_of(one, "channel"), text_of(one, "address")
        cap = one.get("channelApplyFrequencyCap") is True
        agreed = one.get("channelCheckConsent") is True
        stopped = self.consents.check(group_id, address, now, consent=agreed, cap=cap, channel=channel)
        if group_id not in self.consents.groups:
            stopped = "9007"
        if stopped:
            code = _COUNTERS[stopped]
        elif not cap:
            code = "20010"
        else:
            code = "20001" if self.consents.count(group_id, address, now, channel) else "20006"
        known = {name: one[name] for name in ("sourceTransId", "correlationId") if name in one}
        return Response(400 if stopped else 200, json.dumps([known | {"code": code}]).encode())

    def _set_counter(self, request: Request, group: ConsentGroup) -> Response:
        data = object_of(request)
        channel, period, count = text_of(data, "channel"), text_of(data, "period"), data.get("count")
        if period not in consent.PERIODS or type(count) is not int or count < 0:
            raise PolicyApiError(400, "period is DAY, WEEK or MONTH, count a number.")
        need(group.has(channel), f"The group has no sender on the channel {channel}.", 409)
        named = consent.calendar(period, self.tenant.clock())
        for cap in group.caps:
            if cap.period == period and cap.channel in ("", channel):
                group.used[cap.channel, text_of(data, "address"), period] = (named, count)
        return _DONE


def _json(value: Any) -> Response:
    return Response(200, json.dumps(value).encode())


def _found(group: ConsentGroup, query: dict[str, str]) -> list[Member]:
    return [
        one
        for one in group.members.values()
        if query.get("channel", one.channel) == one.channel
        and query.get("address", one.address) == one.address
        and query.get("consent", str(one.consent)).lower() == str(one.consent).lower()
    ]
