"""The provider's rules about a request: who may send, what is a valid body, what text comes of it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

MAX_DESTINATIONS = 1000
MAX_CALLBACK = 2000
DAYS_AHEAD = timedelta(days=7)
RECEIPTS = frozenset({"SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"})
JWT_LIFETIME = 3600
JWT_SKEW = 60

_SENDER = re.compile(r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})")
_TOKEN = re.compile(r"\$\(([^()$]+)\)")
_LINK = re.compile(r"https://[^\s<>\"]+")
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_GSM_ALL = _GSM | _EXTENDED


class Refused(Exception):
    """A request answered with 400 and the provider's code."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code and the text of the answer."""
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message

    def body(self) -> bytes:
        """The answer's body."""
        return json.dumps({"code": self.code, "message": self.message}).encode()


def missing(name: str) -> Refused:
    """7003."""
    return Refused("7003", f"Mandatory parameter missing - {name}")


def invalid(name: str) -> Refused:
    """7004."""
    return Refused("7004", f"Invalid parameter - {name}")


class Destination(NamedTuple):
    """One number of a request."""

    msisdn: str  # E.164 when it can be, otherwise as given
    digits: str  # "" when the number cannot exist
    correlation: str
    text: str


class Order(NamedTuple):
    """A valid request."""

    sender: str
    unicode: bool
    destinations: list[Destination]
    receipts: frozenset[str]
    callback: str
    notify_url: str
    shorten: str  # the domain when links are to be shortened
    track: bool
    send_at: float  # epoch seconds; 0 for now
    expire_at: float  # epoch seconds; 0 for never


# -- authentication


