"""Receipts: every shape that the provider's documents show or announce. Switches choose among them."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from sms.webex.sandbox.message_log import SandboxMessage
from sms.webex.sandbox.switches import Switches
from sms.webex.sandbox.times import iso

BRANDED = {
    "upgraded": {"attemptedUpgradeto": "Branded Text", "upgradeResult": "Upgraded to RCS basic"},
    "fallback": {"attemptedUpgradeto": "Branded Text", "upgradeResult": "Fallback to SMS"},
    "not_tried": {"attemptedUpgradeto": "NA", "upgradeResult": "NA"},
}
CARRIERS = {"1": "USTMO", "44": "GBVOD", "49": "DETMO", "33": "FRORA", "353": "IEVOD", "61": "AUTEL"}
"""By the beginning of a number; made up in the documented form, a country's two letters and the network's."""

_NEWS_INSIDE: dict[str, Any] = {"handset": {"model": "unknown", "since": None}, "priceParts": [0.021, 0.004]}
_NEWS: dict[str, Any] = {"attributes": {"trail": [{}, []]}, "schemaVersion": 7}


def carrier_of(digits: str) -> str:
    """The carrier of a number, "" for countries that the table lacks."""
    return next((CARRIERS[digits[:size]] for size in (3, 2, 1) if digits[:size] in CARRIERS), "")


@dataclass(slots=True, kw_only=True, eq=False)
class SandboxReceipt:
    """One receipt or incoming message: what to post and where, what the log says of it, and how far it has come."""

    url: str
    body: bytes
    msisdn: str
    message_id: str
    correlation: str
    code: str
    status: str
    auth: str = ""  # the notifyUrlAuthId
    webhook: bool = False  # whether it goes to a webhook of the tenant or of a number, or else to a notifyUrl
    gtrid: str = field(default_factory=lambda: uuid.uuid4().hex)
    attempt: int = 0
    tried: asyncio.Future[None] | None = None  # is set after the first attempt


def payload(
    message: SandboxMessage,
    switches: Switches,
    *,
    moment: float,
    handed: float,
    code: str,
    status: str,
    description: str,
) -> bytes:
    """A Submitted, Delivered, Un-Delivered or Failed receipt; the first has neither count nor carrier.

    ``moment`` and ``handed`` (when the carrier took it) are epoch seconds.
    """
    digits = message.digits or message.msisdn
    zone = switches.receipt_time
    final = status != "Submitted"
    counted = switches.receipt_region == "any"
    info: dict[str, Any] = {"timeStamp": iso(moment, zone), "Description": description, "code": code}
    if final and counted:
        info["messageCount"] = str(message.segments)
    info |= {
        "deliveryChannel": "SMS",
        "additionalInfo": "",
        "destination": plus(digits) if switches.receipt_number == "plus" else digits,
        "destinationType": "msisdn",
        "deliveryStatus": status,
    }
    note: dict[str, Any] = {"deliveryInfo": info}
    if final:
        if counted and switches.receipt_carrier != "none":
            note["carrier"] = carrier_of(digits) if switches.receipt_carrier == "named" else ""
        if switches.receipt_carrier_time != "none":
            where = note if switches.receipt_carrier_time == "note" else info
            where["carrierSubmitTimeStamp"] = iso(handed, zone)
    if switches.branded_text != "none":
        info |= BRANDED[switches.branded_text]
    note |= {
        "subtid": "",
        "transid": message.message_id,
        "callbackData": message.order.callback,
        "correlationid": message.correlation,
    }
    return _envelope(note, switches)


def click_payload(
    message: SandboxMessage, switches: Switches, *, moment: float, url: str, ip: str, agent: str
) -> bytes:
    """A Clicked receipt, which has an order and keys of its own."""
    info = {
        "deliveryChannel": "sms",
        "Description": f"{url}|{ip}",
        "destinationType": "msisdn",
        "timeStamp": iso(moment, switches.receipt_time),
        "additionalInfo": agent,
        "code": "7528",
        "deliveryStatus": "Clicked",
        "destination": plus(message.digits) if switches.receipt_number == "plus" else message.digits,
    }
    note = {
        "deliveryInfo": info,
        "correlationid": message.correlation,
        "callbackData": message.order.callback,
        "transid": message.message_id,
    }
    return _envelope(note, switches)


def plus(digits: str) -> str:
    return "+" + digits.removeprefix("+")


def _envelope(note: dict[str, Any], switches: Switches) -> bytes:
    whole: dict[str, Any] = {"deliveryInfoNotification": note}
    if switches.receipt_more_keys == "some":
        note["deliveryInfo"] |= _NEWS_INSIDE
        note |= _NEWS
        whole["eventId"] = uuid.uuid4().hex
    return json.dumps(whole, separators=(",", ":")).encode()
