"""A table as an XLSX file, in constant memory. Every text is a text, whatever it begins with."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TableCell = str | int | float | None


def write_table(
    path: Path,
    title: str,
    headings: Sequence[str],
    lines: Iterable[Sequence[TableCell]],
    *,
    said: Callable[[int], None] | None = None,
) -> int:
    """Returns the lines written; says after every thousand how many there are."""
    options: dict[str, Any] = {"constant_memory": True, "tmpdir": str(path.parent)}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        bold, worksheet = workbook.add_format({"bold": True}), workbook.add_worksheet(title)
        worksheet.freeze_panes(1, 1)
        worksheet.set_column(0, 0, 32)
        worksheet.set_column(1, len(headings), 14)
        for place, heading in enumerate(headings):
            worksheet.write_string(0, place, heading, bold)
        number = 0
        for number, line in enumerate(lines, 1):
            for place, cell in enumerate(line):
                if isinstance(cell, str):
                    if cell:
                        worksheet.write_string(number, place, cell)
                elif cell is not None:
                    worksheet.write_number(number, place, cell)
            if said is not None and number % 1000 == 0:
                said(number)
    return number
