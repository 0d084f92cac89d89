"""Pace: a service's contracted rate, kept exactly across every process by one row in the database.

A reservation moves the row forward by n / rate seconds, inside the arming transaction; each message gets its own instant, so
traffic is smooth within the second. Nothing is reserved further ahead than HORIZON, so that a stop or a crash holds back little.
"""

import time
from dataclasses import dataclass

from django.db import connection

from sms.models import Pace

HORIZON = 0.25  # seconds


@dataclass(frozen=True, slots=True)
class Slots:
    """Seconds from now at which each granted message may be posted; `wait` until asking again makes sense."""

    offsets: tuple[float, ...]
    wait: float = 0.0


def reserve(service_id: int, *, rate: int | None, wanted: int) -> Slots:
    """Up to `wanted` instants; all at once where the rate is unlimited. Call it inside a transaction."""
    if rate is None:
        return Slots((0.0,) * wanted)
    Pace.objects.get_or_create(service_id=service_id)
    row = Pace.objects.select_for_update().get(pk=service_id)
    now = _now()
    start = max(row.used_until, now)
    granted = min(wanted, int((now + HORIZON - start) * rate) + 1) if start < now + HORIZON else 0
    if granted <= 0:
        return Slots((), wait=start - now - HORIZON + 1 / rate)
    row.used_until = start + granted / rate
    row.save(update_fields=["used_until"])
    return Slots(tuple(start - now + index / rate for index in range(granted)))


def _now() -> float:
    """Seconds since the epoch by the database's clock."""
    if connection.vendor != "postgresql":
        return time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch from clock_timestamp())::float8")
        return float(cursor.fetchone()[0])
