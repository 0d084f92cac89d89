"""From a file to recipients and rejects, one row at a time.

`stream` is the walk, `read` collects it. Knows the rules for rows; how a file is opened is `delimited`'s and `workbook`'s, which column
counts is `columns`'s, what a number is `sms.values.msisdn`'s.
"""

import io
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO

from msgspec.structs import replace

from sms.audiences.files.columns import Columns, find_columns
from sms.audiences.files.delimited import open_delimited
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.kinds import kind_of
from sms.audiences.files.rows import (
    BLOCK,
    SMALL,
    Audience,
    Limits,
    Recipient,
    RejectedRow,
    Row,
    RowBlock,
    Source,
    amount,
    shortened,
)
from sms.audiences.files.workbook import open_workbook
from sms.values import msisdn

_SAMPLE_ROWS = 200
_COLUMNS = 16_384  # a spreadsheet has no more
_TEXT_FORMULA = re.compile(
    r'\s*="((?:[^"]|"")*)"\s*', re.DOTALL
)  # how exports keep Excel from turning digits into a float
_DATE = re.compile(r"(?:\d{1,2}([/.-])\d{1,2}\1(?:\d{2}|\d{4})|\d{4}([/.-])\d{1,2}\2\d{1,2})(?:[T ][\d:.]+)?")
_ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)


