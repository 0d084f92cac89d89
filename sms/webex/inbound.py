"""An incoming SMS as the provider posts it (reference §7.1), spelling variants included. Called by the inbound endpoint.

The documents' own table swaps `oa` and `da`; their samples do not: `oa` is the handset, `da` our number.
"""

from typing import Any

import msgspec

from sms.webex import lenient
from sms.webex.errors import NOT_JSON, UnreadableBody
from sms.webex.values import number, text
from sms.words import gettext_noop


class Inbound(msgspec.Struct, frozen=True, gc=False):
    """One SMS to us. `msisdn` (the handset) has its `+`; `sender` is our number or short code as it came."""

    msisdn: str
    sender: str
    text: str
    provider_id: str = ""


# By our names, how the fields are spelled where they are not as documented; compared without case and signs.
SPELLINGS = {
    "oa": (
        "oa",
        "originaddress",
        "originatingaddress",
        "originator",
        "from",
        "msisdn",
        "sender",
        "source",
        "mobile",
    ),
    "da": (
        "da",
        "destinationaddress",
        "destination",
        "to",
        "recipient",
        "shortcode",
        "longcode",
        "keywordnumber",
    ),
    "message": ("message", "msg", "messagetext", "messagebody", "text", "body", "content", "sms"),
    "id": ("tid", "transid", "transactionid", "messageid", "msgid"),
}


def parse_inbound(raw: bytes) -> Inbound:
    """Read one body. Raises `UnreadableBody`, and nothing else: not an object, or without a handset's number."""
    try:
        said: Any = lenient.decoded(raw)
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(NOT_JSON(error=error)) from None
    said = _inner(said)
    if not isinstance(said, dict):
        raise UnreadableBody(gettext_noop("It is JSON, but no object."))
    handset = _field(said, "oa")
    if not handset.strip():
        raise UnreadableBody(gettext_noop("We could not read who sent it."))
    return Inbound(
        msisdn=number(handset),
        sender=_field(said, "da").strip(),
        text=_field(said, "message"),
        provider_id=_field(said, "id"),
    )


def _inner(said: Any) -> Any:
    """Out of the list or the object around it, if nothing else in that says who sent it."""
    for _ in range(3):
        if isinstance(said, list) and len(said) == 1:
            said = said[0]
        elif isinstance(said, dict) and not _field(said, "oa"):
            inner = [one for one in said.values() if isinstance(one, dict)]
            said = inner[0] if len(inner) == 1 else next((one for one in inner if _field(one, "oa")), said)
    return said


def _field(said: dict[str, Any], name: str) -> str:
    """The first spelling that says something. `da` is a list in the data streams."""
    by_spelling: dict[str, str] = {}
    for written, value in said.items():
        spelled = "".join(filter(str.isalnum, written)).lower()
        by_spelling[spelled] = by_spelling.get(spelled) or _said(value)
    return next((found for one in SPELLINGS[name] if (found := by_spelling.get(one, ""))), "")


def _said(value: Any) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = next((one for one in value.values() if isinstance(one, str)), None)
    return text(value)
