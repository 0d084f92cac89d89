"""What is compressed within the database: audiences, figures of checks, report files. Files that people gave are in `uploads`."""

import zlib
from array import array
from collections.abc import Iterator

import msgspec
from django.db import transaction
from django.db.models import Q

from sms.audiences import storage
from sms.audiences.files import RejectedRow
from sms.compliance.archive import in_values
from sms.compliance.erasure.naming import Subject, says
from sms.compliance.erasure.uploads import texts_of
from sms.models import AudienceChunk, AudienceVersion, Draft, Preparation, ReportFile

LONGEST = 200  # bytes over which a number may be written


def erase_audiences(subject: Subject) -> int:
    """The person's rows in every version, and rejected rows; other rows that name the number lose it. Returns rows changed."""
    changed = 0
    for version in AudienceVersion.objects.filter(service=subject.service).order_by("pk"):
        here = _erase_rejects(version, subject)
        for pk in list(version.chunks.order_by("place").values_list("pk", flat=True)):
            here += _erase_chunk(pk, subject)
        if here:
            _renew_digest(version)
        changed += here
    return changed


def _erase_chunk(pk: int, subject: Subject) -> int:
    with transaction.atomic():
        chunk = AudienceChunk.objects.select_for_update().get(pk=pk)
        number, mention = int(subject.e164[1:]), subject.mention
        numbers, before = storage.numbers_of(chunk), storage.rows_of(chunk)
        kept = [
            (one, row._replace(cells=in_values(row.cells, mention)))
            for one, row in zip(numbers, before, strict=True)
            if one != number
        ]
        rejects = storage.rejects_of(chunk)
        good = [bad for bad in rejects if not _names(bad, subject)]
        after = [row for _, row in kept]
        if after == before and len(good) == len(rejects):
            return 0
        # an empty chunk stays: rows are read from place to place
        AudienceChunk.objects.filter(pk=pk).update(
            count=len(kept),
            numbers=array("Q", [one for one, _ in kept]).tobytes(),
            rows=storage.packed(after),
            rejected=len(good),
            rejects=storage.packed(good) if good else b"",
        )
        same = {row.row: row for row in before}
        silenced = sum(same[row.row] != row for row in after)
        return len(before) - len(after) + silenced + len(rejects) - len(good)


def _erase_rejects(version: AudienceVersion, subject: Subject) -> int:
    rejects = storage.rejects_of(version)
    good = [bad for bad in rejects if not _names(bad, subject)]
    if len(good) < len(rejects):
        AudienceVersion.objects.filter(pk=version.pk).update(rejects=storage.packed(good) if good else b"")
    return len(rejects) - len(good)


def _renew_digest(version: AudienceVersion) -> None:
    """Digests of what it holds now; a draft that is made of it is checked again."""
    digest = storage.Digest()
    for block in storage.StoredAudience(version).blocks():
        digest.add(block.recipients)
    AudienceVersion.objects.filter(pk=version.pk).update(digest=str(digest))
    drafts = Draft.objects.filter(version=version, send=None)
    Preparation.objects.filter(draft__in=drafts).delete()


def _names(bad: RejectedRow, subject: Subject) -> bool:
    return any(subject.mention.found(text) for text in (bad.value, *bad.cells))


def left_in_audiences(subject: Subject) -> int:
    versions = AudienceVersion.objects.filter(service=subject.service)
    return sum(_holds(version, subject) for version in versions)


def _holds(version: AudienceVersion, subject: Subject) -> bool:
    number, mention = int(subject.e164[1:]), subject.mention
    if any(_names(bad, subject) for bad in storage.rejects_of(version)):
        return True
    return any(
        number in storage.numbers_of(chunk)
        or any(in_values(row.cells, mention) != row.cells for row in storage.rows_of(chunk))
        or any(_names(bad, subject) for bad in storage.rejects_of(chunk))
        for chunk in version.chunks.order_by("place").iterator(chunk_size=10)
    )


def erase_preparations(subject: Subject) -> int:
    """Figures of checks that name it, made again when their draft is opened; and checks under way, whose rows were read before."""
    checks = Preparation.objects.filter(service=subject.service, kind=Preparation.Kind.CHECK)
    here = checks.filter(Q(pk__in=preparations(subject)) | Q(state=Preparation.State.WAITING))
    return here.delete()[0]


def preparations(subject: Subject) -> list[int]:
    rows = Preparation.objects.filter(service=subject.service).values_list("pk", "partial", "result")
    return [
        pk
        for pk, *packed in rows.iterator(chunk_size=100)
        if any(says(msgspec.msgpack.decode(bytes(one)), subject) for one in packed if one)
    ]


def erase_reports(subject: Subject) -> int:
    """Report files that name it go as a whole, and so do those that are being written: they are made again in a minute."""
    files = set(report_files(subject))
    being_made = Q(ready_at=None, cancelled_at=None, failed="", done__gt=0)
    rows = ReportFile.objects.filter(Q(pk__in=files) | being_made, service=subject.service)
    return rows.delete()[1].get("sms.ReportFile", 0)


def report_files(subject: Subject) -> Iterator[int]:
    for file in ReportFile.objects.filter(service=subject.service).order_by("pk"):
        parts = (
            zlib.decompress(bytes(part))
            for part in file.parts.order_by("number").values_list("content", flat=True).iterator(chunk_size=1)
        )
        if file.kind == ReportFile.Kind.XLSX:  # read as a whole only
            parts = (text.encode() for text in texts_of(b"".join(parts)))
        before = b""
        for part in parts:
            if subject.mention.found((before + part).decode("utf-8", "replace")):
                yield file.pk
                break
            before = part[-LONGEST:]
