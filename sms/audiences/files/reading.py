"""From the rows of a file to recipients and rejects, one at a time: the rules for rows.

How a file is opened is in `opening`, `delimited` and `workbook`, which column counts in `columns`, what a number is in `sms.values.msisdn`.
"""

from collections.abc import Generator, Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Unpack

from django.utils.translation import get_language, override
from msgspec.structs import replace

from sms.audiences.files.cells import DATE, WITHOUT_VALUE, BadCell, number_text, plain
from sms.audiences.files.choices import AS_SEEN
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.headings import heading_at
from sms.audiences.files.rows import (
    DoubtedRow,
    Limits,
    ReadOptions,
    Recipient,
    RejectedRow,
    Source,
    rejected,
    repeats,
    shortened,
)
from sms.audiences.files.table import SAMPLE_ROWS, filled_rows, table_of
from sms.values import msisdn
from sms.values.msisdn.kinds import BY_SPELLING
from sms.values.problems import ProblemCode
from sms.words import KeptSentence, gettext, gettext_noop, number

TOO_MANY_ROWS = KeptSentence(
    gettext_noop(
        "This file has more than %(most)s rows, the most Textdesk takes at once. Split it into smaller files."
    )
)
MAY_HAVE_SHIFTED = KeptSentence(
    gettext_noop(
        "This row has %(cells)s cells but there are %(columns)s columns, so they may have shifted. "
        "Put a cell that holds the delimiter in quotation marks."
    )
)
BROKEN_TEXT = KeptSentence(gettext_noop("The cell under “%(column)s” holds a character that cannot be read."))
TOO_LONG = KeptSentence(
    gettext_noop("The cell under “%(column)s” holds %(characters)s characters; the most is %(most)s.")
)
A_DATE = gettext_noop("The cell holds a date instead of a number.")


class AudienceReader:
    """An audience under way: headings are known, rows come while iterating (once).

    `rows_read` counts those that were yielded; `height` is how many there will be at most, 0 where that is not known.
    """

    def __init__(self, source: Source, **options: Unpack[ReadOptions]) -> None:
        self.rows_read = 0
        self.height = source.height
        self._source = source
        # reasons are kept with their rows
        is_english = (get_language() or "en").startswith("en")
        self._in_english = nullcontext() if is_english else override("en")
        self._country = options["country"]
        self._limits = options.get("limits") or Limits()
        # First row of each number, without its plus: an int takes half of the memory of the text.
        self._seen: dict[int, int] | None = None if options.get("allow_duplicates") else {}
        self._doubted: dict[str, DoubtedRow] = {}  # numbers of which no row is certain yet
        try:
            table = table_of(
                source,
                column=options.get("column") or None,
                choices=options.get("choices") or AS_SEEN,
                reads_as_number=self._reads_as_number,
                cell=self._limits.cell,
            )
        except AudienceError:
            self.close()
            raise
        self._columns, self._rows, self.findings = table.columns, table.rows, table.findings
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
                says = gettext(TOO_MANY_ROWS.text) % {"most": number(most)}
                raise AudienceError(ProblemCode.TOO_MANY_ROWS, says)
            if isinstance(item, RejectedRow):
                yield item
                continue
            with self._in_english:
                result = self._result_of(*item)
            yield replace(result, cells=self._cells(item[1])) if isinstance(result, RejectedRow) else result

    def _cells(self, cells: list[str]) -> list[str]:
        """Those under a heading. One that is too long stays too long, and no longer than that."""
        names, most = self._columns.names, self._limits.cell + 1
        padded = [*cells, *[""] * (len(names) - len(cells))]
        return [plain(cell[:most]) for name, cell in zip(names, padded, strict=False) if name]

    def _reads_as_number(self, cell: str) -> bool:
        return _reads_as_number(cell, self._country)

    def _result_of(self, row: int, cells: list[str]) -> Recipient | RejectedRow:
        columns, limit = self._columns, self._limits.cell
        value = cells[columns.at] if columns.at < len(cells) else ""
        if len(max(cells, key=len)) > limit:
            return self._too_long(row, cells, value)
        if len(cells) > len(columns.names) and any(map(str.strip, cells[len(columns.names) :])):
            reason = MAY_HAVE_SHIFTED(cells=len(cells), columns=len(columns.names))
            return rejected(row, value, ProblemCode.TOO_MANY_CELLS, reason)
        try:
            found = _parsed(value, self._country)
            substitutions = self._substitutions(cells)
        except (msisdn.BadNumber, BadCell) as bad:
            return rejected(row, value, bad.code, str(bad))
        doubted = None
        if self._seen is not None:
            before = self._seen.setdefault(int(found.e164[1:]), row)
            if before != row:
                doubted = self._doubted.pop(found.e164, None) if found.kind not in BY_SPELLING else None
                if doubted is None:
                    return rejected(row, value, ProblemCode.DUPLICATE, repeats(before))
                self._seen[int(found.e164[1:])] = row
            elif found.kind in BY_SPELLING:
                self._doubted[found.e164] = DoubtedRow(row, found.kind)
        return Recipient(
            row=row, msisdn=found.e164, substitutions=substitutions, kind=found.kind, doubted=doubted
        )

    def _substitutions(self, cells: list[str]) -> dict[str, str]:
        """The filled cells by heading. A formula without a value counts as not filled."""
        substitutions = {}
        for at, (name, cell) in enumerate(zip(self._columns.names, cells, strict=False)):
            if cell and name and at != self._columns.at:
                cell = plain(cell)
                if "\ufffd" in cell:
                    says = BROKEN_TEXT(column=shortened(name))
                    raise BadCell(ProblemCode.BROKEN_TEXT, says)
                if cell and cell not in WITHOUT_VALUE:
                    substitutions[name] = cell
        return substitutions

    def _too_long(self, row: int, cells: list[str], value: str) -> RejectedRow:
        at = next(at for at, cell in enumerate(cells) if len(cell) > self._limits.cell)
        name = self._columns.names[at] if at < len(self._columns.names) else ""
        reason = TOO_LONG(
            column=shortened(name) or at + 1, characters=f"{len(cells[at]):,}", most=f"{self._limits.cell:,}"
        )
        return rejected(row, value, ProblemCode.CELL_TOO_LONG, reason)


def first_headings(source: Source, *, country: str) -> list[str]:
    """The cells of the row that holds the headings, or of the first row; [] where there is none."""
    rows = islice(filled_rows(source.rows), SAMPLE_ROWS)
    sample = [item[1] for item in rows if not isinstance(item, RejectedRow)]
    at = heading_at(sample, column=None, reads_as_number=lambda cell: _reads_as_number(cell, country))
    return [cell.strip() for cell in sample[at]] if sample else []


def _reads_as_number(cell: str, country: str) -> bool:
    """For finding the column. Dates, years and order numbers can be possible numbers too, but short ones."""
    try:
        found = _parsed(cell, country)
    except (msisdn.BadNumber, BadCell):
        return False
    return not found.warning or len(found.e164) > 10


def _parsed(cell: str, country: str) -> msisdn.Msisdn:
    cell = number_text(cell)
    try:
        found = msisdn.parse(cell, country=country)
    except msisdn.BadNumber:
        if DATE.fullmatch(cell):
            raise _date() from None
        raise
    if found.warning and DATE.fullmatch(cell):
        raise _date()
    return found


def _date() -> BadCell:
    return BadCell(ProblemCode.DATE, A_DATE)