class AudienceReader:
    """An audience under way: headings are known, rows come while iterating (once).

    `rows_read` counts those that were yielded; `height` is how many there will be at most, 0 where that is not known.
    """

    def __init__(
        self, source: Source, *, country: str, column: str | None, limits: Limits, allow_duplicates: bool
    ) -> None:
        self.rows_read = 0
        self.height = source.height
        self._source = source
        self._country = country
        self._limits = limits
        # First row of each number, without its plus: an int takes half of the memory of the text.
        self._seen: dict[int, int] | None = None if allow_duplicates else {}
        try:
            self._columns, self._rows = self._opened(source, column)
        except AudienceError:
            self.close()
            raise
        self.headings = self._columns.headings
        self.column = self._columns.names[self._columns.at]

    def close(self) -> None:
        """Let go of the file, for whoever does not walk to the end."""
        if isinstance(self._source.rows, Generator):
            self._source.rows.close()

    def __iter__(self) -> Iterator[Recipient | RejectedRow]:
        """Each row that has a filled cell, as what it became."""
        most = self._limits.rows
        for item in self._rows:
            self.rows_read += 1
            if self.rows_read > most:
                raise AudienceError(
                    "too_many_rows",
                    f"This file has more than {most:,} rows, the most this desk takes at once. Split it into smaller files.",
                )
            if isinstance(item, RejectedRow):
                yield item
                continue
            judged = self._judged(*item)
            yield replace(judged, cells=self._cells(item[1])) if isinstance(judged, RejectedRow) else judged

    def _cells(self, cells: list[str]) -> list[str]:
        """Those under a heading. One that is too long stays too long, and no longer than that."""
        names, most = self._columns.names, self._limits.cell + 1
        padded = [*cells, *[""] * (len(names) - len(cells))]
        return [_plain(cell[:most]) for name, cell in zip(names, padded, strict=False) if name]

    def _opened(self, source: Source, column: str | None) -> tuple[Columns, Iterator[Row | RejectedRow]]:
        """Look at the first rows to find the columns, then put them back in front."""
        rows = _filled(source.rows)
        first: list[Row | RejectedRow] = []
        for item in rows:
            first.append(item)
            if len(first) > _SAMPLE_ROWS:
                break
        if not first:
            raise AudienceError(
                "empty", "There is nothing in this file. Upload one that holds at least one number."
            )
        if isinstance(first[0], RejectedRow):
            raise AudienceError(
                "broken_quotes",
                "The quotation marks of the first row do not pair up, so the headings cannot be read. Correct that row and try again.",
            )
        if len(first[0][1]) > _COLUMNS:
            raise AudienceError(
                "too_many_cells",
                f"The first row has {len(first[0][1]):,} cells; the most is {_COLUMNS:,}. Save the table alone as CSV or XLSX.",
            )
        sample = [_short(item[1], self._limits.cell) for item in first if not isinstance(item, RejectedRow)]
        columns = find_columns(
            sample,
            column=column,
            reads_as_number=self._reads_as_number,
            place=source.place,
            may_be_headed=source.headed,
        )
        return columns, chain(first[1:] if columns.headed else first, rows)

    def _reads_as_number(self, cell: str) -> bool:
        """For finding the column. Dates, years and order numbers can be possible numbers too, but short ones."""
        try:
            found = self._parsed(cell)
        except (msisdn.BadNumber, _BadCell):
            return False
        return not found.warning or len(found.e164) > 10

    def _parsed(self, cell: str) -> msisdn.Msisdn:
        cell = _number(cell)
        found = msisdn.parse(cell, country=self._country)
        if found.warning and _DATE.fullmatch(cell):
            raise _BadCell("date", "The cell holds a date instead of a number.")
        return found

    def _judged(self, row: int, cells: list[str]) -> Recipient | RejectedRow:
        columns, limit = self._columns, self._limits.cell
        value = cells[columns.at] if columns.at < len(cells) else ""
        if len(max(cells, key=len)) > limit:
            return self._too_long(row, cells, value)
        if len(cells) > len(columns.names) and any(map(str.strip, cells[len(columns.names) :])):
            return RejectedRow(
                row=row,
                value=shortened(value),
                code="too_many_cells",
                reason=f"This row has {len(cells)} cells but there are {len(columns.names)} columns, so they may have shifted. "
                "Put a cell that holds the delimiter in quotation marks.",
            )
        try:
            found = self._parsed(value)
            substitutions = self._substitutions(cells)
        except (msisdn.BadNumber, _BadCell) as bad:
            return RejectedRow(row=row, value=shortened(value), code=bad.code, reason=str(bad))
        if self._seen is not None:
            before = self._seen.setdefault(int(found.e164[1:]), row)
            if before != row:
                reason = f"The same number is already in row {before}."
                return RejectedRow(row=row, value=shortened(value), code="duplicate", reason=reason)
        return Recipient(row=row, msisdn=found.e164, substitutions=substitutions, warning=found.warning)

    def _substitutions(self, cells: list[str]) -> dict[str, str]:
        """The filled cells by heading. A formula's error counts as not filled: nobody wants to send #N/A."""
        substitutions = {}
        for at, (name, cell) in enumerate(zip(self._columns.names, cells, strict=False)):
            if cell and name and at != self._columns.at:
                cell = _plain(cell)
                if "\ufffd" in cell:
                    raise _BadCell(
                        "broken_text",
                        f"The cell under “{shortened(name)}” holds a character that cannot be read.",
                    )
                if cell and cell not in _ERRORS:
                    substitutions[name] = cell
        return substitutions

    def _too_long(self, row: int, cells: list[str], value: str) -> RejectedRow:
        at = next(at for at, cell in enumerate(cells) if len(cell) > self._limits.cell)
        name = self._columns.names[at] if at < len(self._columns.names) else ""
        return RejectedRow(
            row=row,
            value=shortened(value),
            code="cell_too_long",
            reason=f"The cell under “{shortened(name) or at + 1}” holds {len(cells[at]):,} characters; "
            f"the most is {self._limits.cell:,}.",
        )


