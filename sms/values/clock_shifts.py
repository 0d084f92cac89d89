"""Where the clocks of a zone are changed. Pure; in whole seconds since 1970 (UTC). Two changes are never within a day of each other.

Called where a wall clock decides: quiet hours (`sms.values.quiet_hours`), and facts by the day of a service
(`sms.models.sql.facts.local_hours`).
"""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ClockStretch:
    """From `begin` up to `until`, without it, clocks are `ahead` seconds before UTC's."""

    begin: int
    until: int
    ahead: int


def stretches(there: zoneinfo.ZoneInfo, start: int, end: int) -> list[ClockStretch]:
    """[start, end), cut where clocks are changed."""
    found: list[ClockStretch] = []
    begin, ahead, at = start, offset_at(there, start), start
    while at < end:
        probe = min(at + DAY, end)
        if offset_at(there, probe) != ahead:
            change = change_between(there, at, probe)
            found.append(ClockStretch(begin, change, ahead))
            begin, ahead = change, offset_at(there, change)
        at = probe
    return [*found, ClockStretch(begin, end, ahead)] if begin < end else found


def change_between(there: zoneinfo.ZoneInfo, before: int, after: int) -> int:
    """The first second in (before, after] with another offset than at `before`; there is one change between."""
    offset = offset_at(there, before)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(there, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def offset_at(there: zoneinfo.ZoneInfo, at: int) -> int:
    offset = (EPOCH + timedelta(seconds=at)).astimezone(there).utcoffset()
    assert offset is not None
    return offset // SECOND
