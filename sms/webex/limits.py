"""What the provider's documents allow in a request, as numbers and patterns. Read by `rules`, by the partner API and by compose.

The sandbox has its own, so that it stays an independent witness.
"""

import re
from datetime import timedelta

AHEAD = timedelta(days=7)
TEXT_LIMIT = 1024  # characters after substitution …
LARGEST_TEXT_LIMIT = 4000  # … and on newer tenants
LONGEST_VALIDITY = 72 * 3600  # seconds; what an operator keeps trying for at most (reference §3)
LONGEST_CALLBACK_DATA = 2000
MOST_DESTINATIONS = 1000
RECEIPTS = frozenset({"SUBMITTED", "SENT", "DELIVERED", "CLICKED", "FAILED"})
PLACEHOLDER = re.compile(r"\$\(([^()]+)\)")  # in a text
BRACED = re.compile(r"\$\{([^{}]+)\}")  # the other form that the documents show
SMARTLINK = re.compile(r"\{\{smartlink_([0-9]{1,16})\}\}")
LONGEST_TAG = 50
TAG = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_TAG}}}")
LONGEST_AUTH_ID = 64
AUTH_ID = re.compile(rf"[A-Za-z0-9]{{1,{LONGEST_AUTH_ID}}}")
LONGEST_URL = 2000  # ours: the documents say nothing
LONGEST_BATCH_ID = 100
LONGEST_SMARTLINK = 525_600  # minutes
