"""Files that people gave: lines that name the number are taken out of text, and workbooks, of which none can be, go as a whole."""

import hashlib
import io
import zipfile
from collections.abc import Iterator

from django.db import transaction
from django.utils.translation import gettext_noop

from sms.audiences.files import AudienceError, rows_of_workbook
from sms.compliance.erasure.naming import Subject
from sms.models import AudienceChunk, AudienceVersion, Draft, Preparation, Upload
from sms.models.sql.clock import corrected_now

LARGEST = 200_000_000  # bytes of one unpacked worksheet
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
GONE = gettext_noop(
    "Its file held a number that was erased, and was deleted with it. Upload a file without that number."
)


def erase_uploads(subject: Subject) -> tuple[int, int]:
    """Files whose lines were taken out, and files that were deleted because that cannot be done to them."""
    mended = deleted = 0
    for pk in list(uploads(subject)):
        with transaction.atomic():
            upload = Upload.objects.select_for_update().get(pk=pk)
            content = _without_lines(bytes(upload.content), subject)
            _restart_reading(upload, there=content is not None)
            if content is None:
                Draft.objects.filter(upload=upload).update(upload=None)
                upload.delete()
                deleted += 1
                continue
            digest = hashlib.sha256(content).hexdigest()
            Upload.objects.filter(pk=pk).update(content=content, size=len(content), sha256=digest)
            mended += 1
    return mended, deleted


def _restart_reading(upload: Upload, *, there: bool) -> None:
    """A reading that was stopped half-way counted rows of the file as it was: it begins again, or fails with a reason."""
    for version in AudienceVersion.objects.filter(upload=upload, ready_at=None):
        AudienceChunk.objects.filter(version=version).delete()
        AudienceVersion.objects.filter(pk=version.pk).update(recipients=0, rejected=0)
        for found in Preparation.objects.filter(version=version):
            kept = {name: value for name, value in found.cursor.items() if name in ("limits", "pasted")}
            over = (
                {}
                if there
                else {"state": Preparation.State.FAILED, "trouble": GONE, "ended_at": corrected_now()}
            )
            Preparation.objects.filter(pk=found.pk).update(cursor=kept, rows=0, done=0, **over)


def uploads(subject: Subject) -> Iterator[int]:
    for pk in list(Upload.objects.filter(service=subject.service).values_list("pk", flat=True)):
        content = Upload.objects.filter(pk=pk).values_list("content", flat=True).first()
        if content is not None and any(subject.mention.found(text) for text in texts_of(bytes(content))):
            yield pk


def is_workbook(content: bytes) -> bool:
    return content.startswith(OLD_WORKBOOK) or zipfile.is_zipfile(io.BytesIO(content))


def texts_of(content: bytes) -> Iterator[str]:
    """What can be read in a file: a workbook's cells and strings, or the text that it is."""
    if content.startswith(OLD_WORKBOOK):
        try:
            yield "\n".join(cell for cells in rows_of_workbook(content) for cell in cells)
        except AudienceError:  # unreadable; strings are searched for in its bytes
            yield content.decode("latin-1")
            yield content.decode("utf-16-le", "replace")
    elif not zipfile.is_zipfile(io.BytesIO(content)):
        yield _decoded(content)[0]
    else:
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            for part in zipped.infolist():
                if part.filename.endswith((".xml", ".rels", ".csv", ".txt")) and part.file_size < LARGEST:
                    yield zipped.read(part).decode("utf-8", "replace")


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
    if is_workbook(content):
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
