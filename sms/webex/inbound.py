"""An incoming SMS as the provider posts it (reference §7.1), spelling variants included. Called by the inbound endpoint.

The documents' own table swaps `oa` and `da`; their samples do not: `oa` is the handset, `da` our number.
"""

import datetime as dt
from typing import Any

import msgspec

from sms.webex.errors import UnreadableBody
from sms.webex.values import count, moment, number, text, without_bom


class Inbound(msgspec.Struct, frozen=True, gc=False):
    """One SMS to us. `msisdn` (the handset) has its `+`; `sender` is our number or short code as it came."""

    msisdn: str
    sender: str
    text: str
    provider_id: str = ""
    at: dt.datetime | None = None
    segments: int | None = None
    carrier: str = ""
    user_id: str = ""
    source: str = ""
    channel: str = ""

    @property
    def keyword(self) -> str:
        """The first word, in capitals and without the marks around it: `STOP` of " stop. thanks"."""
        words = self.text.split(maxsplit=1)
        return words[0].strip(".,;:!?\"'“”‘’()").upper() if words else ""


def parse_inbound(raw: bytes) -> Inbound:
    """Read one body. Raises `UnreadableBody`, and nothing else: not an object, or without a handset's number."""
    try:
        said: Any = msgspec.json.decode(without_bom(raw))
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(f"It is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise UnreadableBody("It is JSON, but no object.")
    # `userId` is printed with a small L in one sample; `da` is a list in the data streams.
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
        at=moment(field.get("datetime")) or moment(field.get("ts")),
        segments=count(field.get("messagecount")),
        carrier=text(field.get("x_networkid")),
        user_id=text(field.get("userid")) or text(field.get("userld")),
        source=text(field.get("message_source")),
        channel=text(field.get("channel")),
    )
