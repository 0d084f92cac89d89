"""The provider's rules about a request's body: what is valid, and what order comes of it.

Read from the seed's "Body Parameters" and from the later pages, field by field in the order of that table; the first rule that does
not hold is the refusal. What they leave open is a switch.
"""

import re
import sys
from typing import Any, NamedTuple

from sms.webex.sandbox import destinations, json_body, message_text
from sms.webex.sandbox.destinations import SandboxDestination
from sms.webex.sandbox.fields import block, known, needed, string
from sms.webex.sandbox.refusals import SandboxRefused, invalid, late, missing
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

LONGEST_CALLBACK = 2000
RECEIPTS = frozenset({"SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"})

_SENDER = re.compile(r"\+?[0-9]{3,15}|(?!\+?[0-9]+\Z)[^\x00-\x1f]{1,11}")
_URL = re.compile(r"https?://[A-Za-z0-9\[][!-~]*")
_AUTH_ID = re.compile(r"[A-Z0-9]{10}")


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
    data = json_body.read(body, switches)
    known(data, "", switches)
    if switches.empty_field == "ignore":
        data = {name: value for name, value in data.items() if value != ""}
    if needed(data, "channel") != "sms":
        raise invalid("channel")
    sender, fault = _sender(data, settings)
    text, is_unicode, template_fault = _content(data, settings)
    found = destinations.read(data, text, settings, unicode=is_unicode)
    links = links_of(data, settings) if data.get("options") is not None else _NO_LINKS
    receipts = _receipts(data, switches)
    send_at, expire_at = due_and_expiry(data, switches, now)
    callback = string(data, "callbackData")
    if (
        len(callback) * 2 > LONGEST_CALLBACK
        and message_text.characters(callback, switches) > LONGEST_CALLBACK
    ):
        raise invalid("callbackData")
    notify_url, notify_auth = _notify(data, switches)
    policy = policy_of(data, switches) if data.get("contactPolicy") is not None else None
    smart, smart_fault = (
        smartlinks_of(data, text, settings) if "smartlinks" in data or "{{" in text else (_NO_SMART, "")
    )
    order = SandboxOrder(
        sender=sys.intern(sender),
        unicode=is_unicode,
        receipts=receipts,
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
    return order, found


def _sender(data: dict[str, Any], settings: Settings) -> tuple[str, str]:
    """The sender, and the code that its messages fail with. The seed writes numbers with +, later pages without."""
    sender, senders = needed(data, "from"), settings.senders
    if (
        _SENDER.fullmatch(sender)
        and message_text.fits_gsm(sender)
        and (not senders or sender in senders or sender.removeprefix("+") in senders)
    ):
        return sender, ""
    return sender, late("7101", "Invalid sender", settings.switches.bad_sender)


def _content(data: dict[str, Any], settings: Settings) -> tuple[str, bool, str]:
    """The text as written, whether it is Unicode, and the code it fails with. Exactly one of content and template is given."""
    content, template = data.get("content"), data.get("template")
    if content is None and template is None:
        raise missing("content")
    if content is not None and template is not None:
        raise invalid("template")
    if template is not None:
        name = needed(block(template, "template", settings.switches), "id", "template.id")
        if name in settings.templates:
            return *settings.templates[name], ""
        return "", False, late("7108", "Invalid template id", settings.switches.bad_template)
    content = block(content, "content", settings.switches)
    kind = needed(content, "type", "content.type")
    if kind not in ("text", "unicode"):
        if settings.switches.bad_type == "7126":
            raise SandboxRefused("7126", "Invalid content type")
        raise invalid("content.type")
    return needed(content, "text", "content.text"), kind == "unicode", ""


def _receipts(data: dict[str, Any], switches: Switches) -> frozenset[str]:
    wanted = data.get("requestedReceipts")
    if wanted is None or wanted == []:
        return RECEIPTS if switches.omitted_receipts == "all" else frozenset()
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
    if _URL.fullmatch(url) and (url.startswith("https") or switches.plain_notify_url == "take"):
        return url, auth_id
    if switches.bad_notify_url == "7004":
        raise invalid("notifyUrl")
    return f"invalid:{url}", auth_id
