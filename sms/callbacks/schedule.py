"""When a callback is tried again, and when a receiver is left alone. Pure; seconds throughout.

A callback is tried for three days, ever more seldom. A receiver that keeps failing gets one try now and then (the breaker), whose
success makes everything that waits due at once.
"""

import random
from datetime import datetime, timedelta

DELAYS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000)
FOR = timedelta(hours=72)
JITTER = 0.1
LONGEST_RETRY_AFTER = 21_600.0  # seconds: more of a Retry-After is not honoured
OPENS_AFTER = 5  # failures in a row
CANARY = (15, 30, 60, 120, 300, 600, 900)  # seconds between single tries while the breaker is open
DISABLE_AFTER = 5  # callbacks in a row that failed for three days


def next_try(
    tries: int,
    *,
    since: datetime,
    now: datetime,
    retry_after: float | None = None,
    dice: random.Random | None = None,
) -> datetime | None:
    """When to try after `tries` failures; None where three days are over. The last try is at their end.

    `retry_after` is what the receiver asked for; it can put a try off, never bring it forward.
    """
    end = since + FOR
    if now >= end:
        return None
    delay = float(DELAYS[min(max(tries, 1), len(DELAYS)) - 1])
    if retry_after is not None:
        delay = max(delay, min(retry_after, LONGEST_RETRY_AFTER))
    delay *= 1 + JITTER * (dice or random).random()
    return min(now + timedelta(seconds=delay), end)


def canary_in(failures: int, *, retry_after: float | None = None) -> float:
    """Seconds until a receiver with so many failures in a row gets another try; 0 while the breaker is closed.

    A Retry-After holds the whole receiver off, also the first one: 429 and 503 are about the receiver, not about one callback.
    """
    wait = 0.0
    if failures >= OPENS_AFTER:
        wait = float(CANARY[min(failures - OPENS_AFTER, len(CANARY) - 1)])
    return max(wait, min(retry_after or 0.0, LONGEST_RETRY_AFTER))
