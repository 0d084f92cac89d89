"""By how much the clocks of a zone differ from UTC, over a stretch of time. Pure; in quarters of an hour, in which facts are kept.

Called where facts are counted by the day of a service (`sms.models.sql.facts.local_hours`).
"""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime

QUARTER = 900  # seconds
DAY = 96  # quarters; no zone changes its clocks twice in one


@dataclass(frozen=True, slots=True)
class ClockShift:
    """Up to the quarter `until` since 1970 (UTC), without it, clocks are `by` quarters ahead."""

    until: int
    by: int


def clock_shifts(zone: str, first: int, last: int) -> list[ClockShift]:
    """Those of the quarters from `first` to `last`, the earliest first. This machine knows the zone."""
    clock, found = zoneinfo.ZoneInfo(zone), list[ClockShift]()
    at, ahead = first, shift_at(first, clock)
    while at < last:
        after = min(at + DAY, last)
        if shift_at(after, clock) != ahead:
            change = _change(clock, at, after)
            found.append(ClockShift(change, ahead))
            after, ahead = change, shift_at(change, clock)
        at = after
    return [*found, ClockShift(last + 1, ahead)]


def shift_at(quarter: int, clock: zoneinfo.ZoneInfo) -> int:
    offset = datetime.fromtimestamp(quarter * QUARTER, UTC).astimezone(clock).utcoffset()
    return int(offset.total_seconds()) // QUARTER if offset else 0


def _change(clock: zoneinfo.ZoneInfo, low: int, high: int) -> int:
    """The quarter with which the clocks of `high` begin; those of `low` are others."""
    before = shift_at(low, clock)
    while high - low > 1:
        middle = (low + high) // 2
        if shift_at(middle, clock) == before:
            low = middle
        else:
            high = middle
    return high
