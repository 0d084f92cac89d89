"""What a cell holds: its text as a spreadsheet shows it, and whether it can be a number or a value."""

import re

from sms.values.problems import ProblemCode, ProblemError
from sms.values.text import line_breaks

# how exports keep Excel from turning digits into a float
_TEXT_FORMULA = re.compile(r'\s*="((?:[^"]|"")*)"\s*', re.DOTALL)
DATE = re.compile(r"(?:\d{1,2}([/.-])\d{1,2}\1(?:\d{2}|\d{4})|\d{4}([/.-])\d{1,2}\2\d{1,2})(?:[T ][\d:.]+)?")
ERRORS = frozenset("#N/A #REF! #VALUE! #DIV/0! #NAME? #NULL! #NUM! #SPILL! #CALC! #GETTING_DATA".split())
UNCALCULATED = "=(never calculated)"  # stands in a cell whose formula has no value
WITHOUT_VALUE = ERRORS | {UNCALCULATED}


class BadCell(ProblemError):
    """A cell that keeps its row from being sent to."""


def plain(cell: str) -> str:
    """What a cell shows: no margins, line breaks as LF, ="text" as its text."""
    if "=" in cell and (text := _TEXT_FORMULA.fullmatch(cell)):
        cell = text[1].replace('""', '"')
    return line_breaks(cell).strip()


def number_text(cell: str) -> str:
    """What to parse as a number, or `BadCell` where the cell holds no value of its own."""
    cell = plain(cell)
    if cell == UNCALCULATED:
        says = "The cell holds a formula that was never calculated. Open the file in Excel, save it, and upload it again."
        raise BadCell(ProblemCode.FORMULA, says)
    if cell.startswith("="):
        says = "The cell holds a formula instead of a number. Replace it by its value."
        raise BadCell(ProblemCode.FORMULA, says)
    if cell in ERRORS:
        raise BadCell(ProblemCode.FORMULA_ERROR, f"The cell shows an error ({cell}) instead of a number.")
    return cell
