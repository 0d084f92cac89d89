"""The log: what the sandbox received and what it sent, up to a limit."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sms.webex.sandbox import rules
from sms.webex.sandbox.outcomes import ORDINARY, ScriptedOutcome
from sms.webex.sandbox.settings import Tenant
from sms.webex.sandbox.times import iso

PART = 2000
TEXTS = 4096


@dataclass(slots=True, eq=False)
class SandboxMessage:
    """One SMS to one number. What it shares with the others of its request stays in ``order``."""

    at: float
    message_id: str
    order: rules.SandboxOrder
    msisdn: str
    valid: bool
    correlation: str
    text: str
    link: str = ""  # the first shortened link's long address
    paths: tuple[str, ...] = ()  # of its links
    clicked: bool = False
    segments: int = 0
    outcome: ScriptedOutcome = ORDINARY
    status: str = "queued"

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


LOGGED = ("kind", "at", "correlationId", "messageId", "msisdn", "code", "status", "attempt", "answer")


class DeliveryAttempt(NamedTuple):
    """``answer`` is the receiver's status, or why there was none. In the order of LOGGED."""

    kind: str  # "receipt", or "inbound", whose message id is the tid
    at: float
    correlation: str
    message_id: str
    msisdn: str
    code: str
    status: str
    attempt: int
    answer: int | str

    def as_log(self) -> Mapping[str, object]:
        return dict(zip(LOGGED, self, strict=True)) | {"at": iso(self.at)}


class MessageLog:
    """The log, and the messages by phone and by id. Of messages at most ``log_limit`` stay; the oldest go first.

    ``messages`` and ``receipts`` count all there ever were. ``gone`` is called with each message that leaves.
    """

    def __init__(self, tenant: Tenant, gone: Callable[[SandboxMessage], None]) -> None:
        self.tenant = tenant
        self.gone = gone
        self.forget()

    def forget(self) -> None:
        self.entries: deque[SandboxMessage | DeliveryAttempt] = deque()
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
        while self.messages - self.dropped_messages > self.tenant.settings.log_limit:
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
        entry = self.entries.popleft()
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

    def lines(self) -> Iterator[bytes]:
        """The log as it stands, as JSON lines and a part at a time; its first line counts what was dropped, if anything."""
        if self.dropped_messages:
            dropped = {
                "kind": "dropped",
                "messages": self.dropped_messages,
                "receipts": self.dropped_receipts,
            }
            yield json.dumps(dropped).encode() + b"\n"
        entries = list(self.entries)  # others may come and go between two parts
        for start in range(0, len(entries), PART):
            part = entries[start : start + PART]
            yield "".join(json.dumps(one.as_log()) + "\n" for one in part).encode()
