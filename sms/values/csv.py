"""Lines of CSV files that leave Textdesk, with nothing in them that a spreadsheet would run."""

import csv
import io

MARK = "\ufeff"  # before a file; without it Excel takes UTF-8 for something else
# A spreadsheet runs a cell that begins so, no matter who wrote it. Full-width twins count for some of them.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def armed(cell: str) -> str:
    """A cell of ours that came back: without the apostrophe that `csv_line` put there."""
    return cell[1:] if cell[:1] == "'" and cell[1:].lstrip(" ").startswith(_ACTIVE) else cell


def csv_line(*cells: str) -> str:
    """One line of any CSV that leaves Textdesk. An apostrophe disarms what a spreadsheet would run; we read numbers with and without it."""
    line = io.StringIO()
    csv.writer(line).writerow(f"'{cell}" if cell.lstrip(" ").startswith(_ACTIVE) else cell for cell in cells)
    return line.getvalue()
