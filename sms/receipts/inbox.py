"""Taking receipts in: whose they are, whether they are genuine, and the commit that many of them share.

Nothing here parses more than the correlation id: what cannot be read today is stored all the same and can be read tomorrow.
"""

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from sms import correlation
from sms.models import Receipt, ReceiptInbox, Service
from sms.webex import signature


@dataclass(frozen=True, slots=True)
class Door:
    """What the endpoint must know of a service."""

    service_id: int
    correlation_key: str
    secrets: tuple[str, ...]
    algorithm: signature.Algorithm

    def genuine(self, raw: bytes, header: str) -> bool:
        """True where no signature is expected, or where it fits one of today's secrets."""
        return not self.secrets or signature.verify(
            raw, header, secrets=self.secrets, algorithm=self.algorithm
        )


class Doors:
    """Services by their token, remembered for a few seconds so that a receipt needs no query of its own."""

    def __init__(self, *, ttl: float = 5.0) -> None:
        self.ttl = ttl
        self._known: dict[bytes, tuple[float, Door | None]] = {}

    def find(self, token: str) -> Door | None:
        """The service whose receipts come to this token. Looked up by digest, so that timing tells nothing about tokens."""
        key = hashlib.sha256(token.encode()).digest()
        until, door = self._known.get(key, (0.0, None))
        if until > time.monotonic():
            return door
        service = Service.objects.filter(receipt_token=token).first()
        door = (
            Door(
                service.pk,
                service.correlation_key,
                tuple(service.receipt_secrets),
                cast(signature.Algorithm, service.receipt_algorithm),
            )
            if service
            else None
        )
        if len(self._known) > 1000:  # somebody guesses tokens: forget, do not grow
            self._known.clear()
        self._known[key] = (time.monotonic() + self.ttl, door)
        return door

    def forget(self) -> None:
        """Look everything up again."""
        self._known.clear()


doors = Doors()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A genuine receipt, not stored yet. `message_id` 0: it names no message of ours."""

    service_id: int
    message_id: int
    attempt: int
    raw: bytes
    received_at: datetime

    @classmethod
    def of(cls, raw: bytes, *, door: Door) -> "Incoming":
        """Read the correlation id, forgivingly."""
        found = correlation.read(_correlation_id(raw), key=door.correlation_key)
        return cls(
            service_id=door.service_id,
            message_id=found.message_id if found else 0,
            attempt=found.attempt if found else 0,
            raw=raw,
            received_at=timezone.now(),
        )

    @property
    def dedupe(self) -> bytes:
        """The same body for the same service is the same receipt, however often it comes."""
        return hashlib.blake2b(b"%d:" % self.service_id + self.raw, digest_size=16).digest()


class _Inner(msgspec.Struct):
    correlationid: str = ""


class _Envelope(msgspec.Struct):
    deliveryInfoNotification: _Inner = msgspec.field(default_factory=_Inner)  # noqa: N815 - the wire's name


_decode = msgspec.json.Decoder(_Envelope).decode


def _correlation_id(raw: bytes) -> str:
    try:
        return _decode(raw).deliveryInfoNotification.correlationid
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


@dataclass(slots=True)
class _Ticket:
    incoming: Incoming
    done: bool = False
    error: Exception | None = None


@dataclass(slots=True)
class GroupCommit:
    """Concurrent requests share a commit: whoever gets the writer's lock first writes for all that are waiting by then.

    While one commit is under way the next batch gathers by itself, so there is no waiting window to tune.
    """

    most: int = 500
    _waiting: list[_Ticket] = field(default_factory=list)
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _writer: threading.Lock = field(default_factory=threading.Lock)

    def store(self, incoming: Incoming) -> None:
        """Return once the receipt is durable; raises what the database raised."""
        ticket = _Ticket(incoming)
        with self._mutex:
            self._waiting.append(ticket)
        with self._writer:
            while not ticket.done:
                self._write()
        if ticket.error is not None:
            raise ticket.error

    def _write(self) -> None:
        with self._mutex:
            batch, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
        try:
            insert([ticket.incoming for ticket in batch])
        except Exception as error:  # handed to every request of the batch; each answers for itself
            for ticket in batch:
                ticket.error = error
        for ticket in batch:
            ticket.done = True


def insert(batch: Sequence[Incoming]) -> int:
    """Store receipts that are not stored yet, in one transaction; returns how many were new."""
    values = [
        (item.service_id, item.message_id, item.attempt, item.dedupe, item.raw, _time(item.received_at))
        for item in batch
    ]
    row = "(%s, %s, %s, %s, %s, %s)"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Receipt._meta.db_table} (service_id, message_id, attempt, dedupe, raw, received_at)"  # noqa: S608
            f" VALUES {', '.join([row] * len(values))} ON CONFLICT (dedupe) DO NOTHING RETURNING id",
            [value for item in values for value in item],
        )
        new = [pk for (pk,) in cursor.fetchall()]
        if new:
            now = _time(timezone.now())
            cursor.execute(
                f"INSERT INTO {ReceiptInbox._meta.db_table} (receipt_id, why, reason, tries, next_at)"  # noqa: S608
                f" VALUES {', '.join(['(%s, %s, %s, %s, %s)'] * len(new))}",
                [value for pk in new for value in (pk, ReceiptInbox.Why.NEW.value, "", 0, now)],
            )
    return len(new)


def _time(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


store = GroupCommit().store
