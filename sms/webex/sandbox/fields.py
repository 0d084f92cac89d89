"""Every field that a request may have, and how those of simple types are read. Null is the same as left out."""

import re
from typing import Any

from sms.webex.sandbox.refusals import invalid, missing
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

_WHOLE = re.compile(r"-?[0-9]{1,9}")


def string(data: dict[str, Any], name: str, called: str = "") -> str:
    """A text that may be left out, and then is empty. ``called`` is its name in a refusal."""
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(called or name)
    return value


def needed(data: dict[str, Any], name: str, called: str = "") -> str:
    """A text that must be there and not empty."""
    if text := string(data, name, called):
        return text
    raise missing(called or name)


def flag(data: dict[str, Any], name: str) -> bool:
    """The table of parameters types it boolean, and its sample quotes it: both are taken, and nothing else."""
    value = data.get(name)
    if value is None or value is False or value == "false":
        return False
    if value is True or value == "true":
        return True
    raise invalid(name)


def whole(value: Any, called: str) -> int:
    """A whole number, as a text (the table of parameters) or as a number (the samples)."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise invalid(called)


def block(data: Any, where: str, switches: Switches) -> dict[str, Any]:
    """A JSON object within a request, with no field that is not known."""
    if not isinstance(data, dict):
        raise invalid(where)
    known(data, where, switches)
    return data


def known(data: dict[str, Any], where: str, switches: Switches) -> None:
    """Refuse a field that no document names, where the switch says so."""
    if switches.unknown_field == "7004" and (unknown := data.keys() - FIELDS[where]):
        raise invalid(min(unknown))