class _BadCell(ValueError):
    """A cell that keeps its row from being sent to."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def stream(
    file: BinaryIO,
    *,
    name: str,
    country: str,
    column: str | None = None,
    limits: Limits | None = None,
    allow_duplicates: bool = False,
) -> AudienceReader:
    """Open a file of recipients. `country` (ISO, "" for none) is for numbers written without one.

    `name` is only for people; what the file is, its content says. The caller keeps `file` open while iterating and closes it.
    Raises `AudienceError`, also while iterating.
    """
    limits = limits or Limits()
    file = _seekable(file, limits)
    size = file.seek(0, io.SEEK_END)
    if size > limits.bytes:
        raise AudienceError(
            "too_large",
            f"{name or 'This file'} has {amount(size)}; the most is {amount(limits.bytes)}. Split it into smaller files.",
        )
    kind = kind_of(file)
    source = (
        open_delimited(file, limits=limits)
        if kind == "text"
        else open_workbook(file, kind=kind, country=country, limits=limits)
    )
    return AudienceReader(
        source, country=country, column=column or None, limits=limits, allow_duplicates=allow_duplicates
    )


def first_row(file: BinaryIO, *, country: str, limits: Limits) -> list[str]:
    """The cells of the first row that has any, which are the headings where there are some. Raises `AudienceError`."""
    kind = kind_of(file)
    source = (
        open_delimited(file, limits=limits)
        if kind == "text"
        else open_workbook(file, kind=kind, country=country, limits=limits)
    )
    first = next(_filled(source.rows), None)
    if isinstance(source.rows, Generator):
        source.rows.close()
    return [] if first is None or isinstance(first, RejectedRow) else [cell.strip() for cell in first[1]]


def read(
    file: BinaryIO,
    *,
    name: str,
    country: str,
    column: str | None = None,
    limits: Limits | None = None,
    allow_duplicates: bool = False,
) -> Audience:
    """All of a file at once; see `stream`."""
    return collected(
        stream(
            file, name=name, country=country, column=column, limits=limits, allow_duplicates=allow_duplicates
        )
    )


def collected(reading: AudienceReader) -> Audience:
    """The rest of a reading as an audience."""
    recipients: list[Recipient] = []
    rejects: list[RejectedRow] = []
    for item in reading:
        if isinstance(item, RejectedRow):
            rejects.append(item)
        else:
            recipients.append(item)
    assert reading.rows_read == len(recipients) + len(rejects), "a row was dropped"
    return Audience(headings=reading.headings, column=reading.column, recipients=recipients, rejects=rejects)


@dataclass(frozen=True, slots=True)
class Streamed:
    """A large file as an audience: it is read anew each time it is walked, so memory holds a block of it and the numbers seen."""

    headings: list[str]
    column: str
    open: Callable[[], AudienceReader]

    def blocks(self) -> Iterator[RowBlock]:
        """All rows. Raises AudienceError on the way."""
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
    return Streamed(reading.headings, reading.column, begin)


def _seekable(file: BinaryIO, limits: Limits) -> BinaryIO:
    """Kinds and encodings are found by looking twice; a pipe is copied, but not beyond the limit."""
    return file if file.seekable() else io.BytesIO(file.read(limits.bytes + 1))


def _filled(rows: Iterator[Row | RejectedRow]) -> Iterator[Row | RejectedRow]:
    """Rows with no cell filled are not rows; they only count for the numbers of those below."""
    return (item for item in rows if isinstance(item, RejectedRow) or any(map(str.strip, item[1])))


def _short(cells: list[str], limit: int) -> list[str]:
    """A sample row without what would be rejected anyway, so that a 5 MB cell is not examined as a number."""
    return [cell if len(cell) <= limit else "" for cell in cells]


def _plain(cell: str) -> str:
    """What a cell shows: no margins, line breaks as LF, ="text" as its text."""
    if "=" in cell and (text := _TEXT_FORMULA.fullmatch(cell)):
        cell = text[1].replace('""', '"')
    if "\r" in cell:
        cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    return cell.strip()


def _number(cell: str) -> str:
    """What to parse as a number, or `_BadCell` where the cell holds no value of its own."""
    cell = _plain(cell)
    if cell.startswith("="):
        raise _BadCell("formula", "The cell holds a formula instead of a number. Replace it by its value.")
    if cell in _ERRORS:
        raise _BadCell("formula_error", f"The cell shows an error ({cell}) instead of a number.")
    return cell
