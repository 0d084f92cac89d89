"""Rejects as a CSV that a person downloads, corrects and uploads again. Called by the pages that show a send or a draft."""

import csv
import io
from collections.abc import Iterable, Iterator

from sms.audience.rows import Reject

# A spreadsheet runs a cell that begins so, whoever wrote it. Full-width twins count for some of them.
MARK = "\ufeff"  # without it Excel takes UTF-8 for something else
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def rejects_csv(rejects: Iterable[Reject]) -> Iterator[str]:
    """Lines for a streaming response: row, value, reason. UTF-8 mark first, for Excel; an apostrophe disarms formulas."""
    yield MARK + csv_line("row", "value", "reason")
    for reject in rejects:
        yield csv_line(str(reject.row), reject.value, reject.reason)


def csv_line(*cells: str) -> str:
    """One line of any CSV that leaves the desk. An apostrophe disarms what a spreadsheet would run; we read numbers with and without it."""
    return _line(*map(_disarmed, cells))


def _disarmed(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_ACTIVE) else cell


def _line(*cells: str) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
