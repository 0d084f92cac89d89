"""The log: what the sandbox received and what it sent, up to a limit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sms.webex.sandbox import rules
from sms.webex.sandbox.outcomes import ORDINARY, ScriptedOutcome
from sms.webex.sandbox.times import iso

PART = 2000
TEXTS = 4096


class SandboxMessage:
    """One SMS to one number. What it shares with the others of its request stays in ``order``."""

    __slots__ = (
        "at",
        "clicked",
        "correlation",
        "link",
        "message_id",
        "msisdn",
        "order",
        "outcome",
        "paths",
        "segments",
        "status",
        "text",
        "valid",
    )

    def __init__(
        self, at: float, message_id: str, order: rules.SandboxOrder, to: rules.SandboxDestination
    ) -> None:
        """Take what the order says of this destination; text and fate are settled by the sandbox."""
        self.at = at
        self.message_id = message_id
        self.msisdn = to.msisdn
        self.valid = bool(to.digits)
        self.correlation = to.correlation
        self.text = to.text
        self.order = order
        self.link = ""  # the first shortened link's long address
        self.paths: tuple[str, ...] = ()  # of its links
        self.clicked = False
        self.segments = 0
        self.outcome: ScriptedOutcome = ORDINARY
        self.status = "queued"

    @property
    def digits(self) -> str:
        """The number without +; empty when it cannot exist."""
        return self.msisdn[1:] if self.valid else ""

    @property
    def track(self) -> bool:
        return self.order.links.track and self.order.links.shorten

    def as_log(self) -> dict[str, object]:
        return {
            "kind": "message",
            "at": iso(self.at),
            "msisdn": self.msisdn,
            "correlationId": self.correlation,
            "messageId": self.message_id,
            "from": self.order.sender,
            "text": self.text,
            "segments": self.segments,
            "outcome": self.outcome.name,
        }


class DeliveryAttempt(NamedTuple):
    at: float
    correlation: str
    message_id: str
    msisdn: str
    code: str
    status: str
    attempt: int
    answer: int | str
    kind: str = "receipt"  # or "inbound", whose message id is the tid

    def as_log(self) -> dict[str, object]:
        """The attempt's line of the log; ``answer`` is the receiver's status, or why there was none."""
        return {
            "kind": self.kind,
            "at": iso(self.at),
            "correlationId": self.correlation,
            "messageId": self.message_id,
            "msisdn": self.msisdn,
            "code": self.code,
            "status": self.status,
            "attempt": self.attempt,
            "answer": self.answer,
        }


class MessageLog:
    """The log, and the messages by phone and by id. Of messages at most ``limit`` stay; the oldest go first.

    ``messages`` and ``receipts`` count all there ever were. ``gone`` is called with each message that leaves.
    """

    def __init__(self, limit: Callable[[], int], gone: Callable[[SandboxMessage], None]) -> None:
        self.limit = limit
        self.gone = gone
        self.forget()

    def forget(self) -> None:
        self.entries: list[SandboxMessage | DeliveryAttempt | None] = []
        self.start = 0  # of what is still kept in `entries`
        self.offset = 0  # entries cut off the list before its first
        self.phones: dict[str, list[SandboxMessage]] = {}
        self.ids: dict[str, SandboxMessage] = {}
        self.texts: dict[str, str] = {}
        self.messages = self.receipts = 0
        self.dropped_messages = self.dropped_receipts = 0

    def add(self, message: SandboxMessage) -> None:
        message.text = self._once(message.text)
        self.messages += 1
        self.entries.append(message)
        phone = self.phones.pop(message.msisdn, [])  # to the end, so that the newest phones are the last
        phone.append(message)
        self.phones[message.msisdn] = phone
        self.ids.setdefault(message.message_id, message)
        while self.messages - self.dropped_messages > self.limit():
            self._drop()

    def write(self, attempt: DeliveryAttempt) -> None:
        self.receipts += attempt.kind == "receipt"
        self.entries.append(attempt)

    def _once(self, text: str) -> str:
        """The same text as one object, however often it comes."""
        if len(self.texts) >= TEXTS:
            self.texts.clear()
        return self.texts.setdefault(text, text)

    def _drop(self) -> None:
        entry = self.entries[self.start]
        self.entries[self.start] = None
        self.start += 1
        if isinstance(entry, SandboxMessage):
            self.dropped_messages += 1
            phone = self.phones[entry.msisdn]
            phone.pop(0)
            if not phone:
                del self.phones[entry.msisdn]
            if self.ids.get(entry.message_id) is entry:
                del self.ids[entry.message_id]
            self.gone(entry)
        else:
            self.dropped_receipts += 1
        if self.start > PART and self.start * 2 > len(self.entries):
            self.offset += self.start
            del self.entries[: self.start]
            self.start = 0

    def lines(self) -> Iterator[bytes]:
        """The log as it stands, as JSON lines and a part at a time; its first line counts what was dropped, if anything."""
        if self.dropped_messages:
            dropped = {
                "kind": "dropped",
                "messages": self.dropped_messages,
                "receipts": self.dropped_receipts,
            }
            yield json.dumps(dropped).encode() + b"\n"
        at, end = self.offset + self.start, self.offset + len(self.entries)
        while at < end:
            first = max(at, self.offset + self.start) - self.offset  # entries may go between two parts
            part = self.entries[first : min(first + PART, end - self.offset)]
            at = self.offset + first + PART
            yield "".join(json.dumps(one.as_log()) + "\n" for one in part if one is not None).encode()
