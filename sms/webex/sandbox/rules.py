"""The provider's rules about a request's body: what is valid, and what order comes of it."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, NamedTuple

from sms.webex.sandbox import message_text
from sms.webex.sandbox.fields import known, string
from sms.webex.sandbox.refusals import SandboxRefused, invalid, missing
from sms.webex.sandbox.request_options import (
    SandboxLinkOptions,
    SandboxPolicyOptions,
    links_of,
    policy_of,
    smartlinks_of,
)
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import Switches
from sms.webex.sandbox.times import due_and_expiry

MAX_DESTINATIONS = 1000
MAX_CALLBACK = 2000
MAX_CORRELATION = 50  # bytes; of the sibling API
RECEIPTS = frozenset({"SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"})
NONE: frozenset[str] = frozenset()

_SENDER = re.compile(r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})")
_URL = re.compile(r"https?://[A-Za-z0-9\[][!-~]*")
_AUTH_ID = re.compile(r"[A-Z0-9]{10}")


class SandboxDestination(NamedTuple):
    msisdn: str  # E.164 when it can be, otherwise as given
    digits: str  # "" when the number cannot exist
    correlation: str
    text: str
    fault: str  # the code that the message fails with, "" for none


class SandboxOrder(NamedTuple):
    """What the destinations of a request share. Times are epoch seconds, 0 for none."""

    sender: str
    unicode: bool
    receipts: frozenset[str]
    callback: str
    notify_url: str  # "invalid:…" when it is none
    links: SandboxLinkOptions
    policy: SandboxPolicyOptions | None
    smart: dict[str, float]  # smartlink ids to put in, and their seconds
    send_at: float
    expire_at: float
    fault: str  # the code that every message fails with, "" for none
    notify_auth: str = ""  # the notifyUrlAuthId


_NO_LINKS = SandboxLinkOptions()
_NO_SMART: dict[str, float] = {}
_SETS: dict[frozenset[str], frozenset[str]] = {}  # of receipts: a million orders share these few


def read(body: bytes, settings: Settings, now: float) -> tuple[SandboxOrder, list[SandboxDestination]]:
    """Turn a body into an order and its destinations, or raise :class:`SandboxRefused` with the provider's code."""
    switches = settings.switches
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise SandboxRefused("7000", "Invalid JSON") from None
    if not isinstance(data, dict):
        raise SandboxRefused("7000", "Invalid JSON")
    known(data, "", switches)
    channel = data.get("channel")
    if not channel:
        raise missing("channel")
    if channel != "sms":
        raise invalid("channel")
    fault = _sender(data.get("from"), settings)
    text, is_unicode, template_fault = _content(data, settings)
    smart, smart_fault = (
        smartlinks_of(data, text, settings) if "smartlinks" in data or "{{" in text else (_NO_SMART, "")
    )
    destinations = _destinations(data, text, settings, unicode=is_unicode)
    links = links_of(data, settings) if data.get("options") is not None else _NO_LINKS
    policy = policy_of(data, switches) if data.get("contactPolicy") is not None else None
    send_at, expire_at = due_and_expiry(data, switches, now)
    callback = string(data, "callbackData")
    if len(callback) > MAX_CALLBACK:
        raise invalid("callbackData")
    notify_url, notify_auth = _notify(data, switches)
    order = SandboxOrder(
        sender=sys.intern(data["from"]),
        unicode=is_unicode,
        receipts=_receipts(data, switches),
        callback=callback,
        notify_url=sys.intern(notify_url),
        links=links,
        policy=policy,
        smart=smart,
        send_at=send_at,
        expire_at=expire_at,
        fault=fault or template_fault or smart_fault,
        notify_auth=notify_auth,
    )
    return order, destinations


def _sender(sender: Any, settings: Settings) -> str:
    if not sender:
        raise missing("from")
    if not isinstance(sender, str):
        raise invalid("from")
    senders = settings.senders
    if _SENDER.fullmatch(sender) and (
        not senders or sender in senders or sender.removeprefix("+") in senders
    ):
        return ""
    if settings.switches.bad_sender == "reply":
        raise SandboxRefused("7101", "Invalid sender")
    return "7101"


def _content(data: dict[str, Any], settings: Settings) -> tuple[str, bool, str]:
    """The text as written, whether it is Unicode, and the code it fails with."""
    content, template = data.get("content"), data.get("template")
    if content is None and template is None:
        raise missing("content")
    if content is not None and template is not None:
        raise invalid("template")
    if template is not None:
        if not isinstance(template, dict):
            raise invalid("template")
        known(template, "template", settings.switches)
        name = template.get("id")
        if not name:
            raise missing("template.id")
        if isinstance(name, str) and name in settings.templates:
            return *settings.templates[name], ""
        if settings.switches.bad_template == "reply":
            raise SandboxRefused("7108", "Invalid template id")
        return "", False, "7108"
    if not isinstance(content, dict):
        raise invalid("content")
    known(content, "content", settings.switches)
    kind, text = content.get("type"), content.get("text")
    if not kind:
        raise missing("content.type")
    if kind not in ("text", "unicode"):
        if settings.switches.bad_type == "7126":
            raise SandboxRefused("7126", "Invalid content type")
        raise invalid("content.type")
    if text is None or text == "":
        raise missing("content.text")
    if not isinstance(text, str):
        raise invalid("content.text")
    return text, kind == "unicode", ""


