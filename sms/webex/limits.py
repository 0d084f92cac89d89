"""What the provider's documents allow in a request, as numbers and patterns. Read by `rules`, by the partner API and by compose.

The sandbox has its own, so that it stays an independent witness.
"""

import re
from datetime import timedelta

AHEAD = timedelta(days=7)
LONGEST_VALIDITY = 72 * 3600  # seconds; what an operator keeps trying for at most (reference §3)
LONGEST_CALLBACK_DATA = 2000
MOST_DESTINATIONS = 1000
RECEIPTS = frozenset({"SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"})
TAG = re.compile(r"[A-Za-z0-9_-]{1,50}")
