"""Opening a file of recipients, whatever kind it is: `stream` reads it row by row, `read` collects it."""

import io
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Unpack

from sms.audiences.files.archive import ZippedWorkbook
from sms.audiences.files.choices import AS_SEEN
from sms.audiences.files.delimited import open_delimited
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.findings import FileFindings
from sms.audiences.files.kinds import kind_of
from sms.audiences.files.reading import AudienceReader, first_headings
from sms.audiences.files.rows import (
    BLOCK,
    SMALL,
    Audience,
    Limits,
    ReadOptions,
    Recipient,
    RejectedRow,
    RowBlock,
    Source,
    amount,
)
from sms.audiences.files.workbook import open_workbook
from sms.values.problems import ProblemCode
from sms.words import KeptSentence, gettext, gettext_noop

_TOO_LARGE = KeptSentence(
    gettext_noop("%(file)s has %(size)s; the most is %(most)s. Split it into smaller files.")
)


def stream(file: BinaryIO, *, name: str, **options: Unpack[ReadOptions]) -> AudienceReader:
    """Open a file of recipients.

    `name` is only for people; what the file is, its content says. The caller keeps `file` open while iterating and closes it.
    Raises `AudienceError`, also while iterating.
    """
    limits = options.get("limits") or Limits()
    # kinds and encodings are found by reading twice; a pipe is not copied beyond the limit
    if not file.seekable():
        file = io.BytesIO(file.read(limits.bytes + 1))
    size = file.seek(0, io.SEEK_END)
    if size > limits.bytes:
        facts = {"file": name or gettext("This file"), "size": amount(size), "most": amount(limits.bytes)}
        raise AudienceError(ProblemCode.TOO_LARGE, gettext(_TOO_LARGE.text) % facts)
    choices = options.get("choices") or AS_SEEN
    return AudienceReader(
        _source(file, country=options["country"], limits=limits, sheet=choices.sheet), **options
    )


def refuse_other_kind(file: BinaryIO, *, limits: Limits) -> None:
    """`AudienceError` where the content is plainly no table, whatever the name says. Reads no rows."""
    kind = kind_of(file)
    if kind == "zip":
        ZippedWorkbook(file, limits=limits)
    elif kind == "text":
        open_delimited(file, limits=limits)


def headings_of(file: BinaryIO, *, country: str, limits: Limits) -> list[str]:
    """The cells of the row that holds the headings, as it is found without any choice. Raises `AudienceError`."""
    source = _source(file, country=country, limits=limits)
    try:
        return first_headings(source, country=country)
    finally:
        if isinstance(source.rows, Generator):
            source.rows.close()


def read(file: BinaryIO, *, name: str, **options: Unpack[ReadOptions]) -> Audience:
    return collected(stream(file, name=name, **options))


def collected(reading: AudienceReader) -> Audience:
    recipients: list[Recipient] = []
    rejects: list[RejectedRow] = []
    for item in reading:
        if isinstance(item, RejectedRow):
            rejects.append(item)
        else:
            recipients.append(item)
    assert reading.rows_read == len(recipients) + len(rejects), "a row was dropped"
    return Audience(reading.headings, reading.column, recipients, rejects, reading.findings)


@dataclass(frozen=True, slots=True)
class Streamed:
    """A large file as an audience: it is read again each time, so memory holds one block and the numbers seen."""

    headings: list[str]
    column: str
    findings: FileFindings | None
    open: Callable[[], AudienceReader]

    def blocks(self) -> Iterator[RowBlock]:
        reading = self.open()
        try:
            rows = iter(reading)
            while items := list(islice(rows, BLOCK)):
                kept = [one for one in items if isinstance(one, Recipient)]
                yield RowBlock(kept, [one for one in items if isinstance(one, RejectedRow)])
        finally:
            reading.close()


def by_size(begin: Callable[[], AudienceReader], *, size: int) -> Audience | Streamed:
    """All of a small file (`size` in bytes), a large one as a stream. `begin` starts to read it. Raises AudienceError."""
    reading = begin()
    if size <= SMALL:
        return collected(reading)
    reading.close()
    return Streamed(reading.headings, reading.column, reading.findings, begin)


def _source(file: BinaryIO, *, country: str, limits: Limits, sheet: str = "") -> Source:
    kind = kind_of(file)
    if kind != "text":
        return open_workbook(file, kind=kind, country=country, limits=limits, sheet=sheet)
    if sheet:
        says = gettext("This file is a text and has no sheets. Leave the sheet out, or give a workbook.")
        raise AudienceError(ProblemCode.NEEDS_ANOTHER, says, field="sheet")
    return open_delimited(file, limits=limits)
