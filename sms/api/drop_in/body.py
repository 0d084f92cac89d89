"""A request's body as the seed writes it, read into `DropInRequest`; what breaks a rule is `DropInRefused` with the provider's
code and the parameter.

Fields that nobody documents are ignored, booleans may be quoted and empty optional fields are as good as left out: real clients of the
provider send all of that. Nothing here knows our catalogue.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sms.api.drop_in.errors import DropInRefused, bad_sender, invalid, missing, no_json, too_many

MOST = 1000
LONGEST_CALLBACK = 2000
LONGEST_CORRELATION = 200
AHEAD = timedelta(days=7)
LONGEST_VALIDITY = 72 * 3600
BOM = b"\xef\xbb\xbf"
RECEIPTS = frozenset({"SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"})

_SENDER = re.compile(r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,50}")
_SMART = re.compile(r"\{\{smartlink_([0-9]{1,9})\}\}")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_WHOLE = re.compile(r"[0-9]{1,9}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


@dataclass(frozen=True, slots=True)
class DropInDestination:
    """One number, as it was written."""

    number: str
    values: dict[str, str]
    correlation_id: str


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """The options about links; `domain` as it was written."""

    domain: str
    shorten: bool
    track: bool
    fallback: bool
    tag1: str
    tag2: str


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """The contact policy that was asked for: at least one of the two checks."""

    group: str
    consent: bool
    cap: bool


@dataclass(frozen=True, slots=True)
class DropInRequest:
    """A whole request. Either `text` with its `kind`, or `template`."""

    sender: str
    destinations: list[DropInDestination]
    kind: str
    text: str
    template: str
    send_at: datetime | None
    expire_at: datetime | None
    receipts: list[str]
    callback_data: str
    notify_url: str
    links: LinkOptions | None
    policy: PolicyOptions | None
    smartlinks: list[tuple[int, int]]  # id and minutes
    client_reference: str


def read(body: bytes, *, now: datetime) -> DropInRequest:
    """Raises Refused for the first thing that is wrong."""
    try:
        data = msgspec.json.decode(body.removeprefix(BOM))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise no_json() from None
    if not isinstance(data, dict):
        raise no_json()
    channel = data.get("channel")
    if not channel:
        raise missing("channel")
    if channel != "sms":
        raise invalid("channel")
    sender = _sender(data.get("from"))
    kind, text, template = _content(data)
    destinations = _destinations(data)
    links = _links(data.get("options"))
    policy = _policy(data.get("contactPolicy"))
    send_at, expire_at = _times(data, now)
    callback_data = _text(data, "callbackData")
    if len(callback_data) > LONGEST_CALLBACK:
        raise invalid("callbackData", f"{LONGEST_CALLBACK} characters are allowed")
    reference = _text(data, "clientReference")
    if len(reference) > 100:
        raise invalid("clientReference", "100 characters are allowed")
    return DropInRequest(
        sender=sender,
        destinations=destinations,
        kind=kind,
        text=text,
        template=template,
        send_at=send_at,
        expire_at=expire_at,
        receipts=_receipts(data.get("requestedReceipts")),
        callback_data=callback_data,
        notify_url=_text(data, "notifyUrl").strip(),
        links=links,
        policy=policy,
        smartlinks=_smartlinks(data.get("smartlinks"), text),
        client_reference=reference,
    )


def _text(data: dict[str, Any], name: str, called: str = "") -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise invalid(called or name)
    return value


def _flag(data: dict[str, Any], name: str) -> bool:
    value = data.get(name)
    if value in (None, False, "false", ""):
        return False
    if value is True or value == "true":
        return True
    raise invalid(name)


def _sender(sender: Any) -> str:
    if not sender:
        raise missing("from")
    if not isinstance(sender, str):
        raise invalid("from")
    if not _SENDER.fullmatch(sender):
        raise bad_sender()
    return sender


def _content(data: dict[str, Any]) -> tuple[str, str, str]:
    """Kind and text, or a template."""
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
        return "", "", _text(template, "id", "template.id")
    if not isinstance(content, dict):
        raise invalid("content")
    kind = content.get("type")
    if not kind:
        raise missing("content.type")
    if kind not in ("text", "unicode"):
        raise DropInRefused("7126", "Invalid content type")
    text = _text(content, "text", "content.text")
    if not text.strip():
        raise missing("content.text")
    return kind, text, ""


def _values(data: dict[str, Any]) -> dict[str, str]:
    values = data.get("substitutions")
    if values is None or values == "":
        return {}
    if not isinstance(values, dict):
        raise invalid("substitutions")
    read = {}
    for name, value in values.items():
        if isinstance(value, dict | list):
            raise invalid("substitutions")
        written = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if "\0" in written or "\0" in name:
            raise invalid("substitutions")
        read[name] = written
    return read


def _destinations(data: dict[str, Any]) -> list[DropInDestination]:
    to = data.get("to")
    if to is None or to == []:
        raise missing("to")
    if not isinstance(to, list):
        raise invalid("to")
    if len(to) > MOST:
        raise too_many()
    shared = _values(data)
    found: list[DropInDestination] = []
    for entry in to:
        if not isinstance(entry, dict):
            raise invalid("to")
        numbers = entry.get("msisdn")
        if not numbers:
            raise missing("msisdn")
        if not isinstance(numbers, list) or not all(isinstance(one, str) and one for one in numbers):
            raise invalid("msisdn")
        own = _values(entry)
        values = shared | own if own else shared
        correlation = _text(entry, "correlationId")
        if len(correlation) > LONGEST_CORRELATION:
            raise invalid("correlationId", f"{LONGEST_CORRELATION} characters are allowed")
        found += [DropInDestination(number.replace("\0", ""), values, correlation) for number in numbers]
        if len(found) > MOST:
            raise too_many()
    return found


def _links(options: Any) -> LinkOptions | None:
    if options is None:
        return None
    if not isinstance(options, dict):
        raise invalid("options")
    domain = options.get("domain")
    if not isinstance(domain, str) or not domain:
        raise invalid("options.domain")
    tags = [_text(options, name, f"options.{name}") for name in ("tag1", "tag2")]
    for name, tag in zip(("tag1", "tag2"), tags, strict=True):
        if tag and not _TAG.fullmatch(tag):
            raise invalid(f"options.{name}")
    return LinkOptions(
        domain=domain,
        shorten=_flag(options, "shortenLinks"),
        track=_flag(options, "trackClicks"),
        fallback=_flag(options, "allowFallbackURL"),
        tag1=tags[0],
        tag2=tags[1],
    )


def _policy(policy: Any) -> PolicyOptions | None:
    if policy is None:
        return None
    if not isinstance(policy, dict):
        raise invalid("contactPolicy")
    found = PolicyOptions(
        group=_text(policy, "contactPolicyGroup"),
        consent=_flag(policy, "channelCheckConsent"),
        cap=_flag(policy, "channelApplyFrequencyCap"),
    )
    if not (found.consent or found.cap):
        raise invalid("contactPolicy")
    if not found.group:
        raise invalid("contactPolicyGroup")
    return found


def _receipts(wanted: Any) -> list[str]:
    if wanted in (None, "", []):
        return []
    if not isinstance(wanted, list) or not all(isinstance(one, str) and one in RECEIPTS for one in wanted):
        raise invalid("requestedReceipts")
    return sorted(set(wanted))


def _smartlinks(given: Any, text: str) -> list[tuple[int, int]]:
    """Those that stand in the text: an entry without a token does nothing, a token without an entry would reach everybody as it is."""
    entries = [given] if isinstance(given, dict) else given or []
    if not isinstance(entries, list):
        raise invalid("smartlinks")
    listed: dict[int, int] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            raise invalid("smartlinks")
        for name in ("smartlinkId", "validity"):
            if entry.get(name) in (None, ""):
                raise missing(f"smartlinks.{name}")
            value = entry[name]
            if isinstance(value, bool | float | list | dict) or not _COUNT.fullmatch(str(value)):
                raise invalid(f"smartlinks.{name}")
        listed[int(entry["smartlinkId"])] = int(entry["validity"])
    wanted = {int(link) for link in _SMART.findall(text)}
    if wanted - listed.keys():
        raise invalid("smartlinks")
    return [(link, minutes) for link, minutes in listed.items() if link in wanted]


def _times(data: dict[str, Any], now: datetime) -> tuple[datetime | None, datetime | None]:
    """A sendAt that has passed means now; an expiry that would come before the message is refused."""
    send_at, expire_at = _moment(data, "sendAt", now), _moment(data, "expireAt", now)
    if send_at is not None and send_at <= now:
        send_at = None
    validity = data.get("validity")
    if validity is None or validity == "":
        if expire_at is not None and expire_at <= (send_at or now):
            raise invalid("expireAt")
        return send_at, expire_at
    if expire_at is not None:
        raise invalid("validity")
    if isinstance(validity, bool | float | list | dict) or not _WHOLE.fullmatch(str(validity)):
        raise invalid("validity")
    seconds = int(validity)
    if not 1 <= seconds <= LONGEST_VALIDITY:
        raise invalid("validity")
    return send_at, (send_at or now) + timedelta(seconds=seconds)


def _moment(data: dict[str, Any], name: str, now: datetime) -> datetime | None:
    value = data.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise invalid(name)
    try:
        moment = datetime.fromisoformat(value)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(name) from None
    if moment > now + AHEAD:
        raise invalid(name)
    return moment
