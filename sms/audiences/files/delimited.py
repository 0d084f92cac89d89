"""CSV in every form offices make: encoding and delimiter found from the content, rows read one by one.

Does not know numbers or headings. Called by `reading`. Memory stays at one record and a sample, whatever the file's size.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from sms.audiences.files.errors import AudienceError
from sms.audiences.files.findings import FileFindings
from sms.audiences.files.kinds import refuse_other_text
from sms.audiences.files.rows import Limits, RejectedRow, Row, Source, rejected
from sms.values.csv import MARK, armed
from sms.values.problems import ProblemCode
from sms.words import KeptSentence, gettext, gettext_noop

# csv refuses cells over 131,072 characters in the middle of a record, and this is its only (process-wide) switch. A longer cell must
# become one reject with its row, not the end of the file. What bounds memory instead is Limits.bytes.
csv.field_size_limit(2**31 - 1)

_LONG_RECORD = 100_000  # characters: no cell may have half as many
_BLOCK_LINES = 1000
_CHUNK = 1 << 16
_SAMPLE_CHARS = 100_000
_SAMPLE_ROWS = 200
_DELIMITERS = "\x1f\t;|,"  # in this order where all else is equal: a comma is also in decimals and names
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_LIKE_NUMBER = re.compile(r"\s*[\"'=(+]*\d[\d\s().+'\"-]{5,22}\s*")


def open_delimited(file: BinaryIO, *, limits: Limits) -> Source:
    """The rows of a delimited text. Numbers count records, as a spreadsheet shows them, not lines. `file` is seekable."""
    encoding = encoding_of(file)
    text = _decoded(file, encoding)
    sample = text.read(_SAMPLE_CHARS)
    refuse_other_text(sample[:4096])
    lines = list(io.StringIO(sample, newline=""))
    if len(sample) == _SAMPLE_CHARS and len(lines) > 1:
        lines.pop()  # cut in the middle
    text.detach()
    sep = _SEP_LINE.fullmatch(lines[0].lstrip(MARK)) if lines else None
    delimiter = sep[1] if sep else delimiter_of(lines)
    text = _decoded(file, encoding)
    if sep:
        text.readline()  # Excel obeys this line and does not show it, so it has no row number either
    findings = FileFindings(kind="CSV", encoding=encoding, delimiter=delimiter)
    return Source(rows=_records(text, delimiter=delimiter, limits=limits), findings=findings)


def _decoded(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    file.seek(0)
    # newline="" keeps line breaks as they are (csv needs that) and still ends lines at CR, LF and CRLF.
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


def encoding_of(file: BinaryIO) -> str:
    """The name of the encoding: by mark, by the zeros of UTF-16, UTF-8 where it holds, Windows-1252 where it does not."""
    file.seek(0)
    head = file.read(_CHUNK)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    # Digits, delimiters and line ends have a zero byte beside them in UTF-16, in any language.
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 10 > len(head) // 2 and min(even, odd) * 10 <= max(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8" if _is_utf8(file) else "cp1252"


def _is_utf8(file: BinaryIO) -> bool:
    """True also for UTF-8 with a few broken bytes, as pasted together from two sources: other rows must not suffer for them."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    broken = whole = 0
    while chunk := file.read(_CHUNK):
        text = decoder.decode(chunk)
        if not text.isascii():
            bad = text.count("\ufffd")
            broken += bad
            whole += len(text) - len(text.encode("ascii", "ignore")) - bad
    broken += len(decoder.decode(b"", final=True))
    return whole >= broken


def delimiter_of(lines: list[str]) -> str:
    """The character that cuts the sample into a table most plausibly. Where nothing should be cut, one that does not occur."""
    rows = {delimiter: _cut(lines, delimiter) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=lambda delimiter: _plausibility(rows[delimiter]))  # the first of equals


def _cut(lines: list[str], delimiter: str) -> list[list[str]]:
    return [row for row in islice(csv.reader(lines, delimiter=delimiter), _SAMPLE_ROWS) if any(row)]


