"""What an archive keeps of a message: the row, what a partner called it, its receipts and clicks. Packed, and unpacked into our models.

A row is a plain array, so that a thousand of them are small; fields are only ever added at the end.
"""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from sms.models import Click, Echo, Message, Receipt, Send
from sms.models.sql.id_list import among

LEVEL = 6  # of zlib; docs/decisions/0009 has what the others take and save


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
    """One message. `echo` is a partner's correlation id, spelling of the number and reference of the recipient."""

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
    echo: tuple[str, ...] | None = None  # older ones have no reference
    receipts: tuple[ArchivedReceipt, ...] = ()

    @property
    def partner_correlation_id(self) -> str:
        return self.echo[0] if self.echo else ""

    @property
    def partner_reference(self) -> str:
        return self.echo[2] if self.echo and len(self.echo) > 2 else ""

    @property
    def partner_names(self) -> set[str]:
        return {self.partner_correlation_id, self.partner_reference} - {""}


COLUMNS = ArchivedMessage.__struct_fields__[:-2]  # of the message itself
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[ArchivedMessage]).decode


def read_ledger(message_ids: Iterable[int]) -> list[ArchivedMessage]:
    """These messages as they are now, in order of id. Four queries."""
    wanted = among(message_ids)
    spelled = Echo.objects.filter(message_id__in=wanted)
    echoes = {one.pk: (one.correlation_id, one.destination, one.reference) for one in spelled}
    clicks: dict[int, tuple[int, ArchivedClick]] = {}
    visits = Click.objects.filter(message_id__in=wanted).order_by()
    columns = ("message_id", "receipt_id", *ArchivedClick.__struct_fields__)
    for message_id, receipt_id, *rest in visits.values_list(*columns):
        clicks[receipt_id] = message_id, ArchivedClick(*rest)
    receipts: dict[int, list[ArchivedReceipt]] = defaultdict(list)
    columns = ("pk", "message_id", "raw", "attempt", "received_at")
    for pk, message_id, raw, attempt, received_at in receipts_of(wanted, clicks).values_list(*columns):
        owner, visit = clicks.get(pk, (message_id, None))
        receipts[owner].append(ArchivedReceipt(pk, bytes(raw), attempt, received_at, visit))
    rows: Any = Message.objects.filter(pk__in=wanted).order_by("pk").values_list(*COLUMNS)
    return [ArchivedMessage(*[*row, echoes.get(row[0]), tuple(receipts[row[0]])]) for row in rows]


def receipts_of(message_ids: Any, click_receipts: Iterable[int], **only: Any) -> Any:
    """Receipts of these messages: by their own id, and those that only a click ties to one; of them those that match `only`.

    A union of two that share no row, since PostgreSQL reads the whole table for one OR of two lists of ids.
    """
    by_message = Receipt.objects.filter(message_id__in=message_ids, message_id__gt=0, **only)
    ids = list(click_receipts)
    if not ids:
        return by_message.order_by("pk")
    by_click = Receipt.objects.filter(pk__in=among(ids), message_id=0, **only)
    return by_message.order_by().union(by_click.order_by(), all=True).order_by("pk")


def pack(rows: Sequence[ArchivedMessage]) -> tuple[bytes, str]:
    """Compressed, and the digest of what was compressed."""
    plain = _encode(list(rows))
    return zlib.compress(plain, LEVEL), hashlib.sha256(plain).hexdigest()


def content_of(rows: Sequence[ArchivedMessage]) -> str:
    """The digest alone."""
    return hashlib.sha256(_encode(list(rows))).hexdigest()


def unpack(packed: bytes) -> list[ArchivedMessage]:
    """Raises ValueError for what was not packed here."""
    try:
        return _decode(zlib.decompress(packed))
    except (zlib.error, msgspec.MsgspecError) as problem:
        raise ValueError(str(problem)) from None


@dataclass(frozen=True, slots=True)
class MessageHistory:
    """A message with its receipts and clicks, as the pages show it, from the ledger or an archive."""

    message: Message
    receipts: list[Receipt]
    clicks: dict[int, Click]  # by receipt
    echo: Echo | None = None
    archived: bool = True


def history_of(row: ArchivedMessage, *, send: Send) -> MessageHistory:
    """A row as model instances that are never saved."""
    message = Message(**{name: getattr(row, name) for name in COLUMNS})
    message.send = send
    owner = {"service_id": send.service_id, "message_id": row.id}
    names = ArchivedReceipt.__struct_fields__[:-1]
    receipts = [Receipt(**owner, **{name: getattr(one, name) for name in names}) for one in row.receipts]
    clicks = {
        one.id: Click(message_id=row.id, receipt_id=one.id, **msgspec.structs.asdict(one.click))
        for one in row.receipts
        if one.click is not None
    }
    return MessageHistory(message, receipts, clicks, _echo_of(row, message))


def _echo_of(row: ArchivedMessage, message: Message) -> Echo | None:
    if not row.echo:
        return None
    said = {"correlation_id": row.partner_correlation_id, "reference": row.partner_reference}
    return Echo(message=message, service_id=message.send.service_id, destination=row.echo[1], **said)
