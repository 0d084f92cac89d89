"""The report of a send as CSV and XLSX, written row by row. No cell is ever run by a spreadsheet."""

from collections.abc import Iterator
from pathlib import Path

from sms.audiences.files import Limits
from sms.models import Actor, Send
from sms.models.audit import audit
from sms.reports.workbook import write_table
from sms.sends.report.lines import SendReport, report_of
from sms.values.csv import MARK, csv_line


def taken(
    send: Send, *, by: Actor, kind: str, limits: Limits, numbers: bool, texts: bool = True
) -> SendReport:
    """The report for somebody who asked for it, which the audit records: who, and whether it held whole numbers."""
    rows = send.recipients + send.rejected
    audit("send.messages_exported", send, by=by, rows=rows, kind=kind, whole_numbers=numbers)
    return report_of(send, limits=limits, numbers=numbers, texts=texts)


def name_of(send: Send, *, kind: str) -> str:
    """Of the file."""
    return f"report-send-{send.pk}{'-test-mode' if send.simulated else send.service.file_mark}.{kind}"


def csv_of(report: SendReport) -> Iterator[str]:
    """Lines for a streaming response."""
    yield MARK + csv_line(*report.headings)
    for line in report.lines:
        yield csv_line(*("" if cell is None else str(cell) for cell in line))


def write_xlsx(path: Path, report: SendReport) -> int:
    """Returns the rows written."""
    return write_table(path, "Report", report.headings, report.lines)
