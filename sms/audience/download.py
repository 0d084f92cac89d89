"""Rejects as a CSV that a person downloads, corrects and uploads again. Called by the pages that show a send or a draft."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from sms.audience.rows import Reject

# A spreadsheet runs a cell that begins so, whoever wrote it. Full-width twins count for some of them.
MARK = "\ufeff"  # without it Excel takes UTF-8 for something else
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def rejects_csv(rejects: Iterable[Reject]) -> Iterator[str]:
    """Lines for a streaming response: row, value, reason. UTF-8 mark first, for Excel; an apostrophe disarms formulas."""
    yield MARK + csv_line("row", "value", "reason")
    for reject in rejects:
        yield csv_line(str(reject.row), reject.value, reject.reason)


ROW, BECAUSE = "rejected row", "rejected because"


def mendable_csv(headings: Sequence[str], rejects: Iterable[tuple[Reject, Sequence[str]]]) -> Iterator[str]:
    """Rejects with all that stood in their rows, to be put right and uploaded again: the first column tells which rows they are."""
    yield MARK + csv_line(ROW, BECAUSE, *headings)
    for bad, cells in rejects:
        yield csv_line(str(bad.row), bad.reason, *cells)


def armed(cell: str) -> str:
    """A cell of ours that came back: without the apostrophe that `csv_line` put there."""
    return cell[1:] if cell[:1] == "'" and cell[1:].lstrip(" ").startswith(_ACTIVE) else cell


def csv_line(*cells: str) -> str:
    """One line of any CSV that leaves the desk. An apostrophe disarms what a spreadsheet would run; we read numbers with and without it."""
    return _line(*map(_disarmed, cells))


def _disarmed(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_ACTIVE) else cell


def _line(*cells: str) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
