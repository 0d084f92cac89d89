"""The calendar of planned sends laid out in days: the days of a month or a week, and the picture of a day; in the viewer's zone."""

import zoneinfo
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.dateparse import parse_date

from sms.models import Service
from sms.sends import calendar as sends_calendar
from sms.sends import rate_sharing
from sms.values.quiet_hours import midnight
from sms.values.time_zones import or_utc

LANES = 3  # bars above each other in the picture of a day
MINUTES = 24 * 60
NARROWEST = 8  # minutes: so that a bar of a second is seen
YEARS = range(2000, 2101)


@dataclass(frozen=True, slots=True)
class CalendarBar:
    """A stretch of a day's picture, in minutes of the wall clock."""

    kind: str
    start: int
    width: int
    lane: int = 0


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day with what begins on it. What began before today and still goes on stands under today."""

    on: date
    entries: Sequence[sends_calendar.CalendarEntry]
    is_today: bool
    is_past: bool
    outside: bool  # of another month than the one that is shown
    night: Sequence[CalendarBar] = ()
    bars: Sequence[CalendarBar] = ()


@dataclass(frozen=True, slots=True)
class CalendarRange:
    """What an address asks for. `first` and `last` are the days that are drawn, whole weeks."""

    view: str
    at: date
    first: date
    last: date
    of_all: bool

    @classmethod
    def asked(cls, request: HttpRequest, *, today: date) -> "CalendarRange":
        """Whatever is not understood falls back to this month."""
        view = "week" if request.GET.get("view") == "week" else "month"
        try:
            at = parse_date(request.GET.get("at", "")) or today
        except ValueError:  # the 30th of February
            at = today
        at = at if at.year in YEARS else today
        first = last = at
        if view == "month":
            first, last = at.replace(day=1), _next_month(at) - timedelta(days=1)
        first -= timedelta(days=first.weekday())
        last += timedelta(days=6 - last.weekday())
        return cls(view, at, first, last, request.GET.get("of") == "all")

    def address(self, **changes: Any) -> str:
        values = {"view": self.view, "at": self.at, "of": "all" if self.of_all else ""} | changes
        return "?" + "&".join(f"{name}={value}" for name, value in values.items() if value)

    @property
    def previous(self) -> str:
        month = (self.at.replace(day=1) - timedelta(days=1)).replace(day=1)
        return self.address(at=self.first - timedelta(days=7) if self.view == "week" else month)

    @property
    def following(self) -> str:
        at = self.first + timedelta(days=7) if self.view == "week" else _next_month(self.at)
        return self.address(at=at)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def days_of(
    shown: CalendarRange,
    entries: Sequence[sends_calendar.CalendarEntry],
    *,
    today: date,
    zone: str,
    service: Service,
) -> list[CalendarDay]:
    here = zoneinfo.ZoneInfo(or_utc(zone))
    of_day: dict[date, list[sends_calendar.CalendarEntry]] = defaultdict(list)
    for one in entries:
        begins = one.at.astimezone(here).date()
        of_day[max(begins, today) if one.send is not None else begins].append(one)
    dates = (shown.first + timedelta(days=day) for day in range((shown.last - shown.first).days + 1))
    return [
        CalendarDay(
            on=on,
            entries=of_day[on],
            is_today=on == today,
            is_past=on < today,
            outside=shown.view == "month" and on.month != shown.at.month,
            **(_picture(on, entries, zone, service) if shown.view == "week" else {}),
        )
        for on in dates
    ]


# --- the picture of a day -----------------------------------------------------------------------------------------------


def _picture(
    on: date, entries: Sequence[sends_calendar.CalendarEntry], zone: str, service: Service
) -> dict[str, Any]:
    """Quiet hours behind, sends before them, each as long as it is foreseen to take."""
    since, until = midnight(on, zone), midnight(on + timedelta(days=1), zone)
    night = [
        CalendarBar("night", *_minutes(start, end, since, until, zone))
        for start, end in rate_sharing.quiet_spans(service, since=since, until=until)
    ]
    bars: list[CalendarBar] = []
    free = [0] * LANES
    for one in entries:
        if one.at >= until or (one.ends_at or one.at) < since:
            continue
        start, width = _minutes(max(one.at, since), min(one.ends_at or one.at, until), since, until, zone)
        lane = next((lane for lane in range(LANES) if free[lane] <= start), LANES - 1)
        free[lane] = max(free[lane], start + width)
        kind = "held" if one.state == "awaiting" else "late" if one.late else one.state
        bars.append(CalendarBar(kind, start, width, lane))
    return {"night": night, "bars": bars}


def _minutes(start: datetime, end: datetime, since: datetime, until: datetime, zone: str) -> tuple[int, int]:
    """Where it stands on that day's wall clock; on the days when clocks change, as the clock shows it."""
    here = zoneinfo.ZoneInfo(or_utc(zone))

    def minute(moment: datetime) -> int:
        if moment >= until:
            return MINUTES
        if moment <= since:
            return 0
        local = moment.astimezone(UTC).astimezone(here)
        return local.hour * 60 + local.minute

    first = min(minute(start), MINUTES - NARROWEST)
    return first, max(minute(end) - first, NARROWEST)
