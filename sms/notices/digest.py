"""When the daily mail of a person is due."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def next_digest(after: datetime, *, hour: int, zone: str) -> datetime:
    """The next time that clocks in `zone` show `hour`, in UTC.

    An hour that the clocks skip is an hour later on that day; of one that comes twice it is the first. So it is once on every day.
    """
    clock = ZoneInfo(zone)
    day = after.astimezone(clock).date()
    while True:
        due = datetime.combine(day, time(hour), clock).astimezone(UTC)
        if due > after:
            return due
        day += timedelta(days=1)
