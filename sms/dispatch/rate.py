"""Pace: a service's contracted rate, kept exactly across every process by one row in the database.

A reservation moves the row forward by n / rate seconds inside the arming transaction, and each batch gets its own instant, so traffic is
smooth within the second. Nothing is reserved further ahead than HORIZON, so that a stop or a crash holds back little.

The rate is counted in destinations, not requests. MARGIN is what makes the promise hold at the other end of the wire: a request that
arrives 10 ms late must not make a second too full.
"""

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sms.models import Pace
from sms.models.sql.session import database_now

HORIZON = 0.25  # seconds
LEAD = 0.03  # seconds between reserving an instant and that instant: the commit comes in between
MARGIN = 0.99
SLOWER = 0.7  # what is left of the rate after the provider throttled us
SLOWEST = 0.1
RECOVERY = 0.02  # of the rate per second
ONCE = 1.0  # seconds in which further throttled replies are the same event
LONGEST_HOLD = 900.0  # seconds that a Retry-After may stop us
BURST_DAY = 30 * 60.0  # seconds
BURST_MONTH = 8 * 3600.0


@dataclass(slots=True)
class Grant:
    """What a service may post now. `take` hands out instants; `close` writes the row. Unlimited where `rate` is 0."""

    row: Pace | None
    now: float
    rate: float
    base: float  # time.monotonic() at `now`
    bursting: bool = False

    @property
    def room(self) -> int:
        """Destinations that still fit before the horizon."""
        if self.row is None:
            return 1_000_000
        if self.now < self.row.held_until:
            return 0
        ahead = self.now + HORIZON - max(self.row.used_until, self.now + LEAD)
        return int(ahead * self.rate) + 1 if ahead > 0 else 0

    @property
    def wait(self) -> float:
        """Seconds until asking again makes sense."""
        if self.row is None:
            return 0.0
        return max(self.row.used_until - self.now - HORIZON / 2, self.row.held_until - self.now, 0.0)

    def take(self, destinations: int) -> float:
        """The instant (monotonic seconds) at which a request to so many destinations may leave."""
        if self.row is None:
            return self.base
        start = max(self.row.used_until, self.now + LEAD)
        self.row.used_until = start + destinations / self.rate
        if self.bursting:
            self.row.burst_day_seconds += destinations / self.rate
            self.row.burst_month_seconds += destinations / self.rate
        return self.base + start - self.now

    def close(self) -> None:
        """Keep what was taken. In the same transaction."""
        if self.row is not None:
            self.row.save()


def open_grant(service_id: int, *, rate: int | None, burst: bool = False) -> Grant:
    """Lock the service's pace and see what it allows. Call it inside a transaction, for one service after another in order of id."""
    if rate is None:
        return Grant(None, 0.0, 0.0, time.monotonic())
    row = _locked(service_id)
    now = _now()
    base = time.monotonic()
    allowed = rate * MARGIN * _factor(row, now)
    bursting = burst and _burst_left(row, now)
    if bursting:
        allowed *= min(1.5, (rate + 100) / rate)
    return Grant(row, now, allowed, base, bursting)


def slow_down(service_id: int, *, retry_after: float | None) -> None:
    """The provider said that we are too fast: less for a while, and nothing at all for as long as it asked."""
    row = _locked(service_id)
    now = _now()
    if now - row.slowed_at > ONCE:
        row.factor, row.slowed_at = max(_factor(row, now) * SLOWER, SLOWEST), now
    row.held_until = max(row.held_until, now + min(retry_after or 0.5, LONGEST_HOLD))
    row.save()


@functools.lru_cache
def whole_batches(batch_size: int, rate: int | None) -> int:
    """The largest batch, no larger than `batch_size`, of which whole ones fill a second of the contract, or all but a hundredth of it.

    Any other size would make some seconds too full, since a batch arrives all at once.
    """
    if rate is None:
        return batch_size
    return next(size for size in range(min(batch_size, rate), 0, -1) if rate % size <= (1 - MARGIN) * rate)


def burst_used(service_ids: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Seconds of burst used today and this month (UTC), by service."""
    now = _now()
    rows = Pace.objects.filter(pk__in=service_ids)
    return {row.pk: _burst_seconds(row, now) for row in rows}


def _locked(service_id: int) -> Pace:
    Pace.objects.get_or_create(service_id=service_id)
    return Pace.objects.select_for_update().get(pk=service_id)


def _factor(row: Pace, now: float) -> float:
    return min(row.factor + max(now - row.slowed_at, 0.0) * RECOVERY, 1.0)


def _burst_seconds(row: Pace, now: float) -> tuple[float, float]:
    today = datetime.fromtimestamp(now, UTC).date()
    if row.burst_day is None or (row.burst_day.year, row.burst_day.month) != (today.year, today.month):
        return 0.0, 0.0
    return (row.burst_day_seconds if row.burst_day == today else 0.0), row.burst_month_seconds


def _burst_left(row: Pace, now: float) -> bool:
    row.burst_day_seconds, row.burst_month_seconds = _burst_seconds(row, now)
    row.burst_day = datetime.fromtimestamp(now, UTC).date()
    return row.burst_day_seconds < BURST_DAY and row.burst_month_seconds < BURST_MONTH


def _now() -> float:
    """Seconds since the epoch by the database's clock."""
    return database_now().timestamp()
