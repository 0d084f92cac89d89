"""What is compressed or a file within the database: audiences, uploads, report files."""

import hashlib
import io
import zipfile
import zlib
from array import array
from collections.abc import Iterable, Iterator

from django.db import transaction

from sms import chunks, saved
from sms.archive import in_values
from sms.erasure.subject import Subject
from sms.models import AudienceChunk, AudienceVersion, Draft, Preparation, ReportFile, ReportPart, Upload

LARGEST = 200_000_000  # bytes of one unpacked sheet


def erase_audiences(subject: Subject) -> int:
    """The person's rows in every version, and rejected rows; other rows that name the number lose it. Returns rows changed."""
    changed = 0
    for version in AudienceVersion.objects.filter(service=subject.service).order_by("pk"):
        here = _erase_rejects(version, subject)
        for pk in list(version.chunks.order_by("place").values_list("pk", flat=True)):
            here += _erase_chunk(pk, subject)
        if here:
            _told_anew(version)
        changed += here
    return changed


def _erase_chunk(pk: int, subject: Subject) -> int:
    with transaction.atomic():
        chunk = AudienceChunk.objects.select_for_update().get(pk=pk)
        number, mention = int(subject.e164[1:]), subject.mention
        numbers, before = _numbers(chunk), chunks.rows_of(chunk)
        kept = [
            (one, (row, in_values(cells, mention), warning))
            for one, (row, cells, warning) in zip(numbers, before, strict=True)
            if one != number
        ]
        rejects = chunks.rejects_of(chunk)
        good = [
            (bad.row, bad.value, bad.code, bad.reason, list(bad.cells))
            for bad in rejects
            if not _named((bad.value, *bad.cells), subject)
        ]
        after = [row for _, row in kept]
        if after == before and len(good) == len(rejects):
            return 0
        # an empty chunk stays: rows are read from place to place
        AudienceChunk.objects.filter(pk=pk).update(
            count=len(kept),
            numbers=array("Q", [one for one, _ in kept]).tobytes(),
            rows=chunks.packed(after),
            rejected=len(good),
            rejects=chunks.packed(good) if good else b"",
        )
        same = {row[0]: row for row in before}
        silenced = sum(same[row[0]] != row for row in after)
        return len(before) - len(after) + silenced + len(rejects) - len(good)


def _erase_rejects(version: AudienceVersion, subject: Subject) -> int:
    rejects = saved.rejects_of(version)
    good = [bad for bad in rejects if not _named((bad.value, *bad.cells), subject)]
    if len(good) < len(rejects):
        AudienceVersion.objects.filter(pk=version.pk).update(rejects=chunks.packed(good) if good else b"")
    return len(rejects) - len(good)


def _told_anew(version: AudienceVersion) -> None:
    """Digests of what it holds now; a draft that is made of it is checked again."""
    digest = chunks.Digest()
    for block in chunks.Kept(version).blocks():
        digest.add(block.recipients)
    AudienceVersion.objects.filter(pk=version.pk).update(digest=str(digest))
    drafts = Draft.objects.filter(version=version, send=None)
    Preparation.objects.filter(draft__in=drafts).delete()


def _named(texts: Iterable[str], subject: Subject) -> bool:
    return any(subject.mention.found(text) for text in texts)


def _numbers(chunk: AudienceChunk) -> "array[int]":
    numbers = array("Q")
    numbers.frombytes(bytes(chunk.numbers))
    return numbers


def left_in_audiences(subject: Subject) -> int:
    """Versions that hold it."""
    return sum(
        _holds(version, subject) for version in AudienceVersion.objects.filter(service=subject.service)
    )


def _holds(version: AudienceVersion, subject: Subject) -> bool:
    number, mention = int(subject.e164[1:]), subject.mention
    if any(_named((bad.value, *bad.cells), subject) for bad in saved.rejects_of(version)):
        return True
    return any(
        number in _numbers(chunk)
        or any(in_values(cells, mention) != cells for _, cells, _ in chunks.rows_of(chunk))
        or any(_named((bad.value, *bad.cells), subject) for bad in chunks.rejects_of(chunk))
        for chunk in version.chunks.order_by("place").iterator(chunk_size=10)
    )


