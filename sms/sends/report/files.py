"""The report of a send as CSV and XLSX, written row by row. No cell is ever run by a spreadsheet."""

from collections.abc import Iterator
from pathlib import Path

from sms.reports.workbook import write_table
from sms.sends.report.lines import SendReport
from sms.values.csv import MARK, csv_line


def csv_of(report: SendReport) -> Iterator[str]:
    """Lines for a streaming response."""
    yield MARK + csv_line(*report.headings)
    for line in report.lines:
        yield csv_line(*("" if cell is None else str(cell) for cell in line))


def write_xlsx(path: Path, report: SendReport) -> int:
    """Returns the rows written."""
    return write_table(path, "Report", report.headings, report.lines)
