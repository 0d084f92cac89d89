"""What a cell holds: its text as a spreadsheet shows it, and whether it can be a number or a value."""

import re

from sms.values.problems import ProblemCode, ProblemError
from sms.values.text import line_breaks
from sms.words import KeptSentence, gettext_noop

# how exports keep Excel from turning digits into a float
_TEXT_FORMULA = re.compile(r'\s*="((?:[^"]|"")*)"\s*', re.DOTALL)
DATE = re.compile(r"(?:\d{1,2}([/.-])\d{1,2}\1(?:\d{2}|\d{4})|\d{4}([/.-])\d{1,2}\2\d{1,2})(?:[T ][\d:.]+)?")
ERRORS = frozenset("#N/A #REF! #VALUE! #DIV/0! #NAME? #NULL! #NUM! #SPILL! #CALC! #GETTING_DATA".split())
UNCALCULATED = "=(never calculated)"  # stands in a cell whose formula has no value
_NEVER_CALCULATED = gettext_noop(
    "The cell holds a formula that was never calculated. Open the file in Excel, save it, and upload it again."
)
_FORMULA = gettext_noop("The cell holds a formula instead of a number. Replace it by its value.")
_ERROR = KeptSentence(gettext_noop("The cell shows an error (%(error)s) instead of a number."))
WITHOUT_VALUE = ERRORS | {UNCALCULATED}


class BadCell(ProblemError):
    """A cell that keeps its row from being sent to. The reason is kept with the row, in English."""


def plain(cell: str) -> str:
    """What a cell shows: no margins, line breaks as LF, ="text" as its text."""
    if "=" in cell and (text := _TEXT_FORMULA.fullmatch(cell)):
        cell = text[1].replace('""', '"')
    return line_breaks(cell).strip()


def number_text(cell: str) -> str:
    """What to parse as a number, or `BadCell` where the cell holds no value of its own."""
    cell = plain(cell)
    if cell == UNCALCULATED:
        raise BadCell(ProblemCode.FORMULA, _NEVER_CALCULATED)
    if cell.startswith("="):
        raise BadCell(ProblemCode.FORMULA, _FORMULA)
    if cell in ERRORS:
        raise BadCell(ProblemCode.FORMULA_ERROR, _ERROR(error=cell))
    return cell
