"""The tenant's rate: so many destinations a second, and on top, where it is on, the burst allowance."""

from datetime import UTC, datetime

BURST_SHARE = 0.5
BURST_MOST = 100.0
BURST_A_DAY = 30 * 60
BURST_A_MONTH = 8 * 3600


class Rate:
    """A token bucket that holds one second's worth, and a second one for bursts.

    A second in which the burst bucket gives anything counts against 1800 seconds of a UTC day and 28800 of a UTC month.
    """

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self.size = max(rate, 1.0)
        self.level = self.size
        self.extra = min(rate * BURST_SHARE, BURST_MOST)
        self.extra_level = self.extra
        self.at = now
        self.queued_until = now
        self.burst_second = -1
        self.day = self.month = ""
        self.day_used = self.month_used = 0

    def take(self, count: int, now: float, *, burst: bool = False, debt: bool = False) -> float | None:
        """Seconds until ``count`` sends are worked off (0: at once), or None when they are refused.

        With ``debt`` more than a second's worth passes when the bucket is full, and the next calls wait for it.
        """
        passed = max(0.0, now - self.at)
        self.at = now
        self.level = min(self.size, self.level + passed * self.rate)
        self.extra_level = min(self.extra, self.extra_level + passed * self.extra)
        if self.level >= (min(count, self.size) if debt else count):
            self.level -= count
            return 0.0
        if not burst or self.level + self.extra_level < count or not self._burst_left(now):
            return None
        self.extra_level -= count - max(self.level, 0.0)
        self.level = min(self.level, 0.0)
        self.queued_until = max(now, self.queued_until) + count / self.rate
        return self.queued_until - now

    def wait(self, count: int) -> float:
        """Seconds until the bucket holds ``count`` again, or all that it can hold."""
        return max(0.0, (min(count, self.size) - self.level) / self.rate)

    def _burst_left(self, now: float) -> bool:
        """Whether this second may burst; it is counted when it does so for the first time."""
        if int(now) == self.burst_second:
            return True
        today = datetime.fromtimestamp(now, UTC)
        day, month = today.strftime("%Y-%m-%d"), today.strftime("%Y-%m")
        if day != self.day:
            self.day, self.day_used = day, 0
        if month != self.month:
            self.month, self.month_used = month, 0
        if self.day_used >= BURST_A_DAY or self.month_used >= BURST_A_MONTH:
            return False
        self.burst_second = int(now)
        self.day_used += 1
        self.month_used += 1
        return True
