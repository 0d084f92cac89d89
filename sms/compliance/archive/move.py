"""Out of the ledger, block by block, once an archive file is written and listed (`write`). What changed since then stays.

Each step may be the last of a killed process: `resume` removes a file that was never listed, and goes on with blocks that were. The
caller (`sms.compliance.retention`) lets one process at a time do this; two at once would still lose nothing, since a block moves under
its messages' locks.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import structlog
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from sms.compliance.archive.files import store
from sms.compliance.archive.read import rows_of
from sms.compliance.archive.rewrite import rewrite
from sms.compliance.archive.rows import ArchivedMessage, content_of, read_ledger
from sms.compliance.archive.write import Rest
from sms.ledger.crash_points import point
from sms.models import (
    Archive,
    ArchiveBlock,
    Click,
    Echo,
    Message,
    Receipt,
    ReceiptInbox,
    Send,
    SendKeeping,
    Service,
)
from sms.models.sql import id_list
from sms.models.sql.clock import corrected_now
from sms.reports import facts

log = structlog.get_logger(__name__)


def move(archive: Archive, *, rest: Rest) -> int:
    """Take the messages of its listed blocks out of the ledger, a block in a transaction; returns how many.

    A block with a message that changed, or of a send that is held, does not move: its messages stay, and it is taken out of the file.
    """
    moved = stayed = 0
    for block in archive.blocks.filter(moved=False).order_by("number"):
        if rest():
            return moved
        if _move(archive, block):
            moved += block.messages
            point("archive_moved")
        else:
            stayed += 1
    if stayed:
        log.info("archive_blocks_stayed", archive=archive.pk, blocks=stayed)
    _settle(archive)
    return moved


def _move(archive: Archive, block: ArchiveBlock) -> bool:
    with transaction.atomic():
        ids = [row.id for row in rows_of(archive, block)]
        sends = sorted(_lock(ids))
        rows = read_ledger(ids)
        if _held(sends) or content_of(rows) != block.content or _awaited(rows):
            ArchiveBlock.objects.filter(pk=block.pk).delete()
            return False
        for first, last in runs(ids):
            facts.keep(first, last)
        _delete([row.id for row in rows], [one.id for row in rows for one in row.receipts])
        ArchiveBlock.objects.filter(pk=block.pk).update(moved=True)
        _note_sends(sends, now=corrected_now())
        point("archive_moving")
    return True


def _lock(ids: Sequence[int]) -> set[int]:
    """Sends of these messages, locked with them: first what says whether a send is held, then messages in order of id."""
    messages = Message.objects.filter(pk__in=id_list.among(ids)).order_by()
    sends = set(messages.values_list("send_id", flat=True))
    SendKeeping.objects.bulk_create([SendKeeping(send_id=pk) for pk in sorted(sends)], ignore_conflicts=True)
    for model, keys in ((SendKeeping, sends), (Message, ids)):
        rows = model._default_manager.select_for_update().filter(pk__in=id_list.among(keys))
        list(rows.order_by("pk").values_list("pk"))
    return sends


def _held(sends: Sequence[int]) -> bool:
    return SendKeeping.objects.filter(pk__in=id_list.among(sends), held_at__isnull=False).exists()


def _awaited(rows: Sequence[ArchivedMessage]) -> bool:
    """Whether a receipt of these is still to be applied."""
    receipts = id_list.among([one.id for row in rows for one in row.receipts])
    return ReceiptInbox.objects.filter(pk__in=receipts).exists()


def runs(ids: Sequence[int]) -> list[tuple[int, int]]:
    """First and last id of stretches in which there is no other message: what is kept of facts is kept by such stretches."""
    between = Message.objects.filter(pk__gt=ids[0], pk__lt=ids[-1]).exclude(pk__in=id_list.among(ids))
    strangers = list(between.order_by("pk").values_list("pk", flat=True))
    found, start, at = list[tuple[int, int]](), ids[0], 0
    for before, after in pairwise(ids):
        at = next((place for place in range(at, len(strangers)) if strangers[place] > before), len(strangers))
        if at < len(strangers) and strangers[at] < after:
            found.append((start, before))
            start = after
    return [*found, (start, ids[-1])]


def _delete(message_ids: list[int], receipt_ids: list[int]) -> None:
    """By plain statements, since every table that refers to a message is named here."""
    with connection.cursor() as cursor:
        for model, column, ids in (
            (Click, "message_id", message_ids),
            (Echo, "message_id", message_ids),
            (Receipt, "id", receipt_ids),
            (Message, "id", message_ids),
        ):
            cursor.execute(
                f"DELETE FROM {model._meta.db_table} WHERE {column} IN ({id_list.in_list()})",  # noqa: S608 - words of ours; values are parameters
                [id_list.parameter(ids)],
            )


def _note_sends(sends: Sequence[int], *, now: datetime) -> None:
    left = Message.objects.filter(send_id=OuterRef("pk"))
    whole = Send.objects.filter(pk__in=id_list.among(sends)).filter(~Exists(left))
    ids = list(whole.order_by("pk").values_list("pk", flat=True))
    SendKeeping.objects.filter(pk__in=id_list.among(ids)).update(archived_at=now, stage="", place=0)
    for send_id in ids:
        facts.sum_kept(send_id)


def _settle(archive: Archive) -> None:
    """Its figures, once nothing of it is to be moved any more; a block that stayed is dropped from the file."""
    blocks = list(archive.blocks.order_by("number"))
    if any(not block.moved for block in blocks):
        return
    if not blocks:
        store.remove(archive.name)
        archive.delete()
        return
    last = blocks[-1]
    if last.number + 1 != len(blocks) or archive.messages == 0:
        gaps = last.number + 1 != len(blocks) or last.offset + last.length != archive.size
        archive.messages = sum(block.messages for block in blocks)
        archive.save(update_fields=["messages"])
        if gaps:
            rewrite(archive)


def resume(service: Service, *, rest: Rest) -> int:
    """Finish what a killed process began; returns how many messages left the ledger by it."""
    for archive in Archive.objects.filter(service=service).exclude(spare=""):
        store.remove(archive.spare)
        if archive.name:
            Archive.objects.filter(pk=archive.pk, spare=archive.spare).update(spare="")
        else:
            archive.delete()
    moved = 0
    for archive in Archive.objects.filter(service=service, blocks__moved=False).distinct():
        moved += move(archive, rest=rest)
    return moved
