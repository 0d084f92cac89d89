"""What became of a send, as a file: the rows that were sent to, with all their columns, and behind them the outcome of each.

    source      the rows as they were uploaded, pasted or asked for, as far as they are still kept
    outcomes    messages (also archived ones) and left-out rows, in the order in which they were made
    lines       the two joined, row by row, in bounded memory
    files       CSV and XLSX

Called by the send page and by `/api/v1`.
"""

from sms.sends.report.files import csv_of, write_xlsx
from sms.sends.report.lines import SendReport, report_of
from sms.sends.report.source import missing_columns
