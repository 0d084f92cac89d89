"""Every field that a request may have, and how those of simple types are read."""

from __future__ import annotations

from typing import Any

from sms.webex.sandbox.refusals import invalid
from sms.webex.sandbox.switches import Switches

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


def string(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(name)
    return value


def flag(data: dict[str, Any], name: str) -> bool:
    """A boolean, quoted or not: the documents show both."""
    value = data.get(name)
    if value is None or value is False or value in ("false", ""):
        return False
    if value is True or value == "true":
        return True
    raise invalid(name)


def known(data: dict[str, Any], where: str, switches: Switches) -> None:
    """Refuse a field that no document names, where the switch says so."""
    if switches.unknown_field == "7004" and (unknown := data.keys() - FIELDS[where]):
        raise invalid(min(unknown))