def _plausibility(rows: list[list[str]]) -> float:
    """0 to 3: the shares of rows not wider than the headings, of rows that are cut at all, and of rows with a number in a cell."""
    if not rows:
        return 3.0  # delimiters and nothing else
    # Empty cells at the end say nothing: Excel pads rows with them, other programs leave them out.
    widths = [max(at for at, cell in enumerate(row, 1) if cell) for row in rows]
    fits = sum(width <= widths[0] for width in widths)
    cuts = sum(len(row) > 1 for row in rows)
    numbers = sum(any(map(_LIKE_NUMBER.fullmatch, row)) for row in rows)
    return (fits + cuts + numbers) / len(rows)


class _Lines:
    """Lines for csv, with the lines of the current record kept, so that a broken record can be read again from its second line.

    Of a record that is longer than any cell may be, csv gets the lines with a quotation mark alone, since only those can end it, and the
    others are kept as text: a file whose first mark is never closed took sixty times its size.
    """

    def __init__(self, text: io.TextIOWrapper, *, patience: int) -> None:
        self.record: list[str] = []  # its lines, up to LONG_RECORD
        self._blocks: list[str] = []  # the lines behind them
        self._loose: list[str] = []  # the last of those, not in a block yet
        self._length = 0  # characters of the record
        self._text = text
        self._again: deque[Iterator[str]] = deque()
        self._patience = patience
        self._first_broken = 0

    def begin(self) -> None:
        """A record."""
        self.record.clear()
        self._blocks.clear()
        self._loose.clear()
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._following()
        while self._length > _LONG_RECORD:
            self._loose.append(line)
            self._length += len(line)
            if len(self._loose) == _BLOCK_LINES:
                self._blocks.append("".join(self._loose))
                self._loose.clear()
            if '"' in line:
                break
            line = self._following()
        else:
            self.record.append(line)
            self._length += len(line)
        # Zeros pad the cells of some databases' exports. They show nowhere and PostgreSQL cannot keep them.
        return line.replace("\0", "") if "\0" in line else line

    def _following(self) -> str:
        while self._again:
            for line in self._again[0]:
                return line
            self._again.popleft()
        return next(self._text)

    def give_back(self, number: int) -> str:
        """All but the first line of the current record, the `number`th, will come again. Returns the first."""
        first, *others = self.record
        blocks = [*self._blocks, "".join(self._loose)]
        self._again.appendleft(line for block in blocks for line in io.StringIO(block, newline=""))
        self._again.appendleft(iter(others))
        self._first_broken = self._first_broken or number
        # Each broken record may re-read up to the whole rest; without an end to patience a crafted file takes hours.
        self._patience -= self._length - len(first)
        if self._patience < 0:
            says = gettext(_TOO_MANY_BROKEN.text) % {"row": self._first_broken}
            raise AudienceError(ProblemCode.BROKEN_QUOTES, says)
        return first


_TOO_MANY_BROKEN = KeptSentence(
    gettext_noop(
        "The quotation marks in this file do not pair up in too many rows, first in row %(row)s. "
        "Save it again as CSV or XLSX from a spreadsheet."
    )
)
_BROKEN_ROW = gettext_noop(
    "The quotation marks of this row do not pair up, so its cells cannot be separated. Double those inside a cell."
)


def _records(text: io.TextIOWrapper, *, delimiter: str, limits: Limits) -> Iterator[Row | RejectedRow]:
    lines = _Lines(text, patience=4 * limits.bytes)
    # Strict: the lenient reading of an unclosed quotation mark swallows the rows that follow into one cell, and one
    # recipient would be sent the others' data.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    record = lines.record
    number = 0
    try:
        while True:
            lines.begin()
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield _broken(number, lines.give_back(number))
            else:
                # what a file of ours has before a cell that a spreadsheet would run
                yield number, list(map(armed, cells)) if "'" in record[0] or len(record) > 1 else cells
    finally:
        text.detach()  # or the caller's file is closed with our wrapper


def _broken(number: int, line: str) -> RejectedRow:
    return rejected(number, line, ProblemCode.BROKEN_QUOTES, _BROKEN_ROW)
