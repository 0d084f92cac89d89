"""A genuine receipt on its way in. Only the correlation id is read: what cannot be read today is stored all the same."""

import hashlib
from contextlib import suppress
from datetime import datetime

import msgspec

from sms.inbound.receipts.addresses import ReceiptAddress
from sms.inbound.spool_records import IncomingPost
from sms.models.sql.clock import corrected_now
from sms.values import correlation_id
from sms.webex import lenient
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt


class Incoming(IncomingPost, frozen=True, gc=False, array_like=True):
    """A genuine receipt, not stored yet. `message_id` 0: it names no message of ours. `simulated`: of a send with a test key."""

    message_id: int = 0
    attempt: int = 0
    simulated: bool = False

    @classmethod
    def of(cls, raw: bytes, *, address: ReceiptAddress) -> "Incoming":
        key = address.correlation_key
        return cls.read(raw, service_id=address.service_id, key=key, received_at=corrected_now())

    @classmethod
    def each(cls, raw: bytes, *, service_id: int, key: str, received_at: datetime) -> list["Incoming"]:
        """The receipt in a body, or those that a gateway joined in one."""

        def receipt(body: bytes) -> Incoming:
            return cls.read(body, service_id=service_id, key=key, received_at=received_at)

        whole = receipt(raw)
        pieces = [] if whole.message_id else [receipt(one) for one in lenient.joined(raw)]
        return pieces if any(one.message_id for one in pieces) else [whole]

    @classmethod
    def read(cls, raw: bytes, *, service_id: int, key: str, received_at: datetime) -> "Incoming":
        found = correlation_id.read(correlation_id_of(raw), key=key)
        return cls(
            service_id=service_id,
            message_id=found.message_id if found else 0,
            attempt=found.attempt if found else 0,
            raw=raw,
            received_at=received_at,
        )

    @property
    def dedupe(self) -> bytes:
        """The same body for the same service is the same receipt, however often it comes.

        The message comes first: receipts of one hour are neighbours in the index, which so stays in memory whatever its size.
        """
        digest = hashlib.blake2b(b"%d:" % self.service_id + self.raw, digest_size=10).digest()
        return self.message_id.to_bytes(8, "big")[2:] + digest


class _Inner(msgspec.Struct):
    correlationid: str = ""


class _ReceiptIds(msgspec.Struct):
    deliveryInfoNotification: _Inner = msgspec.field(default_factory=_Inner)  # noqa: N815 - the wire's name


_decode = msgspec.json.Decoder(_ReceiptIds).decode


def correlation_id_of(raw: bytes) -> str:
    """As it is spelled in the documents, or as any receipt that can be read has it."""
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        if found := _decode(raw).deliveryInfoNotification.correlationid:
            return found
    with suppress(UnreadableBody):
        return parse_receipt(raw).correlation_id
    return ""
