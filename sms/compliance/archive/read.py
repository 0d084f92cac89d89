"""Archived messages found and read: by id, number, provider id or a partner's name, of a send, or all of a service."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import Max, QuerySet, Sum

from sms.compliance.archive import index
from sms.compliance.archive.files import NOT_READ, Damaged, Placed, store
from sms.compliance.archive.rows import ArchivedMessage, MessageHistory, history_of, unpack
from sms.models import Archive, ArchiveBlock, Send, Service
from sms.values.msisdn.hidden import hidden

KEPT_OPEN = 8  # unpacked blocks of a process: paging through a send reads one again and again


def rows_of(archive: Archive, block: ArchiveBlock) -> list[ArchivedMessage]:
    """A block's rows, in order of id. Raises ArchiveError."""
    placed = Placed(block.offset, block.length, block.sha256)
    return read_block(archive.name, block.number, placed, key=archive.key)


@lru_cache(maxsize=KEPT_OPEN)
def read_block(name: str, number: int, placed: Placed, *, key: str) -> list[ArchivedMessage]:
    packed = store.read(name, number, placed, key=key)
    try:
        return unpack(packed)
    except ValueError as problem:
        raise Damaged(NOT_READ(block=number, file=name, problem=problem)) from None


def forget_blocks() -> None:
    """Not to keep what an archive no longer holds."""
    read_block.cache_clear()


def one(service: Service, message_id: int) -> MessageHistory | None:
    """A message by its id; None where no archive has it. Raises ArchiveError."""
    blocks = _blocks(service).filter(last_id__gte=message_id, first_id__lte=message_id).order_by("last_id")
    for block in blocks.iterator(chunk_size=50):
        for row in rows_of(block.archive, block):
            if row.id == message_id:
                return history_of(row, send=_sends(service).get(pk=row.send_id))
    return None


def to_number(service: Service, msisdn: str) -> list[ArchivedMessage]:
    """Every archived message to a number (E.164), the oldest first. Raises ArchiveError."""
    key = service.number_key
    digest = index.of_number(msisdn, key=key)
    names = {msisdn, hidden(msisdn, key=key)}
    return [row for row in _among(service, digest) if row.msisdn in names]


def to_any(service: Service, forms: Sequence[str]) -> list[ArchivedMessage]:
    """Every archived message to a number in any of the forms in which it may be stored, the oldest first. Raises ArchiveError.

    For each of its digests one look into the index, since a number and its digest stand there as one.
    """
    key = service.number_key
    digests = {index.of_number(one, key=key) for one in forms}
    found = {row.id: row for digest in digests for row in _among(service, digest) if row.msisdn in forms}
    return [found[pk] for pk in sorted(found)]


def by_provider_id(service: Service, provider_id: str) -> list[ArchivedMessage]:
    """Archived messages with the provider's id. Raises ArchiveError."""
    digest = index.of_provider_id(provider_id, key=service.number_key)
    return [row for row in _among(service, digest) if row.provider_id == provider_id]


def called(service: Service, name: str) -> list[ArchivedMessage]:
    """Archived messages that a partner calls so, or their recipient. Raises ArchiveError."""
    digest = index.of_name(name, key=service.number_key)
    return [row for row in _among(service, digest) if name in row.partner_names]


def _among(service: Service, digest: bytes) -> Iterator[ArchivedMessage]:
    for archive_id, numbers in sorted(index.blocks_with(service.pk, digest).items()):
        for block in _blocks(service).filter(archive_id=archive_id, number__in=numbers).order_by("number"):
            yield from rows_of(block.archive, block)


def of_send(
    send: Send,
    *,
    fits: Callable[[ArchivedMessage], bool] = lambda _: True,
    after: int = 0,
    most: int = 50,
) -> list[ArchivedMessage]:
    """Archived messages of a send that fit, with an id above `after`, in order, `most` at most. Raises ArchiveError."""
    found: list[ArchivedMessage] = []
    for row in every(send.service, after=after, send=send):
        if row.id > after and fits(row):
            found.append(row)
            if len(found) == most:
                break
    return found


def every(service: Service, *, send: Send | None = None, after: int = 0) -> Iterator[ArchivedMessage]:
    """Archived messages of a service, or of one send, in order of id within each block and blocks in order of their first. Raises
    ArchiveError."""
    blocks = _blocks(service).filter(last_id__gt=after)
    if send is not None:
        blocks = blocks.filter(last_send__gte=send.pk, first_send__lte=send.pk)
    for block in blocks.order_by("first_id").iterator(chunk_size=50):
        for row in rows_of(block.archive, block):
            if send is None or row.send_id == send.pk:
                yield row


def histories_of(service: Service, rows: list[ArchivedMessage]) -> list[MessageHistory]:
    sends = {one.pk: one for one in _sends(service).filter(pk__in={row.send_id for row in rows})}
    return [history_of(row, send=sends[row.send_id]) for row in rows if row.send_id in sends]


def at_row(send: Send, row: int) -> MessageHistory | None:
    """The archived message of a row of a send's audience. Raises ArchiveError."""
    found = next((one for one in every(send.service, send=send) if one.row == row), None)
    return history_of(found, send=send) if found else None


def has(service: Service) -> bool:
    return ArchiveBlock.objects.filter(service=service, moved=True).exists()


@dataclass(frozen=True, slots=True)
class Archived:
    """How many messages have left the ledger, and until when they were posted."""

    messages: int
    posted_until: datetime | None


def amount(service: Service, *, since: datetime | None = None) -> Archived:
    """Of all files, or of those that may hold what was posted `since`: a file says only when its last was posted."""
    files = Archive.objects.filter(service=service).exclude(name="")
    if since is not None:
        files = files.filter(posted_until__gte=since)
    found = files.aggregate(messages=Sum("messages", default=0), posted_until=Max("posted_until"))
    return Archived(**found)


def _sends(service: Service) -> "QuerySet[Send]":
    return Send.objects.filter(service=service).select_related("service", "sender", "template", "created_by")


def _blocks(service: Service) -> "QuerySet[ArchiveBlock]":
    return ArchiveBlock.objects.filter(moved=True, service=service).select_related("archive")