def _substitutions(data: dict[str, Any]) -> dict[str, str]:
    values = data.get("substitutions")
    if values is None or values == "":
        return {}
    if not isinstance(values, dict) or any(isinstance(one, dict | list) for one in values.values()):
        raise invalid("substitutions")
    return {key: one if isinstance(one, str) else json.dumps(one) for key, one in values.items()}


def _destinations(
    data: dict[str, Any], text: str, settings: Settings, *, unicode: bool
) -> list[SandboxDestination]:
    to, switches = data.get("to"), settings.switches
    if to is None or to == []:
        raise missing("to")
    if not isinstance(to, list):
        raise invalid("to")
    shared = _substitutions(data)
    dynamic = "$" in text and (data.get("template") is not None or switches.inline_values == "fill")
    if len(to) > MAX_DESTINATIONS:
        raise SandboxRefused("7009", "Number of destinations is limited to 1000")
    found: list[SandboxDestination] = []
    for entry in to:
        if not isinstance(entry, dict):
            raise invalid("to")
        known(entry, "to", switches)
        numbers = entry.get("msisdn")
        if not numbers:
            raise missing("msisdn")
        if not isinstance(numbers, list) or not all(isinstance(one, str) and one for one in numbers):
            raise invalid("msisdn")
        values = _substitutions(entry)
        correlation = string(entry, "correlationId")
        if (
            switches.long_correlation == "7004"
            and len(correlation.encode(errors="replace")) > MAX_CORRELATION
        ):
            raise invalid("correlationId")
        filled, fault = _filled(text, shared | values if dynamic else None, settings, unicode=unicode)
        for number in numbers:
            digits = _digits(number, switches)
            shown = "+" + digits if digits else number
            found.append(SandboxDestination(shown, digits, correlation, filled, fault if digits else "7102"))
        if len(found) > MAX_DESTINATIONS and switches.destinations_counted == "numbers":
            raise SandboxRefused("7009", "Number of destinations is limited to 1000")
    return found


def _digits(number: str, switches: Switches) -> str:
    match = _NUMBER.fullmatch(number)
    if match and (switches.plus == "optional" or number[0] == "+"):
        return match[1]
    if switches.bad_address == "reply":
        raise SandboxRefused("7102", "Invalid address")
    return ""


def _filled(
    text: str, values: dict[str, str] | None, settings: Settings, *, unicode: bool
) -> tuple[str, str]:
    """The text of one destination, and the code it fails with. ``values`` None: nothing to fill in."""
    switches = settings.switches
    filled, fault = text, ""
    if values is not None:
        blank = switches.missing_value == "blank"
        filled, gap = message_text.fill(text, values, switches.placeholder, blank=blank)
        fault = "7121" if gap and switches.missing_value == "7121" else ""
    if len(filled if switches.length_counts == "filled" else text) > settings.text_limit:
        if switches.long_text == "reply":
            raise SandboxRefused("7107", "Message length exceeded")
        fault = fault or "7107"
    if not unicode and switches.text_outside_gsm != "upgrade" and not message_text.fits_gsm(filled):
        if switches.text_outside_gsm == "7004":
            raise invalid("content.text")
        filled = message_text.in_gsm(filled)
    return filled, fault


def _receipts(data: dict[str, Any], switches: Switches) -> frozenset[str]:
    wanted = data.get("requestedReceipts")
    if wanted is None or wanted in ("", []):
        return RECEIPTS if switches.omitted_receipts == "all" else NONE
    if not isinstance(wanted, list) or not all(isinstance(one, str) and one in RECEIPTS for one in wanted):
        raise invalid("requestedReceipts")
    found = frozenset(wanted)
    return _SETS.setdefault(found, found)


def _notify(data: dict[str, Any], switches: Switches) -> tuple[str, str]:
    """Where receipts go, and the authorization that they need."""
    url, auth_id = string(data, "notifyUrl"), string(data, "notifyUrlAuthId")
    if auth_id and switches.bad_notify_auth == "7004" and not _AUTH_ID.fullmatch(auth_id):
        raise invalid("notifyUrlAuthId")
    if switches.notify_url_end == "trim":
        url = url.rstrip()
    if not url:
        return "", auth_id
    good = _URL.fullmatch(url) and (url.startswith("https") or switches.plain_notify_url == "take")
    if good:
        return url, auth_id
    if switches.bad_notify_url == "7004":
        raise invalid("notifyUrl")
    return f"invalid:{url}", auth_id