def token_is_good(token: bytes, service_id: str, secret: str) -> bool:
    """Whether ``token`` is an HS256 JWT of this service, no older than an hour."""
    try:
        head, payload, signature = token.split(b".")
        if json.loads(_unbase64(head)).get("alg") != "HS256":
            return False
        expected = hmac.new(base64.b64decode(secret), head + b"." + payload, hashlib.sha256).digest()
        if not hmac.compare_digest(expected, _unbase64(signature)):
            return False
        claims = json.loads(_unbase64(payload))
        issued, expires, now = claims["iat"], claims.get("exp"), time.time()
        return bool(
            (not service_id or claims.get("iss") == service_id)
            and isinstance(issued, int)
            and issued - JWT_SKEW <= now <= issued + JWT_LIFETIME
            and (expires is None or issued < expires >= now)
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return False


def _unbase64(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


# -- the body


def read(body: bytes, templates: dict[str, tuple[str, bool]]) -> Order:
    """Turn a body into an order, or raise :class:`Refused` with the provider's code."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("7000", "Invalid JSON") from None
    if not isinstance(data, dict):
        raise Refused("7000", "Invalid JSON")
    channel = data.get("channel")
    if not channel:
        raise missing("channel")
    if channel != "sms":
        raise invalid("channel")
    sender = data.get("from")
    if not sender:
        raise missing("from")
    if not isinstance(sender, str) or not _SENDER.fullmatch(sender):
        raise Refused("7101", "Invalid sender")
    text, is_unicode = _content(data, templates)
    destinations = _destinations(data, text)
    shorten, track = _options(data)
    _policy(data)
    send_at, expire_at = _times(data)
    callback = _string(data, "callbackData")
    if len(callback) > MAX_CALLBACK:
        raise invalid("callbackData")
    wanted = data.get("requestedReceipts") or []
    if not isinstance(wanted, list) or not all(isinstance(one, str) and one in RECEIPTS for one in wanted):
        raise invalid("requestedReceipts")
    return Order(
        sender=sender,
        unicode=is_unicode,
        destinations=destinations,
        receipts=frozenset(wanted) or RECEIPTS,
        callback=callback,
        notify_url=_string(data, "notifyUrl"),
        shorten=shorten,
        track=track,
        send_at=send_at,
        expire_at=expire_at,
    )


def _string(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(name)
    return value


def _flag(data: dict[str, Any], name: str) -> bool:
    """A boolean, quoted or not: the documents show both."""
    value = data.get(name)
    if value is None or value is False or value == "false":
        return False
    if value is True or value == "true":
        return True
    raise invalid(name)


def _content(data: dict[str, Any], templates: dict[str, tuple[str, bool]]) -> tuple[str, bool]:
    content, template = data.get("content"), data.get("template")
    if content is None and template is None:
        raise missing("content")
    if content is not None and template is not None:
        raise invalid("template")
    if template is not None:
        if not isinstance(template, dict):
            raise invalid("template")
        name = template.get("id")
        if not name:
            raise missing("template.id")
        if not isinstance(name, str) or name not in templates:
            raise Refused("7108", "Invalid template id")
        return templates[name]
    if not isinstance(content, dict):
        raise invalid("content")
    kind, text = content.get("type"), content.get("text")
    if not kind:
        raise missing("content.type")
    if kind not in ("text", "unicode"):
        raise invalid("content.type")
    if text is None or text == "":
        raise missing("content.text")
    if not isinstance(text, str):
        raise invalid("content.text")
    return text, kind == "unicode"


def _substitutions(data: dict[str, Any]) -> dict[str, str]:
    values = data.get("substitutions")
    if values is None:
        return {}
    if not isinstance(values, dict) or any(isinstance(one, dict | list) for one in values.values()):
        raise invalid("substitutions")
    return {key: one if isinstance(one, str) else json.dumps(one) for key, one in values.items()}


def _destinations(data: dict[str, Any], text: str) -> list[Destination]:
    to = data.get("to")
    if to is None or to == []:
        raise missing("to")
    if not isinstance(to, list):
        raise invalid("to")
    shared = _substitutions(data)
    dynamic = "$(" in text
    found: list[Destination] = []
    for entry in to:
        if not isinstance(entry, dict):
            raise invalid("to")
        numbers = entry.get("msisdn")
        if not numbers:
            raise missing("msisdn")
        if not isinstance(numbers, list) or not all(isinstance(one, str) and one for one in numbers):
            raise invalid("msisdn")
        own = _substitutions(entry)
        correlation = _string(entry, "correlationId")
        rendered = render(text, shared | own) if dynamic else text
        for number in numbers:
            match = _NUMBER.fullmatch(number)
            digits = match[1] if match else ""
            found.append(Destination("+" + digits if digits else number, digits, correlation, rendered))
        if len(found) > MAX_DESTINATIONS:
            raise Refused("7009", "Number of destinations is limited to 1000")
    return found


def _options(data: dict[str, Any]) -> tuple[str, bool]:
    options = data.get("options")
    if options is None:
        return "", False
    if not isinstance(options, dict):
        raise invalid("options")
    domain = options.get("domain")
    if not domain:
        raise missing("options.domain")
    if not isinstance(domain, str) or not re.fullmatch(r"(https?://)?[A-Za-z0-9.-]+(:[0-9]+)?/?", domain):
        raise invalid("options.domain")
    shorten = _flag(options, "shortenLinks")
    return (domain.rstrip("/") if shorten else ""), _flag(options, "trackClicks")


def _policy(data: dict[str, Any]) -> None:
    policy = data.get("contactPolicy")
    if policy is None:
        return
    if not isinstance(policy, dict):
        raise invalid("contactPolicy")
    consent, cap = _flag(policy, "channelCheckConsent"), _flag(policy, "channelApplyFrequencyCap")
    if not (consent or cap):
        raise invalid("contactPolicy")
    if not _string(policy, "contactPolicyGroup"):
        raise invalid("contactPolicyGroup")


def _times(data: dict[str, Any]) -> tuple[float, float]:
    send_at, expire_at = _moment(data, "sendAt"), _moment(data, "expireAt")
    validity = data.get("validity")
    if validity in (None, ""):
        return send_at, expire_at
    if expire_at:
        raise invalid("validity")
    digits = str(validity)
    if isinstance(validity, bool) or not re.fullmatch(r"[0-9]{1,9}", digits) or int(digits) < 1:
        raise invalid("validity")
    return send_at, (send_at or time.time()) + int(digits)


def _moment(data: dict[str, Any], name: str) -> float:
    value = _string(data, name)
    if not value:
        return 0.0
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise invalid(name) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment > datetime.now(UTC) + DAYS_AHEAD:
        raise invalid(name)
    return moment.timestamp()


# -- the text


def render(text: str, values: dict[str, str]) -> str:
    """Put values in place of ``$(name)``; a name without a value stays as it is."""
    return _TOKEN.sub(lambda match: values.get(match[1], match[0]), text)


def links(text: str) -> list[tuple[int, int, str]]:
    """The https links of a text, without the punctuation that ends a sentence."""
    found = []
    for match in _LINK.finditer(text):
        url = match[0].rstrip(".,;:!?'")
        if url.endswith(")") and "(" not in url:
            url = url.rstrip(")")
        found.append((match.start(), match.start() + len(url), url))
    return found


def segments(text: str, *, unicode: bool) -> int:
    """How many SMS a text takes. Text that GSM 03.38 cannot write is counted as Unicode whatever its type."""
    characters = set(text)
    if unicode or not characters <= _GSM_ALL:
        return _parts([2 if ord(one) > 0xFFFF else 1 for one in text], 70, 67)
    if len(text) <= 160 and characters.isdisjoint(_EXTENDED):
        return 1
    return _parts([2 if one in _EXTENDED else 1 for one in text], 160, 153)


def _parts(widths: list[int], single: int, multiple: int) -> int:
    """Fill parts in order; a character of two units is never split between two parts."""
    if sum(widths) <= single:
        return 1
    count, room = 1, multiple
    for width in widths:
        if width > room:
            count, room = count + 1, multiple
        room -= width
    return count
