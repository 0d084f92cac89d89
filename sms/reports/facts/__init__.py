"""Facts: what reports read, kept in step with the ledger by deltas that are written where messages change (`sms.ledger.counters`).

`fold` sums the deltas into the hourly and daily tables; `rebuild` makes these again, compares them with the ledger, and keeps what deleted
messages had added. The statements are in `sms.models.sql.facts`.
"""

from sms.reports.facts.fold import fold
from sms.reports.facts.rebuild import Busy, Difference, compare, keep, rebuild

__all__ = ["Busy", "Difference", "compare", "fold", "keep", "rebuild"]
