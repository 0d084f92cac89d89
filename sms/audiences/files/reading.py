"""From the rows of a file to recipients and rejects, one at a time: the rules for rows.

How a file is opened is in `opening`, `delimited` and `workbook`, which column counts in `columns`, what a number is in `sms.values.msisdn`.
"""

from collections.abc import Generator, Iterator
from itertools import chain
from typing import Unpack

from msgspec.structs import replace

from sms.audiences.files.cells import DATE, ERRORS, BadCell, number_text, plain
from sms.audiences.files.columns import Columns, find_columns
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.rows import (
    Limits,
    ReadOptions,
    Recipient,
    RejectedRow,
    Row,
    Source,
    rejected,
    shortened,
)
from sms.values import msisdn
from sms.values.problems import ProblemCode

_SAMPLE_ROWS = 200
_COLUMNS = 16_384  # a spreadsheet has no more


class AudienceReader:
    """An audience under way: headings are known, rows come while iterating (once).

    `rows_read` counts those that were yielded; `height` is how many there will be at most, 0 where that is not known.
    """

    def __init__(self, source: Source, **options: Unpack[ReadOptions]) -> None:
        self.rows_read = 0
        self.height = source.height
        self._source = source
        self._country = options["country"]
        self._limits = options.get("limits") or Limits()
        # First row of each number, without its plus: an int takes half of the memory of the text.
        self._seen: dict[int, int] | None = None if options.get("allow_duplicates") else {}
        try:
            self._columns, self._rows = self._opened(source, options.get("column") or None)
        except AudienceError:
            self.close()
            raise
        self.headings = self._columns.headings
        self.column = self._columns.names[self._columns.at]

    def close(self) -> None:
        """Let go of the file, for a caller that does not read to the end."""
        if isinstance(self._source.rows, Generator):
            self._source.rows.close()

    def __iter__(self) -> Iterator[Recipient | RejectedRow]:
        """Each row that has a filled cell, as a recipient or a reject."""
        most = self._limits.rows
        for item in self._rows:
            self.rows_read += 1
            if self.rows_read > most:
                says = f"This file has more than {most:,} rows, the most Textdesk takes at once. Split it into smaller files."
                raise AudienceError(ProblemCode.TOO_MANY_ROWS, says)
            if isinstance(item, RejectedRow):
                yield item
                continue
            result = self._result_of(*item)
            yield replace(result, cells=self._cells(item[1])) if isinstance(result, RejectedRow) else result

    def _cells(self, cells: list[str]) -> list[str]:
        """Those under a heading. One that is too long stays too long, and no longer than that."""
        names, most = self._columns.names, self._limits.cell + 1
        padded = [*cells, *[""] * (len(names) - len(cells))]
        return [plain(cell[:most]) for name, cell in zip(names, padded, strict=False) if name]

    def _opened(self, source: Source, column: str | None) -> tuple[Columns, Iterator[Row | RejectedRow]]:
        """Find the columns by the first rows, which are put back in front."""
        rows = filled_rows(source.rows)
        first: list[Row | RejectedRow] = []
        for item in rows:
            first.append(item)
            if len(first) > _SAMPLE_ROWS:
                break
        if not first:
            says = "There is nothing in this file. Upload one that holds at least one number."
            raise AudienceError(ProblemCode.EMPTY, says)
        if isinstance(first[0], RejectedRow):
            says = "The quotation marks of the first row do not pair up, so the headings cannot be read. Correct that row and try again."
            raise AudienceError(ProblemCode.BROKEN_QUOTES, says)
        if len(first[0][1]) > _COLUMNS:
            says = f"The first row has {len(first[0][1]):,} cells; the most is {_COLUMNS:,}. Save the table alone as CSV or XLSX."
            raise AudienceError(ProblemCode.TOO_MANY_CELLS, says)
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
        except (msisdn.BadNumber, BadCell):
            return False
        return not found.warning or len(found.e164) > 10

    def _parsed(self, cell: str) -> msisdn.Msisdn:
        cell = number_text(cell)
        try:
            found = msisdn.parse(cell, country=self._country)
        except msisdn.BadNumber:
            if DATE.fullmatch(cell):
                raise _date() from None
            raise
        if found.warning and DATE.fullmatch(cell):
            raise _date()
        return found

    def _result_of(self, row: int, cells: list[str]) -> Recipient | RejectedRow:
        columns, limit = self._columns, self._limits.cell
        value = cells[columns.at] if columns.at < len(cells) else ""
        if len(max(cells, key=len)) > limit:
            return self._too_long(row, cells, value)
        if len(cells) > len(columns.names) and any(map(str.strip, cells[len(columns.names) :])):
            reason = (
                f"This row has {len(cells)} cells but there are {len(columns.names)} columns, so they may have shifted. "
                "Put a cell that holds the delimiter in quotation marks."
            )
            return rejected(row, value, ProblemCode.TOO_MANY_CELLS, reason)
        try:
            found = self._parsed(value)
            substitutions = self._substitutions(cells)
        except (msisdn.BadNumber, BadCell) as bad:
            return rejected(row, value, bad.code, str(bad))
        if self._seen is not None:
            before = self._seen.setdefault(int(found.e164[1:]), row)
            if before != row:
                reason = f"The same number is already in row {before}."
                return rejected(row, value, ProblemCode.DUPLICATE, reason)
        return Recipient(row=row, msisdn=found.e164, substitutions=substitutions, kind=found.kind)

    def _substitutions(self, cells: list[str]) -> dict[str, str]:
        """The filled cells by heading. A formula's error counts as not filled."""
        substitutions = {}
        for at, (name, cell) in enumerate(zip(self._columns.names, cells, strict=False)):
            if cell and name and at != self._columns.at:
                cell = plain(cell)
                if "\ufffd" in cell:
                    says = f"The cell under “{shortened(name)}” holds a character that cannot be read."
                    raise BadCell(ProblemCode.BROKEN_TEXT, says)
                if cell and cell not in ERRORS:
                    substitutions[name] = cell
        return substitutions

    def _too_long(self, row: int, cells: list[str], value: str) -> RejectedRow:
        at = next(at for at, cell in enumerate(cells) if len(cell) > self._limits.cell)
        name = self._columns.names[at] if at < len(self._columns.names) else ""
        reason = f"The cell under “{shortened(name) or at + 1}” holds {len(cells[at]):,} characters; the most is {self._limits.cell:,}."
        return rejected(row, value, ProblemCode.CELL_TOO_LONG, reason)


def _date() -> BadCell:
    return BadCell(ProblemCode.DATE, "The cell holds a date instead of a number.")


def filled_rows(rows: Iterator[Row | RejectedRow]) -> Iterator[Row | RejectedRow]:
    """Rows with no cell filled are not rows; they only count for the numbers of those below."""
    return (item for item in rows if isinstance(item, RejectedRow) or any(map(str.strip, item[1])))


def _short(cells: list[str], limit: int) -> list[str]:
    """A sample row without what would be rejected anyway, so that a 5 MB cell is not examined as a number."""
    return [cell if len(cell) <= limit else "" for cell in cells]
