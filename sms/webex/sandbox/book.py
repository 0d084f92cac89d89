"""The sandbox's book: what it received and what it sent, as the log tells it."""

from __future__ import annotations

from typing import NamedTuple

from sms.webex.sandbox import rules
from sms.webex.sandbox.outcomes import Outcome
from sms.webex.sandbox.receipts import iso


class Message:
    """One SMS to one number."""

    __slots__ = (
        "at",
        "callback",
        "correlation",
        "digits",
        "link",
        "message_id",
        "msisdn",
        "notify_url",
        "outcome",
        "receipts",
        "segments",
        "sender",
        "status",
        "text",
        "track",
    )

    def __init__(self, at: float, message_id: str, order: rules.Order, to: rules.Destination) -> None:
        """Take what the order says of this destination; text and fate are settled by the sandbox."""
        self.at = at
        self.message_id = message_id
        self.msisdn = to.msisdn
        self.digits = to.digits
        self.correlation = to.correlation
        self.text = to.text
        self.sender = order.sender
        self.callback = order.callback
        self.notify_url = order.notify_url
        self.receipts = order.receipts
        self.track = order.track and bool(order.shorten)
        self.link = ""  # the first shortened link's long address
        self.segments = 0
        self.outcome: Outcome
        self.status = "queued"

    def as_log(self) -> dict[str, object]:
        """The message's line of the log."""
        return {
            "kind": "message",
            "at": iso(self.at),
            "msisdn": self.msisdn,
            "correlationId": self.correlation,
            "messageId": self.message_id,
            "from": self.sender,
            "text": self.text,
            "segments": self.segments,
            "outcome": self.outcome.name,
        }


class Delivered(NamedTuple):
    """One attempt to deliver a receipt."""

    at: float
    correlation: str
    message_id: str
    msisdn: str
    code: str
    status: str
    attempt: int
    answer: int | str

    def as_log(self) -> dict[str, object]:
        """The attempt's line of the log; ``answer`` is the receiver's status, or why there was none."""
        return {
            "kind": "receipt",
            "at": iso(self.at),
            "correlationId": self.correlation,
            "messageId": self.message_id,
            "msisdn": self.msisdn,
            "code": self.code,
            "status": self.status,
            "attempt": self.attempt,
            "answer": self.answer,
        }
