"""An archive written again: rows changed, checksums and index renewed, the old file gone. One block in memory at a time.

The new file is named before it is written and counts from one commit on; a kill leaves one file that counts and one that `resume` removes.
The new file has a key of its own, so that the old one cannot be read from a backup of files with the key of today's database.
"""

from collections.abc import Callable, Iterator

from django.db import transaction

from sms.compliance.archive import index
from sms.compliance.archive.files import new_key, new_name, store
from sms.compliance.archive.read import forget_blocks, rows_of
from sms.compliance.archive.rows import ArchivedMessage, pack
from sms.compliance.archive.write import store_blocks
from sms.ledger.crash_points import point
from sms.models import Archive, ArchiveBlock, ArchiveIndex
from sms.models.sql.clock import corrected_now

Change = Callable[[ArchivedMessage], ArchivedMessage]


def rewrite(archive: Archive, change: Change = lambda row: row, **gone: object) -> int:
    """Write it again with every row changed; `gone` are columns of the archive to set with it. Returns how many rows changed.

    Only archives all of whose blocks have moved are rewritten. Raises ArchiveError, with the old file still counting.
    """
    old, service = archive.name, archive.service
    name, key = new_name(service.slug, month=f"{archive.made_at:%Y-%m}"), new_key()
    if not Archive.objects.filter(pk=archive.pk, name=old, spare="").update(spare=name):
        return 0
    blocks = list(archive.blocks.filter(moved=True).order_by("number"))
    building, changed = index.Building(service.number_key), 0

    def packed() -> Iterator[bytes]:
        nonlocal changed
        for number, block in enumerate(blocks):
            before = rows_of(archive, block)
            after = [change(row) for row in before]
            changed += sum(one != other for one, other in zip(before, after, strict=True))
            building.add(number, after)
            content, block.content = pack(after)
            yield content

    about = {"archive": archive.pk, "service": service.slug, "made_at": archive.made_at.isoformat()}
    written = store.write(name, packed(), key=key, about=about)
    with transaction.atomic():
        locked = Archive.objects.select_for_update().get(pk=archive.pk)
        if (locked.name, locked.spare) != (old, name):
            return 0
        ArchiveBlock.objects.filter(archive=archive).delete()
        for number, block in enumerate(blocks):
            block.pk, block.number = None, number
        store_blocks(blocks, written.blocks)
        ArchiveIndex.objects.filter(archive=archive).delete()
        building.store(archive)
        locked.name, locked.spare, locked.key = name, old, key
        locked.sha256, locked.size = written.sha256, written.size
        locked.messages, locked.changed_at = sum(block.messages for block in blocks), corrected_now()
        for column, value in gone.items():
            setattr(locked, column, value)
        locked.save()
    point("archive_swapped")
    forget_blocks()
    store.remove(old)
    Archive.objects.filter(pk=archive.pk, spare=old).update(spare="")
    archive.refresh_from_db()
    return changed
