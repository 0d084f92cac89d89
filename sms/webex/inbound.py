"""An incoming SMS as the provider posts it (reference §7.1), spelling variants included. Called by the inbound endpoint.

The documents' own table swaps `oa` and `da`; their samples do not: `oa` is the handset, `da` our number.
"""

from typing import Any

import msgspec

from sms.webex.errors import UnreadableBody
from sms.webex.values import decoded, number, text


class Inbound(msgspec.Struct, frozen=True, gc=False):
    """One SMS to us. `msisdn` (the handset) has its `+`; `sender` is our number or short code as it came."""

    msisdn: str
    sender: str
    text: str
    provider_id: str = ""


def parse_inbound(raw: bytes) -> Inbound:
    """Read one body. Raises `UnreadableBody`, and nothing else: not an object, or without a handset's number."""
    try:
        said: Any = decoded(raw)
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(f"It is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise UnreadableBody("It is JSON, but no object.")
    # `da` is a list in the data streams
    field = {
        name.lower(): value[0] if isinstance(value, list) and value else value for name, value in said.items()
    }
    handset = text(field.get("oa"))
    if not handset.strip():
        raise UnreadableBody("We could not read who sent it.")
    return Inbound(
        msisdn=number(handset),
        sender=text(field.get("da")).strip(),
        text=text(field.get("message")),
        provider_id=text(field.get("tid")) or text(field.get("transid")),
    )
