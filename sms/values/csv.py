"""Lines of CSV files that leave Textdesk, with nothing in them that a spreadsheet would run, and read back as they were."""

import csv
import io
import re

MARK = "\ufeff"  # before a file; without it Excel takes UTF-8 for something else
# A spreadsheet runs a cell that begins so, no matter who wrote it. Full-width twins count for some of them.
_ACTIVE = "=+\\-@＝＋－＠"
# What spreadsheets pass over before a formula: spaces of every width, and quotes, which a cell behind `;` may open and close.
_BEFORE = "[ '\"\u00a0\u2007\u200b\u202f\u3000\ufeff]*"
# Where a cell begins: also behind what another spreadsheet, set to another country, takes for the end of one.
_BEGINS = rf"(?:^(?={_BEFORE}[{_ACTIVE}\t\r\n])|[;|\t\r\n](?={_BEFORE}[{_ACTIVE}]))"
_LIVE = re.compile(_BEGINS)
_MAY_BE_LIVE = re.compile(rf"[{_ACTIVE};|\t\r\n]")  # found in a tenth of the time
_DISARMED = re.compile(_BEGINS.replace("(?=", "'(?="))


def armed(cell: str) -> str:
    """A cell of ours that came back: without the apostrophes that `csv_line` put there."""
    return _DISARMED.sub(lambda found: found[0][:-1], cell) if "'" in cell else cell


def csv_line(*cells: str) -> str:
    """One line of any CSV that leaves Textdesk. An apostrophe disarms what a spreadsheet would run; our reader takes it away again."""
    line = io.StringIO()
    csv.writer(line).writerow(_disarmed(cell) if _MAY_BE_LIVE.search(cell) else cell for cell in cells)
    return line.getvalue()


def _disarmed(cell: str) -> str:
    return _LIVE.sub(lambda found: f"{found[0]}'", cell)
