"""Facts: what reports read, kept in step with the ledger by deltas that are written where messages change (`sms.ledger.counters`).

fold          deltas into the hourly and daily tables       projection    the sums of each table
again         rebuild, compare, keep                        contribution  what the ledger adds, in SQL
sends         names that stay when messages go
"""

from sms.reports.facts.fold import fold
from sms.reports.facts.rebuild import Busy, Difference, compare, keep, rebuild

__all__ = ["Busy", "Difference", "compare", "fold", "keep", "rebuild"]
