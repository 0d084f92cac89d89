""" "What we read from your file" in lines: for the compose page, a saved audience and an upload of opt-outs."""

from collections.abc import Iterator
from dataclasses import dataclass

from sms.audiences.files import FileFindings
from sms.audiences.files.choices import INCLUDE

ENCODINGS = {"cp1252": "Windows-1252", "utf-8-sig": "UTF-8"}
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
CALCULATE = "Open the file in Excel, save it, and upload it again."


@dataclass(frozen=True, slots=True)
class FindingLine:
    """`warns` where a person should look twice."""

    label: str
    says: str
    warns: bool = False


def lines_of(found: FileFindings | None) -> list[FindingLine]:
    """Nothing for pasted numbers, which a person sees as they are."""
    return list(_lines(found)) if found is not None and found.kind else []


def _lines(found: FileFindings) -> Iterator[FindingLine]:
    if not found.is_workbook:
        cut = DELIMITERS.get(found.delimiter, f"“{found.delimiter}”")
        encoding = ENCODINGS.get(found.encoding, found.encoding.upper())
        yield FindingLine("File", f"A text in {encoding}, its cells separated by {cut}.")
    else:
        yield FindingLine(
            "Sheet",
            _sheet(found),
            warns=found.sheet_hidden or not all(one.hidden for one in found.other_sheets),
        )
    if found.column:
        yield FindingLine("Headings", _headings(found), warns=found.rows_above > 0)
        yield FindingLine("Numbers", f"Read from the column “{found.column}”.")
    if found.repeated:
        names = _listed(found.repeated)
        yield FindingLine(
            "Headings twice",
            f"{names}: several columns have this heading. A number tells the later ones apart.",
            warns=True,
        )
    if found.hidden_rows:
        yield FindingLine("Hidden rows", _hidden_rows(found), warns=True)
    if found.hidden_columns:
        what = "Included" if found.columns_choice == INCLUDE else "Left out"
        yield FindingLine("Hidden columns", f"{what}: {_listed(found.hidden_columns)}.", warns=True)
    if found.uncalculated:
        cells = _count(found.uncalculated, "cell holds a formula that was", "cells hold formulas that were")
        yield FindingLine(
            "Formulas", f"{cells} never calculated, so nothing can be read there. {CALCULATE}", warns=True
        )
    if found.errors:
        cells = _count(found.errors, "cell shows an error", "cells show an error")
        yield FindingLine("Errors", f"{cells} such as #N/A. They count as empty.", warns=True)
    if not found.tells_hidden:
        says = "This old Excel file does not tell us what is hidden in it. If you filtered it, save it as XLSX and upload that."
        yield FindingLine("Hidden rows", says, warns=True)


def _sheet(found: FileFindings) -> str:
    hidden = ", which is hidden" if found.sheet_hidden else ""
    if not found.other_sheets:
        return f"“{found.sheet}”{hidden}."
    others = ", ".join(f"“{one.name}”{' (hidden)' if one.hidden else ''}" for one in found.other_sheets[:10])
    more = f" and {len(found.other_sheets) - 10} more" if len(found.other_sheets) > 10 else ""
    return f"“{found.sheet}”{hidden}. Not read: {others}{more}."


def _headings(found: FileFindings) -> str:
    if not found.heading_row:
        return "There are none: the first row is read like the others."
    row = f"Row {found.heading_row:,}"
    if not found.rows_above:
        return f"{row}."
    above = "row above it looks" if found.rows_above == 1 else f"{found.rows_above:,} rows above it look"
    return f"{row}. The {above} like a title and {'is' if found.rows_above == 1 else 'are'} not read."


def _hidden_rows(found: FileFindings) -> str:
    shown = ", ".join(f"{row:,}" for row in found.first_hidden_rows[:8])
    rows = f"{_count(found.hidden_rows, 'row is', 'rows are')} hidden in the file"
    rows += (
        f" ({'row' if found.hidden_rows == 1 else 'rows'} {shown}{', …' if found.hidden_rows > 8 else ''})"
    )
    rows += ", where a filter is set" if found.filtered else ""
    if not found.rows_choice:
        return f"{rows}. Choose what becomes of {'it' if found.hidden_rows == 1 else 'them'}."
    return f"{rows}. {'Included' if found.rows_choice == INCLUDE else 'Left out'}."


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
