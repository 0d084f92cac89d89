"""Who may send, and how much: addresses, keys and tokens, the quota and the rate."""

import base64
import binascii
import hashlib
import hmac
import json
import math
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from ipaddress import ip_address

from sms.webex.sandbox.http_server import Request, Response
from sms.webex.sandbox.rate import Rate
from sms.webex.sandbox.refusals import SandboxRefused
from sms.webex.sandbox.settings import Tenant
from sms.webex.sandbox.switches import Switches

LIFETIME = 3600
MINUTE = 60

_BASE64URL = re.compile(rb"[A-Za-z0-9_-]+")


def token_is_good(token: bytes, service_id: str, secret: str, switches: Switches, now: float) -> bool:
    """Whether ``token`` is an HS256 JWT of this service, no older than an hour."""
    try:
        head, payload, signature = token.split(b".")
        header = json.loads(_unbase64(head))
        if header.get("alg") != "HS256" or "crit" in header:
            return False
        expected = hmac.new(base64.b64decode(secret), head + b"." + payload, hashlib.sha256).digest()
        if not hmac.compare_digest(expected, _unbase64(signature)):
            return False
        claims = json.loads(_unbase64(payload))
        issued, expires = claims["iat"], claims.get("exp")
        if (service_id and claims.get("iss") != service_id) or not _whole(issued):
            return False
        if expires is not None and not (_whole(expires) and issued < expires and now <= expires):
            return False
        ahead = {"minute": MINUTE, "none": 0, "any": math.inf}[switches.jwt_future]
        lives = LIFETIME if expires is None or switches.jwt_life == "hour" else math.inf
        return bool(issued - ahead <= now <= issued + lives)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return False


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _unbase64(part: bytes) -> bytes:
    if not _BASE64URL.fullmatch(part):  # Python would skip what does not belong there
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


class Admission:
    """Authentication comes before any body is read, and nothing is accepted above rate or quota."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.forget()

    def forget(self) -> None:
        self.rate: Rate | None = None
        self.used = 0

    def caller(self, request: Request) -> Response | None:
        """Why this caller may not call, or None when it may."""
        settings = self.tenant.settings
        if settings.allowed and not any(ip_address(request.peer) in one for one in settings.allowed):
            code = settings.switches.blocked_address
            return SandboxRefused(code, "Source IP is not allowed").answer(settings.switches)
        if self.tenant.chance(settings.faults.auth):
            return self._unknown("7001", "Authentication failed")
        authorization = request.headers.get(b"authorization")
        if authorization is not None:  # a JWT is looked at first, and then the key not at all
            scheme, _, token = authorization.partition(b" ")
            secret = settings.service_secret
            good = (
                bool(secret)
                and scheme.lower() == b"bearer"
                and token_is_good(
                    token.strip(), settings.service_id, secret, settings.switches, self.tenant.clock()
                )
            )
            return None if good else self._unknown("7001", "Authentication failed")
        key = request.headers.get(b"key", b"").decode("latin-1")
        if not key:
            return self._unknown("7002", "Service Key Missing")
        if settings.key and key != settings.key:
            return self._unknown("7001", "Authentication failed")
        return None

    def _unknown(self, code: str, words: str) -> Response:
        switches = self.tenant.switches
        if switches.sign_in_refused == "401":
            return Response(401)
        return SandboxRefused(code, words).answer(switches, int(switches.sign_in_refused[:3]))

    def throttled_at_all(self) -> Response | None:
        """The fault ``throttle`` without ``--tps``: every request is refused before it is read."""
        settings = self.tenant.settings
        return self._throttle(1) if settings.faults.throttle and not settings.tps else None

    def take(self, destinations: int) -> float | Response:
        """Seconds until a burst is worked off, mostly 0, or why these destinations are too many."""
        settings = self.tenant.settings
        switches = settings.switches
        delay = 0.0
        if settings.tps:
            now = self.tenant.clock()
            if self.rate is None or self.rate.rate != settings.tps:
                self.rate = Rate(settings.tps, now)
            count = destinations if switches.rate_counts == "destinations" else 1
            over = count > self.rate.size
            if over and switches.call_over_rate == "7009":
                words = f"Number of destinations is limited to {int(self.rate.size)}"
                return SandboxRefused("7009", words).answer(switches)
            debt = over and switches.call_over_rate == "take"
            taken = self.rate.take(count, now, burst=switches.burst == "on", debt=debt)
            if taken is None:
                return self._throttle(count)
            delay = taken
        if settings.quota:
            if self.used + destinations > settings.quota:
                return self._over_quota(switches)
            self.used += destinations
        return delay

    def _over_quota(self, switches: Switches) -> Response:
        if switches.over_quota == "403":
            return Response(403)
        words = {
            "7020": "You have reached the maximum transaction limit (quota)",
            "7103": "Not enough credits",
        }
        return SandboxRefused(switches.over_quota, words[switches.over_quota]).answer(switches)

    def _throttle(self, count: int) -> Response:
        """429 or 7020: the fault ``throttle`` may choose, otherwise the switch does."""
        settings = self.tenant.settings
        switches = settings.switches
        fault = settings.faults.throttle
        shape = {"": switches.throttle_as, "1": "either"}.get(fault, fault)
        if shape == "either":
            shape = "429" if self.tenant.chance(0.5) else "7020"
        headers = b""
        if switches.retry_after != "none":
            wait = max(1, math.ceil(self.rate.wait(count))) if self.rate else 1
            value = str(wait)
            if switches.retry_after == "date":
                at = datetime.fromtimestamp(math.ceil(self.tenant.clock()) + wait, UTC)
                value = format_datetime(at, usegmt=True)
            headers = f"Retry-After: {value}\r\n".encode()
        if shape == "429":
            return Response(429, headers=headers)
        limit = SandboxRefused("7020", "You have reached the maximum transaction limit")
        return limit.answer(switches, headers=headers)
