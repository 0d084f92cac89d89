"""What became of a send, as a file: the rows that were sent to, with all their columns, and behind them the outcome of each.

    source      the rows as they were uploaded, pasted or asked for, as far as they are still kept
    outcomes    messages (also archived ones) and left-out rows, in the order in which they were made
    lines       the two joined, row by row, in bounded memory
    files       taken by somebody, as CSV or XLSX

Called by the send page and by `/api/v1`.
"""

from sms.reports.workbook import MEDIA_TYPE
from sms.sends.report.files import csv_of, name_of, taken, write_xlsx
from sms.sends.report.lines import SendReport
from sms.sends.report.source import missing_columns
