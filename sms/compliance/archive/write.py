"""Writing messages of the ledger into a new archive file, and listing its blocks; nothing leaves the ledger yet.

Named first (`Archive.spare`), then written, then listed. The caller (`sms.compliance.retention`) chooses the messages.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sms.compliance.archive import index
from sms.compliance.archive.files import Placed, new_key, new_name, store
from sms.compliance.archive.rows import ArchivedMessage, content_of, pack, read_ledger
from sms.compliance.archive.strip import StripRule, strip
from sms.ledger.crash_points import point
from sms.models import Archive, ArchiveBlock, Service
from sms.models.sql.session import has_one_writer

Rest = Callable[[], bool]  # pause as the pace demands; whether to come to an end


def block_size() -> int:
    """Messages of a block, and so of the transaction that deletes them. On SQLite nothing else is written at that time."""
    return 400 if has_one_writer() else 1000


@dataclass(slots=True)
class _Page:
    rows: list[ArchivedMessage]
    content: str
    moved_content: str  # of the rows as they are in the ledger


def make(
    service: Service, blocks: Sequence[Sequence[int]], *, posted_until: datetime, gone: StripRule, rest: Rest
) -> Archive | None:
    """Write messages (ids by block) into a new file and list it; they are in the ledger still. None where `rest` ended it.

    `gone` is what was due to be deleted by then and must not get into the file.
    """
    now = timezone.now()
    name, key = new_name(service.slug, month=f"{now:%Y-%m}"), new_key()
    archive = Archive.objects.create(service=service, spare=name, made_at=now, posted_until=posted_until)
    point("archive_named")
    building, pages = index.Building(service.number_key), list[_Page]()

    def packed() -> Iterator[bytes]:
        for number, ids in enumerate(blocks):
            if rest():
                return
            rows = read_ledger(ids)
            kept = [strip(row, gone, key=service.number_key) for row in rows]
            content, digest = pack(kept)
            building.add(number, kept)
            pages.append(_Page(kept, digest, content_of(rows)))
            yield content

    about = {"archive": archive.pk, "service": service.slug, "made_at": now.isoformat()}
    written = store.write(name, packed(), key=key, about=about)
    point("archive_written")
    if len(pages) < len(blocks):
        store.remove(name)
        archive.delete()
        return None
    with transaction.atomic():
        _list(archive, pages, written.blocks)
        for row in building.rows(archive_id=archive.pk, service_id=service.pk):
            row.save(force_insert=True)
        archive.name, archive.spare, archive.key = name, "", key
        archive.sha256, archive.size = written.sha256, written.size
        archive.bodies_gone_at, archive.numbers_gone_at = gone.bodies, gone.numbers
        archive.receipts_gone_at = gone.receipts
        archive.save()
    point("archive_listed")
    return archive


def _list(archive: Archive, pages: Sequence[_Page], placed: Sequence[Placed]) -> None:
    ArchiveBlock.objects.bulk_create(
        ArchiveBlock(
            archive=archive,
            service_id=archive.service_id,
            number=number,
            offset=place.offset,
            length=place.length,
            sha256=place.sha256,
            content=page.moved_content,
            messages=len(page.rows),
            first_id=page.rows[0].id,
            last_id=page.rows[-1].id,
            first_send=min(row.send_id for row in page.rows),
            last_send=max(row.send_id for row in page.rows),
        )
        for number, (page, place) in enumerate(zip(pages, placed, strict=True))
        if page.rows
    )
