"""What an archive keeps of a message: the row, what a partner called it, its receipts and clicks. Packed, and unpacked into our models.

A row is a plain array, so that a thousand of them are small; fields are only ever added at the end.
"""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from sms.models import Click, Echo, Message, Receipt, Send
from sms.models.sql.id_list import among

LEVEL = 6  # of zlib; docs/decisions/0009 has what the others take and save

COLUMNS = (
    *(
        "id",
        "send_id",
        "msisdn",
        "country",
        "row",
        "text",
        "substitutions",
        "zone",
        "segments",
        "state",
        "attempt",
    ),
    *("resent", "code", "detail", "provider_id", "carrier", "segments_billed"),
    *("posted_at", "queued_at", "submitted_at", "final_at"),
)


class ArchivedClick(msgspec.Struct, frozen=True, array_like=True, gc=False):
    url: str
    ip: str
    user_agent: str
    verdict: str
    reason: str
    rules_version: int
    at: datetime


class ArchivedReceipt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    id: int
    raw: bytes
    attempt: int
    received_at: datetime
    click: ArchivedClick | None = None


class ArchivedMessage(msgspec.Struct, frozen=True, array_like=True):
    """One message. `echo` is a partner's correlation id and spelling of the number."""

    id: int
    send_id: int
    msisdn: str
    country: str
    row: int
    text: str
    substitutions: dict[str, Any]
    zone: str
    segments: int
    state: str
    attempt: int
    resent: int
    code: str
    detail: str
    provider_id: str
    carrier: str
    segments_billed: int | None
    posted_at: datetime | None
    queued_at: datetime | None
    submitted_at: datetime | None
    final_at: datetime | None
    echo: tuple[str, str] | None = None
    receipts: tuple[ArchivedReceipt, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[ArchivedMessage]).decode


def read_ledger(message_ids: Iterable[int]) -> list[ArchivedMessage]:
    """These messages as they are now, in order of id. Four queries."""
    wanted = among(message_ids)
    echoes = {
        pk: (ours, theirs)
        for pk, ours, theirs in Echo.objects.filter(message_id__in=wanted).values_list(
            "message_id", "correlation_id", "destination"
        )
    }
    clicks: dict[int, tuple[int, ArchivedClick]] = {}
    columns = ("url", "ip", "user_agent", "verdict", "reason", "rules_version", "at")
    visits = Click.objects.filter(message_id__in=wanted).order_by()
    for message_id, receipt_id, *rest in visits.values_list("message_id", "receipt_id", *columns):
        clicks[receipt_id] = message_id, ArchivedClick(*rest)
    receipts: dict[int, list[ArchivedReceipt]] = defaultdict(list)
    for pk, message_id, raw, attempt, received_at in receipts_of(wanted, clicks).values_list(
        "pk", "message_id", "raw", "attempt", "received_at"
    ):
        owner, visit = clicks.get(pk, (message_id, None))
        receipts[owner].append(ArchivedReceipt(pk, bytes(raw), attempt, received_at, visit))
    rows = Message.objects.filter(pk__in=wanted).order_by("pk").values_list(*COLUMNS)
    return [_row(row, echoes.get(row[0]), receipts[row[0]]) for row in rows]


def _row(
    columns: tuple[Any, ...], echo: tuple[str, str] | None, receipts: list[ArchivedReceipt]
) -> ArchivedMessage:
    values: list[Any] = [*columns, echo, tuple(receipts)]
    return ArchivedMessage(*values)


def receipts_of(message_ids: Any, click_receipts: Iterable[int]) -> Any:
    """Receipts of these messages: by their own id, and those that only a click ties to one."""
    by_message = Receipt.objects.filter(message_id__in=message_ids, message_id__gt=0)
    ids = list(click_receipts)
    if not ids:
        return by_message.order_by("pk")
    by_click = Receipt.objects.filter(pk__in=among(ids), message_id=0)
    return (by_message.order_by() | by_click.order_by()).order_by("pk")


def pack(rows: Sequence[ArchivedMessage]) -> tuple[bytes, str]:
    """Compressed, and the digest of what was compressed."""
    plain = _encode(list(rows))
    return zlib.compress(plain, LEVEL), digest(plain)


def content_of(rows: Sequence[ArchivedMessage]) -> str:
    """The digest alone."""
    return digest(_encode(list(rows)))


def unpack(packed: bytes) -> tuple[list[ArchivedMessage], str]:
    """Rows, and the digest of them. Raises ValueError for what was not packed here."""
    try:
        plain = zlib.decompress(packed)
        return _decode(plain), digest(plain)
    except (zlib.error, msgspec.MsgspecError) as problem:
        raise ValueError(str(problem)) from None


def digest(plain: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(plain).hexdigest()


@dataclass(frozen=True, slots=True)
class MessageHistory:
    """A message with its receipts and clicks, as the pages show it, from the ledger or an archive."""

    message: Message
    receipts: list[Receipt]
    clicks: dict[int, Click]  # by receipt
    echo: Echo | None = None
    archived: bool = field(default=True)


def history_of(row: ArchivedMessage, *, send: Send) -> MessageHistory:
    """A row as model instances that are never saved."""
    message = Message(**{name: getattr(row, name) for name in COLUMNS})
    message.send = send
    receipts = [
        Receipt(
            pk=one.id,
            service_id=send.service_id,
            message_id=row.id,
            raw=one.raw,
            attempt=one.attempt,
            received_at=one.received_at,
        )
        for one in row.receipts
    ]
    clicks = {
        one.id: Click(message_id=row.id, receipt_id=one.id, **msgspec.structs.asdict(one.click))
        for one in row.receipts
        if one.click is not None
    }
    echo = Echo(message=message, correlation_id=row.echo[0], destination=row.echo[1]) if row.echo else None
    return MessageHistory(message, receipts, clicks, echo)
