"""Facts: what reports read, kept in step with the ledger by deltas that are written where messages change (`sms.ledger.counters`).

`fold` sums the deltas into the hourly and daily tables; `rebuild` makes these again or compares them with the ledger; `kept` holds what
deleted messages had added. The statements are in `sms.models.sql.facts`.
"""

from sms.reports.facts.fold import fold
from sms.reports.facts.kept import keep, sum_kept
from sms.reports.facts.rebuild import Busy, compare, rebuild, zones_changed
