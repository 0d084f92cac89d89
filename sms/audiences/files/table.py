"""From the first rows of a source to its table: headings, columns, what is left out as a person does not see it, and the rows that remain.

Called by `reading`, which makes recipients of the rows.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from msgspec.structs import replace as changed

from sms.audiences.files.choices import INCLUDE, LAST_COLUMN, LEAVE_OUT, ReadingChoices
from sms.audiences.files.columns import Columns, find_columns, lettered
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.findings import NAMED, FileFindings
from sms.audiences.files.headings import heading_at, joined, later_heading, reaches_down, spread, stands_over
from sms.audiences.files.rows import RejectedRow, Row, Source, shortened
from sms.values.problems import ProblemCode
from sms.values.text import match_key
from sms.words import KeptSentence, gettext, gettext_noop, number

SAMPLE_ROWS = 200
ONE_HIDDEN = KeptSentence(
    gettext_noop(
        "1 row of this file is hidden (row %(row)s), so people who open the file do not see it. "
        "Choose whether to leave it out or to include it."
    )
)
SEVERAL_HIDDEN = KeptSentence(
    gettext_noop(
        "%(n)s rows of this file are hidden (rows %(rows)s), so people who open the file do not see them. "
        "Choose whether to leave them out or to include them."
    )
)
TOO_MANY_CELLS = KeptSentence(
    gettext_noop(
        "The first row has %(cells)s cells; the most is %(most)s. Save the table alone as CSV or XLSX."
    )
)
NO_HEADING_ROW = KeptSentence(
    gettext_noop(
        "Row %(row)s is empty or too far down to hold the headings. Choose one of the first filled rows."
    )
)
LATER_HEADINGS = KeptSentence(
    gettext_noop(
        "Row %(row)s looks like the headings, but a number stands above it. "
        "Say which row holds the headings; the rows above that one are not read."
    )
)


@dataclass(frozen=True, slots=True)
class Table:
    columns: Columns
    rows: Iterator[Row | RejectedRow]
    findings: FileFindings


def table_of(
    source: Source,
    *,
    column: str | None,
    choices: ReadingChoices,
    reads_as_number: Callable[[str], bool],
    cell: int,
) -> Table:
    """Find the table in a source. `cell` is how long a cell may be. The `AudienceError` that it raises has what was found until then."""
    finder = _Finder(source, column, choices, reads_as_number, cell)
    try:
        table = finder.table()
    except AudienceError as problem:
        problem.findings = finder.findings
        raise finder.hidden_rows_unchosen() or problem from None
    if unchosen := finder.hidden_rows_unchosen():
        raise unchosen
    return table


class _Finder:
    def __init__(
        self,
        source: Source,
        column: str | None,
        choices: ReadingChoices,
        reads_as_number: Callable[[str], bool],
        cell: int,
    ) -> None:
        self.findings = changed(source.findings, rows_choice=choices.hidden_rows)
        self._source, self._column, self._choices = source, column, choices
        self._reads_as_number, self._cell = reads_as_number, cell
        self._hidden = frozenset[int]()  # positions of columns that are left out

    def hidden_rows_unchosen(self) -> AudienceError | None:
        found = self.findings
        if self._choices.hidden_rows or not found.hidden_rows:
            return None
        rows = [number(row) for row in found.first_hidden_rows[:5]] + ["…"] * (found.hidden_rows > 5)
        kept = SEVERAL_HIDDEN if found.hidden_rows > 1 else ONE_HIDDEN
        says = gettext(kept.text) % {"n": number(found.hidden_rows), "row": rows[0], "rows": ", ".join(rows)}
        problem = AudienceError(ProblemCode.HIDDEN_ROWS, says, field="hidden_rows")
        problem.findings = found
        return problem

    def table(self) -> Table:
        rows = filled_rows(self._seen_rows())
        first = list(islice(rows, SAMPLE_ROWS + 1))
        self._refuse_first(first)
        items = [item for item in first if not isinstance(item, RejectedRow)]
        sample = [[text if len(text) <= self._cell else "" for text in cells] for _, cells in items]
        at = self._heading_at(items, sample)
        self._hide_columns(sample, at)
        sample = [self._without_hidden(cells) for cells in sample]
        if at is None:
            columns = self._columns(sample, is_headed=False)
            self._describe(items, columns, rows_above=0)
            return Table(columns, self._remaining(first, rows), self.findings)
        upper, lower = self._block(items, sample, at)
        names = self._headings(items, sample, upper, lower)
        sure = lower > 0 or self._choices.heading_row is not None
        columns = self._columns([names, *sample[lower + 1 :]], is_headed=sure or None)
        if not columns.headed:
            self._describe(items, columns, rows_above=0)
            return Table(columns, self._remaining(first, rows), self.findings)
        self._describe(items, columns, rows_above=upper, lower=lower, names=names)
        place = first.index(items[lower])
        # a row above that could not be cut into cells may be anybody's: it is said
        broken = (item for item in first[:place] if isinstance(item, RejectedRow))
        return Table(columns, self._remaining([*broken, *first[place + 1 :]], rows), self.findings)

    def _remaining(
        self, first: list[Row | RejectedRow], rows: Iterator[Row | RejectedRow]
    ) -> Iterator[Row | RejectedRow]:
        remaining = chain(first, rows)
        if not self._hidden:
            return remaining
        without = (
            item if isinstance(item, RejectedRow) else (item[0], self._without_hidden(item[1]))
            for item in remaining
        )
        return filled_rows(without)

    def _columns(self, sample: list[list[str]], *, is_headed: bool | None) -> Columns:
        try:
            return find_columns(
                sample,
                column=self._column,
                reads_as_number=self._reads_as_number,
                place=self._source.place,
                is_headed=is_headed,
            )
        except AudienceError as problem:
            why = self._why_no_column() if problem.code == ProblemCode.NO_COLUMN else []
            raise AudienceError(problem.code, " ".join([str(problem), *why])) from None

    def _why_no_column(self) -> list[str]:
        """What a person does not see in the file, or the file does not hold, may be the reason."""
        found, why = self.findings, []
        if self._hidden and found.hidden_columns:
            names = ", ".join(f"“{shortened(name)}”" for name in found.hidden_columns)
            says = gettext(
                "Hidden columns are left out: %(columns)s. Include them if the numbers stand there."
            )
            why.append(says % {"columns": names})
        if found.uncalculated:
            why.append(
                gettext(
                    "It has formulas that were never calculated. Open it in Excel, save it, and upload it again."
                )
            )
        return why

    def _describe(
        self,
        items: list[Row],
        columns: Columns,
        *,
        rows_above: int,
        lower: int | None = None,
        names: Sequence[str] = (),
    ) -> None:
        counts = Counter(match_key(name) for name in names if name.strip())
        again = {match_key(name): name.strip() for name in names if counts[match_key(name)] > 1}
        self.findings = changed(
            self.findings,
            heading_row=items[lower][0] if lower is not None else 0,
            rows_above=rows_above,
            column=columns.names[columns.at],
            repeated=tuple(again.values())[:NAMED],
        )

    def _seen_rows(self) -> Iterator[Row | RejectedRow]:
        """Without hidden rows, unless they are to be included. A row that was chosen for the headings may be hidden."""
        hidden, named = self._source.hidden_rows, self._choices.heading_row
        if not self.findings.hidden_rows or self._choices.hidden_rows == INCLUDE:
            return self._source.rows
        return (
            item
            for item in self._source.rows
            if isinstance(item, RejectedRow) or item[0] - 1 not in hidden or item[0] == named
        )

    def _refuse_first(self, first: list[Row | RejectedRow]) -> None:
        if not first and self.findings.hidden_rows:
            says = gettext(
                "Every row of this file is hidden, and hidden rows are left out. Include them, or show the rows in the file."
            )
            raise AudienceError(ProblemCode.EMPTY, says, field="hidden_rows")
        if not first:
            says = gettext("There is nothing in this file. Upload one that holds at least one number.")
            raise AudienceError(ProblemCode.EMPTY, says)
        if isinstance(first[0], RejectedRow):
            says = gettext(
                "The quotation marks of the first row do not pair up, so the headings cannot be read. Correct that row and try again."
            )
            raise AudienceError(ProblemCode.BROKEN_QUOTES, says)
        if len(first[0][1]) > LAST_COLUMN:
            says = gettext(TOO_MANY_CELLS.text) % {
                "cells": number(len(first[0][1])),
                "most": number(LAST_COLUMN),
            }
            raise AudienceError(ProblemCode.TOO_MANY_CELLS, says)

    def _heading_at(self, items: list[Row], sample: list[list[str]]) -> int | None:
        """The place of the row that may hold the headings; None where there are none."""
        chosen = self._choices.heading_row
        if chosen == 0 or not self._source.headed:
            return None
        if chosen is not None:
            if (at := next((at for at, (row, _) in enumerate(items) if row == chosen), None)) is not None:
                return at
            says = gettext(NO_HEADING_ROW.text) % {"row": number(chosen)}
            raise AudienceError(ProblemCode.HEADING_ROW, says, field="heading_row")
        at = heading_at(sample, column=self._column, reads_as_number=self._reads_as_number)
        later = later_heading(sample, at, reads_as_number=self._reads_as_number)
        if later is not None and at == 0:
            says = gettext(LATER_HEADINGS.text) % {"row": number(items[later][0])}
            raise AudienceError(ProblemCode.HEADING_ROW, says, field="heading_row")
        return at

    def _hide_columns(self, sample: list[list[str]], at: int | None) -> None:
        """Which hidden columns are left out. One that was chosen for the numbers is read."""
        width = max(map(len, sample))
        hidden = [one for one in self._source.hidden_columns if one < width]
        filled = [one for one in hidden if any(one < len(cells) and cells[one].strip() for cells in sample)]
        headings = sample[at] if at is not None else []
        names = {
            one: headings[one].strip() if one < len(headings) and headings[one].strip() else lettered(one)
            for one in filled
        }
        choice = self._choices.hidden_columns or LEAVE_OUT
        if choice == LEAVE_OUT:
            wanted = match_key(self._column) if self._column else None
            self._hidden = frozenset(
                one for one in hidden if one not in names or match_key(names[one]) != wanted
            )
        self.findings = changed(
            self.findings,
            hidden_columns=tuple(names.values())[:NAMED],
            columns_choice=choice if names else "",
        )

    def _without_hidden(self, cells: list[str]) -> list[str]:
        return (
            ["" if at in self._hidden else cell for at, cell in enumerate(cells)] if self._hidden else cells
        )

    def _block(self, items: list[Row], sample: list[list[str]], at: int) -> tuple[int, int]:
        """The places of the first and the last row of the headings: two where cells are merged over or into the next row."""
        merges = self._source.merges
        if not merges:
            return at, at
        row = items[at][0] - 1
        below, above = (0 <= one < len(items) and items[one][0] - 1 for one in (at + 1, at - 1))
        if (
            below == row + 1
            and reaches_down(row, merges)
            and not any(map(self._reads_as_number, sample[at + 1]))
        ):
            return at, at + 1
        filled = [place for place, cell in enumerate(sample[at]) if cell.strip()]
        edges = {"left": min(filled, default=0), "right": max(filled, default=0)}
        if at and above == row - 1 and stands_over(row - 1, merges, **edges):
            return at - 1, at
        return at, at

    def _headings(self, items: list[Row], sample: list[list[str]], upper: int, lower: int) -> list[str]:
        if not self._source.merges:
            return sample[lower]
        rows = [
            spread(sample[at], items[at][0] - 1, self._source.merges) for at in dict.fromkeys((upper, lower))
        ]
        shown = joined(*rows) if len(rows) > 1 else rows[0]
        # a heading over columns in which nothing stands names the first of them
        used = {place for cells in sample[lower + 1 :] for place, cell in enumerate(cells) if cell.strip()}
        own = sample[lower] + [""] * (len(shown) - len(sample[lower]))
        return [name if place in used else own[place] for place, name in enumerate(shown)]


def filled_rows(rows: Iterator[Row | RejectedRow]) -> Iterator[Row | RejectedRow]:
    """Rows with no cell filled are not rows; they only count for the numbers of those below."""
    return (item for item in rows if isinstance(item, RejectedRow) or any(map(str.strip, item[1])))
