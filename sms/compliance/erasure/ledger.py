"""Messages of the number, in the ledger and in archives, with their receipts, clicks and echoes."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from sms.compliance import archive
from sms.compliance.erasure.naming import Subject, ids_naming
from sms.compliance.retention.messages import shorten_of
from sms.models import UNFINISHED, Archive, Echo, Message, Send, SendKeeping
from sms.models.message import OPEN
from sms.models.sql import id_list
from sms.values.msisdn.hidden import ERASED, MARK

AT_ONCE = 500
FEW = 20  # recipients


# what is on its way is never changed, also where it was created after an erasure began; and what approvers agreed to is compared
# until all of it has gone
ON_ITS_WAY = Q(state__in=OPEN) | Q(send__approvers__gt=0, send__state__in=UNFINISHED)


def messages(subject: Subject) -> "QuerySet[Message]":
    return Message.objects.filter(send__service=subject.service, msisdn__in=subject.forms)


def erase_messages(subject: Subject) -> int:
    """What stays is that a message was sent, when, its cost and its outcome."""
    done = _erase(_as_written(subject))
    while True:
        ended = messages(subject).exclude(ON_ITS_WAY)
        ids = list(ended.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
        if not ids:
            return done
        done += _erase(ids)


def _as_written(subject: Subject) -> list[int]:
    """Messages that a partner asked for with something that is no number, and that failed at once: as it was written, it may name it."""
    rows = Message.objects.filter(send__service=subject.service).order_by()
    rows = rows.exclude(msisdn__startswith="+").exclude(msisdn__startswith=MARK).exclude(ON_ITS_WAY)
    return ids_naming(rows, "msisdn", subject)


def _erase(ids: Sequence[int]) -> int:
    wanted = id_list.among(ids)
    with transaction.atomic():
        # the digest of so few people could be found by trying all numbers; sends before messages, as everything locks them
        few = Send.objects.filter(
            pk__in=Message.objects.filter(pk__in=ids).values("send_id"), recipients__lte=FEW
        )
        sends = list(few.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        Send.objects.filter(pk__in=sends).update(audience_digest="", file_sha256="")
        list(Message.objects.select_for_update().filter(pk__in=wanted).order_by("pk").values_list("pk"))
        shorten_of(ids)
        Echo.objects.filter(message_id__in=wanted).delete()
        rows = Message.objects.filter(pk__in=wanted)
        return rows.update(msisdn=ERASED, text="", substitutions={}, detail="")


def archives(subject: Subject) -> list[Archive]:
    """Archives that hold the number, in any recipient's message. Reads every block. Raises ArchiveError."""
    found = []
    for one in Archive.objects.filter(service=subject.service).exclude(name="").order_by("pk"):
        blocks = one.blocks.filter(moved=True).order_by("number")
        if any(_holds(subject, row) for block in blocks for row in archive.rows_of(one, block)):
            found.append(one)
    return found


def erase_archives(subject: Subject) -> int:
    """Write files that hold it again, with new keys and checksums; returns how many rows changed."""
    return sum(archive.rewrite(one, partial(_without, subject)) for one in archives(subject))


def _holds(subject: Subject, row: archive.ArchivedMessage) -> bool:
    return row.msisdn in subject.forms or _says(subject, row)


def _says(subject: Subject, row: archive.ArchivedMessage) -> bool:
    mention = subject.mention
    texts = (row.text, row.detail, *(row.echo or ()), *map(str, row.substitutions.values()))
    said = any(text and mention.found(text) for text in texts)
    return said or any(archive.in_raw(one.raw, mention) for one in row.receipts)


def _without(subject: Subject, row: archive.ArchivedMessage) -> archive.ArchivedMessage:
    if row.msisdn in subject.forms:
        return archive.erased(row)
    return archive.silent(row, subject.mention) if _says(subject, row) else row


def held(subject: Subject) -> int:
    rows = archive.to_number(subject.service, subject.e164) if archive.has(subject.service) else []
    sends = {*messages(subject).values_list("send_id", flat=True), *(row.send_id for row in rows)}
    return SendKeeping.objects.filter(pk__in=id_list.among(sends), held_at__isnull=False).count()