def erase_preparations(subject: Subject) -> int:
    """Figures of checks that name it: they are made again when their draft is opened."""
    gone = Preparation.objects.filter(pk__in=_preparations(subject)).exclude(state=Preparation.State.WAITING)
    return gone.delete()[0]


def left_in_preparations(subject: Subject) -> int:
    """Checks that hold it."""
    return len(_preparations(subject))


def _preparations(subject: Subject) -> list[int]:
    rows = Preparation.objects.filter(service=subject.service).values_list("pk", "partial", "result")
    return [
        pk
        for pk, *packed in rows.iterator(chunk_size=100)
        if any(needle in _plain(bytes(one)) for one in packed for needle in subject.needles)
    ]


def _plain(content: bytes) -> bytes:
    try:
        return zlib.decompress(content)
    except zlib.error:
        return content


def erase_uploads(subject: Subject) -> tuple[int, int]:
    """Files whose lines were taken out, and files that were deleted because that cannot be done to them: workbooks."""
    mended = deleted = 0
    for pk in _uploads(subject):
        with transaction.atomic():
            upload = Upload.objects.select_for_update().get(pk=pk)
            content = _without_lines(bytes(upload.content), subject)
            if content is None:
                Draft.objects.filter(upload=upload).update(upload=None)
                upload.delete()
                deleted += 1
                continue
            digest = hashlib.sha256(content).hexdigest()
            Upload.objects.filter(pk=pk).update(content=content, size=len(content), sha256=digest)
            mended += 1
    return mended, deleted


def left_in_uploads(subject: Subject) -> int:
    """Files that hold it."""
    return sum(1 for _ in _uploads(subject))


def _uploads(subject: Subject) -> Iterator[int]:
    for pk in list(Upload.objects.filter(service=subject.service).values_list("pk", flat=True)):
        content = Upload.objects.filter(pk=pk).values_list("content", flat=True).first()
        if content is not None and any(subject.mention.found(text) for text in _texts(bytes(content))):
            yield pk


def _texts(content: bytes) -> Iterator[str]:
    """What can be read in a file: a workbook's sheets and strings, or the text that it is."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        yield _decoded(content)[0]
        return
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for part in book.infolist():
            if part.filename.endswith((".xml", ".rels", ".csv", ".txt")) and part.file_size < LARGEST:
                yield book.read(part).decode("utf-8", "replace")


def _decoded(content: bytes) -> tuple[str, str]:
    """Text, and the encoding that gives the very bytes back."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace"), "utf-16"
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def _without_lines(content: bytes, subject: Subject) -> bytes | None:
    """A text file without the lines that name the number; None where lines are not rows: workbooks, and cells over several lines."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        return None
    text, encoding = _decoded(content)
    kept = []
    for line in text.splitlines(keepends=True):
        if not subject.mention.found(line):
            kept.append(line)
        elif line.count('"') % 2:
            return None
    after = "".join(kept)
    return None if subject.mention.found(after) else after.encode(encoding, "replace")


def erase_reports(subject: Subject) -> int:
    """Report files that name it go as a whole; they are kept for a week only, and made again in a minute."""
    files = set(_report_files(subject))
    return ReportFile.objects.filter(pk__in=files).delete()[1].get("sms.ReportFile", 0) if files else 0


def left_in_reports(subject: Subject) -> int:
    """Report files that hold it."""
    return len(set(_report_files(subject)))


def _report_files(subject: Subject) -> Iterator[int]:
    parts = ReportPart.objects.filter(file__service=subject.service).order_by("pk")
    for file_id, content in parts.values_list("file_id", "content").iterator(chunk_size=20):
        plain = zlib.decompress(bytes(content))
        if any(needle in plain for needle in subject.needles):
            yield file_id
