"""The provider's rules about a request's body: what is valid, and what order comes of it."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, NamedTuple

from sms.webex.sandbox import lettering, moments
from sms.webex.sandbox.refusals import Refused, invalid, missing
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import Switches

MAX_DESTINATIONS = 1000
MAX_CALLBACK = 2000
MAX_CORRELATION = 50  # bytes; of the sibling API
RECEIPTS = frozenset({"SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"})
NONE: frozenset[str] = frozenset()

_SENDER = re.compile(r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})")
_DOMAIN = re.compile(r"(?:https?://)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)/?")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,50}")
_URL = re.compile(r"https?://[A-Za-z0-9\[][!-~]*")
_AUTH_ID = re.compile(r"[A-Z0-9]{10}")
_SMART = re.compile(r"\{\{smartlink_([0-9]+)\}\}")
_COUNT = re.compile(r"[0-9]{1,9}")

FIELDS = {
    "": frozenset(
        "channel from to substitutions content template options requestedReceipts sendAt expireAt validity callbackData "
        "notifyUrl notifyUrlAuthId contactPolicy smartlinks batchId appid priority headers correlationId correlationid "
        "notifyurl notifyurlAuthId".split()
    ),
    "to": frozenset({"msisdn", "substitutions", "correlationId"}),
    "content": frozenset({"type", "text"}),
    "template": frozenset({"id"}),
    "options": frozenset(
        "shortenLinks trackClicks domain tag1 tag2 allowFallbackURL trackOpens smsFallback bypassSuppression".split()
    ),
    "contactPolicy": frozenset({"contactPolicyGroup", "channelCheckConsent", "channelApplyFrequencyCap"}),
    "smartlinks": frozenset({"smartlinkId", "validity"}),
}
"""Every field that some page of the provider names for `/v2/messages`."""


class Destination(NamedTuple):
    """One number of a request."""

    msisdn: str  # E.164 when it can be, otherwise as given
    digits: str  # "" when the number cannot exist
    correlation: str
    text: str
    fault: str  # the code that the message fails with, "" for none


class Policy(NamedTuple):
    """A contact policy to apply; ``fault`` is the code that it fails with before anything is looked up."""

    group: str
    consent: bool
    cap: bool
    fault: str = ""


class Links(NamedTuple):
    """The options about links."""

    domain: str = ""  # with https:// or http://
    shorten: bool = False
    track: bool = False
    fallback: bool = False
    tags: tuple[str, ...] = ()


class Order(NamedTuple):
    """What the destinations of a request share. Times are epoch seconds, 0 for none."""

    sender: str
    unicode: bool
    receipts: frozenset[str]
    callback: str
    notify_url: str  # "invalid:…" when it is none
    links: Links
    policy: Policy | None
    smart: dict[str, float]  # smartlink ids to put in, and their seconds
    send_at: float
    expire_at: float
    fault: str  # the code that every message fails with, "" for none
    notify_auth: str = ""  # the notifyUrlAuthId


_NO_LINKS = Links()
_NO_SMART: dict[str, float] = {}
_SETS: dict[frozenset[str], frozenset[str]] = {}  # of receipts: a million orders share these few


def read(body: bytes, settings: Settings, now: float) -> tuple[Order, list[Destination]]:
    """Turn a body into an order and its destinations, or raise :class:`Refused` with the provider's code."""
    switches = settings.switches
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("7000", "Invalid JSON") from None
    if not isinstance(data, dict):
        raise Refused("7000", "Invalid JSON")
    _known(data, "", switches)
    channel = data.get("channel")
    if not channel:
        raise missing("channel")
    if channel != "sms":
        raise invalid("channel")
    fault = _sender(data.get("from"), settings)
    text, is_unicode, template_fault = _content(data, settings)
    smart, smart_fault = (
        _smartlinks(data, text, settings) if "smartlinks" in data or "{{" in text else (_NO_SMART, "")
    )
    destinations = _destinations(data, text, settings, unicode=is_unicode)
    links = _options(data, settings) if data.get("options") is not None else _NO_LINKS
    policy = _policy(data, switches) if data.get("contactPolicy") is not None else None
    send_at, expire_at = moments.times(data, switches, now)
    callback = string(data, "callbackData")
    if len(callback) > MAX_CALLBACK:
        raise invalid("callbackData")
    notify_url, notify_auth = _notify(data, switches)
    order = Order(
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


def string(data: dict[str, Any], name: str) -> str:
    """A text that may be left out."""
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(name)
    return value


def _flag(data: dict[str, Any], name: str) -> bool:
    """A boolean, quoted or not: the documents show both."""
    value = data.get(name)
    if value is None or value is False or value in ("false", ""):
        return False
    if value is True or value == "true":
        return True
    raise invalid(name)


def _known(data: dict[str, Any], where: str, switches: Switches) -> None:
    if switches.unknown_field == "7004" and (unknown := data.keys() - FIELDS[where]):
        raise invalid(min(unknown))


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
        raise Refused("7101", "Invalid sender")
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
        _known(template, "template", settings.switches)
        name = template.get("id")
        if not name:
            raise missing("template.id")
        if isinstance(name, str) and name in settings.templates:
            return *settings.templates[name], ""
        if settings.switches.bad_template == "reply":
            raise Refused("7108", "Invalid template id")
        return "", False, "7108"
    if not isinstance(content, dict):
        raise invalid("content")
    _known(content, "content", settings.switches)
    kind, text = content.get("type"), content.get("text")
    if not kind:
        raise missing("content.type")
    if kind not in ("text", "unicode"):
        if settings.switches.bad_type == "7126":
            raise Refused("7126", "Invalid content type")
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


def _destinations(data: dict[str, Any], text: str, settings: Settings, *, unicode: bool) -> list[Destination]:
    to, switches = data.get("to"), settings.switches
    if to is None or to == []:
        raise missing("to")
    if not isinstance(to, list):
        raise invalid("to")
    shared = _substitutions(data)
    dynamic = "$" in text and (data.get("template") is not None or switches.inline_values == "fill")
    if len(to) > MAX_DESTINATIONS:
        raise Refused("7009", "Number of destinations is limited to 1000")
    found: list[Destination] = []
    for entry in to:
        if not isinstance(entry, dict):
            raise invalid("to")
        _known(entry, "to", switches)
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
            found.append(Destination(shown, digits, correlation, filled, fault if digits else "7102"))
        if len(found) > MAX_DESTINATIONS and switches.destinations_counted == "numbers":
            raise Refused("7009", "Number of destinations is limited to 1000")
    return found


def _digits(number: str, switches: Switches) -> str:
    match = _NUMBER.fullmatch(number)
    if match and (switches.plus == "optional" or number[0] == "+"):
        return match[1]
    if switches.bad_address == "reply":
        raise Refused("7102", "Invalid address")
    return ""


def _filled(
    text: str, values: dict[str, str] | None, settings: Settings, *, unicode: bool
) -> tuple[str, str]:
    """The text of one destination, and the code it fails with. ``values`` None: nothing to fill in."""
    switches = settings.switches
    filled, fault = text, ""
    if values is not None:
        blank = switches.missing_value == "blank"
        filled, gap = lettering.fill(text, values, switches.placeholder, blank=blank)
        fault = "7121" if gap and switches.missing_value == "7121" else ""
    if len(filled if switches.length_counts == "filled" else text) > settings.text_limit:
        if switches.long_text == "reply":
            raise Refused("7107", "Message length exceeded")
        fault = fault or "7107"
    if not unicode and switches.text_outside_gsm != "upgrade" and not lettering.fits_gsm(filled):
        if switches.text_outside_gsm == "7004":
            raise invalid("content.text")
        filled = lettering.in_gsm(filled)
    return filled, fault


def _smartlinks(data: dict[str, Any], text: str, settings: Settings) -> tuple[dict[str, float], str]:
    """The smartlinks to put in with their seconds, and the code that the message fails with."""
    given, switches = data.get("smartlinks"), settings.switches
    entries = [given] if isinstance(given, dict) else given or []
    if not isinstance(entries, list):
        raise invalid("smartlinks")
    in_text = set(_SMART.findall(text))
    listed: dict[str, float] = {}
    fault = ""
    for entry in entries:
        if not isinstance(entry, dict):
            raise invalid("smartlinks")
        _known(entry, "smartlinks", switches)
        for name in ("smartlinkId", "validity"):
            if entry.get(name) in (None, ""):
                raise missing(f"smartlinks.{name}")
        link, validity = _count(entry, "smartlinkId"), _count(entry, "validity")
        if link not in in_text and switches.unused_smartlink == "7004":
            raise invalid("smartlinks")
        if link in settings.smartlinks:
            listed[link] = int(validity) * (60 if switches.smartlink_validity == "minutes" else 1)
        elif switches.unknown_smartlink == "reply":
            raise invalid("smartlinks.smartlinkId")
        elif switches.unknown_smartlink == "receipt":
            fault = "7004"
    if switches.unlisted_smartlink == "7004" and in_text - listed.keys():
        raise invalid("smartlinks")
    return {link: seconds for link, seconds in listed.items() if link in in_text}, fault


def _count(entry: dict[str, Any], name: str) -> str:
    """A whole number above 0, written as number or text."""
    value = entry[name]
    digits = str(value)
    if isinstance(value, bool | float) or not _COUNT.fullmatch(digits) or int(digits) < 1:
        raise invalid(f"smartlinks.{name}")
    return digits


def _options(data: dict[str, Any], settings: Settings) -> Links:
    options, switches = data["options"], settings.switches
    if not isinstance(options, dict):
        raise invalid("options")
    _known(options, "options", switches)
    domain = options.get("domain")
    match = _DOMAIN.fullmatch(domain) if isinstance(domain, str) else None
    if not isinstance(domain, str) or match is None:
        raise invalid("options.domain")
    if switches.unknown_domain == "7004" and match[1].lower() not in settings.domains:
        raise invalid("options.domain")
    tags = []
    for name in ("tag1", "tag2"):
        tag = string(options, name)
        if tag and not _TAG.fullmatch(tag):
            raise invalid(f"options.{name}")
        if not tag and switches.options_tags == "required":
            raise missing(f"options.{name}")
        tags += [tag] if tag else []
    if switches.fallback_flag == "required" and options.get("allowFallbackURL") in (None, ""):
        raise missing("options.allowFallbackURL")
    whole = domain.rstrip("/") if "://" in domain else f"https://{match[1]}"
    shorten, track = _flag(options, "shortenLinks"), _flag(options, "trackClicks")
    return Links(whole, shorten, track, _flag(options, "allowFallbackURL"), tuple(tags))


def _policy(data: dict[str, Any], switches: Switches) -> Policy | None:
    policy = data["contactPolicy"]
    if not isinstance(policy, dict):
        raise invalid("contactPolicy")
    _known(policy, "contactPolicy", switches)
    consent, cap = _flag(policy, "channelCheckConsent"), _flag(policy, "channelApplyFrequencyCap")
    group = string(policy, "contactPolicyGroup")
    if not (consent or cap):
        if switches.policy_no_flag == "ignore":
            return None
        if switches.policy_no_flag == "7004":
            raise invalid("contactPolicy")
        return Policy(group, consent, cap, "9001")
    if not group and switches.policy_no_group == "7004":
        raise invalid("contactPolicyGroup")
    return Policy(group, consent, cap, "" if group else "9001")


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
