"""Writing messages of the ledger into a new archive file, and listing its blocks; nothing leaves the ledger yet.

Named first (`Archive.spare`), then written, then listed. The caller (`sms.compliance.retention`) chooses the messages.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.db import transaction

from sms.compliance.archive import index
from sms.compliance.archive.files import Placed, new_key, new_name, store
from sms.compliance.archive.rows import ArchivedMessage, content_of, pack, read_ledger
from sms.compliance.archive.strip import StripRule, strip
from sms.ledger.crash_points import point
from sms.models import Archive, ArchiveBlock, Service
from sms.models.sql.clock import corrected_now
from sms.models.sql.session import has_one_writer

Rest = Callable[[], bool]  # pause as the pace demands; whether to come to an end


def block_size() -> int:
    """Messages of a block, and so of the transaction that deletes them. On SQLite nothing else is written at that time."""
    return 400 if has_one_writer() else 1000


def make(
    service: Service, blocks: Sequence[Sequence[int]], *, posted_until: datetime, gone: StripRule, rest: Rest
) -> Archive | None:
    """Write messages (ids by block) into a new file and list it; they are in the ledger still. None where `rest` ended it.

    `gone` is what was due to be deleted by then and must not get into the file.
    """
    now = corrected_now()
    name, key = new_name(service.slug, month=f"{now:%Y-%m}"), new_key()
    archive = Archive.objects.create(service=service, spare=name, made_at=now, posted_until=posted_until)
    point("archive_named")
    building, listed = index.Building(service.number_key), list[ArchiveBlock | None]()

    def packed() -> Iterator[bytes]:
        for number, ids in enumerate(blocks):
            if rest():
                return
            rows = read_ledger(ids)
            kept = [strip(row, gone, key=service.number_key) for row in rows]
            building.add(number, kept)
            listed.append(_block(archive, number, kept, content=content_of(rows)) if kept else None)
            yield pack(kept)[0]

    about = {"archive": archive.pk, "service": service.slug, "made_at": now.isoformat()}
    written = store.write(name, packed(), key=key, about=about)
    point("archive_written")
    if len(listed) < len(blocks):
        store.remove(name)
        archive.delete()
        return None
    with transaction.atomic():
        store_blocks(listed, written.blocks)
        building.store(archive)
        archive.name, archive.spare, archive.key = name, "", key
        archive.sha256, archive.size = written.sha256, written.size
        for column, at in gone.beyond(archive).items():
            setattr(archive, column, at)
        archive.save()
    point("archive_listed")
    return archive


def _block(archive: Archive, number: int, rows: Sequence[ArchivedMessage], *, content: str) -> ArchiveBlock:
    """`content`: the digest of the rows as they are in the ledger."""
    sends = [row.send_id for row in rows]
    return ArchiveBlock(
        archive=archive,
        service_id=archive.service_id,
        number=number,
        content=content,
        messages=len(rows),
        first_id=rows[0].id,
        last_id=rows[-1].id,
        first_send=min(sends),
        last_send=max(sends),
    )


def store_blocks(blocks: Sequence[ArchiveBlock | None], placed: Sequence[Placed]) -> None:
    """List blocks where they were written; None is one without messages."""
    pairs = [(block, place) for block, place in zip(blocks, placed, strict=True) if block is not None]
    for block, place in pairs:
        block.offset, block.length, block.sha256 = place.offset, place.length, place.sha256
    ArchiveBlock.objects.bulk_create(block for block, _ in pairs)
