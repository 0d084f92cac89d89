"""Reports: figures of a service from facts (`sms.reports.facts`), each with what it covers.

query     what is asked                         read     the answer, in a handful of queries
figures   the figures of one line               files    the answer as CSV and XLSX
levels    service levels by day
"""

from sms.reports.background import files_wait, forget, make_files, unpacked
from sms.reports.figures import FactSums
from sms.reports.mail import send_due
from sms.reports.query import BY, BY_WORD, COMPARE, NONE, ReportQuery
from sms.reports.read import ReportRow, ReportTable, all_lines, count_lines, report
from sms.reports.sums import values as values_of
