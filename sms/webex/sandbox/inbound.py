"""An incoming SMS, as the provider posts it to the URL of a number or short code."""

import json
import uuid
from typing import Any

from sms.webex.sandbox.message_text import segments
from sms.webex.sandbox.receipts import SandboxReceipt, carrier_of, plus
from sms.webex.sandbox.switches import Switches
from sms.webex.sandbox.times import iso

FIELDS = ("from", "to", "text", "url", "tid", "userId", "source", "carrier", "auth")


def checked(given: object) -> dict[str, str]:
    """An order for an incoming message; raise ``ValueError`` with a sentence about what is wrong with it."""
    if not isinstance(given, dict):
        raise ValueError("The body is a JSON object with from, to and text.")
    for name, value in given.items():
        if name not in FIELDS:
            raise ValueError(f"There is no field {name!r}; there are {', '.join(FIELDS)}.")
        if not isinstance(value, str):
            raise ValueError(f"{name} is text.")
    for name in ("from", "to"):
        if not given.get(name, "").strip():
            raise ValueError(f"{name} is missing: from is the phone, to our number or short code.")
    if "text" not in given:
        raise ValueError("text is missing; it may be empty.")
    return given


def receipt(given: dict[str, str], url: str, switches: Switches, moment: float) -> SandboxReceipt:
    """The call that reports an incoming message; ``given`` is :func:`checked`, ``moment`` is epoch seconds."""
    tid = given.get("tid") or f"0044_{uuid.uuid4().int % 10**11:011d}"
    phone = given["from"].strip()
    return SandboxReceipt(
        url=url,
        body=json.dumps(payload(given, tid, switches, moment), separators=(",", ":")).encode(),
        msisdn=plus(phone),
        message_id=tid,
        correlation="",
        code="",
        status="Incoming",
        auth=given.get("auth", ""),
        webhook=True,
    )


def payload(given: dict[str, str], tid: str, switches: Switches, moment: float) -> dict[str, Any]:
    """The message in the documented order of keys, spelt as the switches say."""
    phone, to, text = given["from"].strip(), given["to"].strip(), given["text"]
    digits = phone.removeprefix("+")
    time = iso(moment, switches.receipt_time)
    count = segments(text, unicode=False)
    body: dict[str, Any] = {
        switches.inbound_user: given.get("userId", "8765"),
        switches.inbound_channel: "SMS",
        "da": [to] if switches.inbound_to == "list" else to,
        "message_source": given.get("source", "SMS"),
        "oa": plus(digits) if switches.inbound_number == "plus" else digits,
        "message": text,
    }
    if switches.inbound_count != "none":
        body["messageCount"] = str(count) if switches.inbound_count == "text" else count
    body |= {switches.inbound_id: tid, "datetime": time, "ts": time}
    if switches.inbound_carrier != "none":
        name = given.get("carrier", carrier_of(digits))
        body["x_networkid"] = name if switches.inbound_carrier == "name" else 9
    return body
