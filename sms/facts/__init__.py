"""Facts: what reports read, kept in step with the ledger by deltas that are written where messages change (`sms.models.tally`).

fold          deltas into the hourly and daily tables       projection    the sums of each table
again         rebuild, compare, keep                        contribution  what the ledger adds, in SQL
sends         names that stay when messages go
"""

from sms.facts.again import Busy, Difference, compare, keep, rebuild
from sms.facts.fold import fold

__all__ = ["Busy", "Difference", "compare", "fold", "keep", "rebuild"]
