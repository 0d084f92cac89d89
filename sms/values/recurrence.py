"""When something comes again: the days of a rhythm, its moments by a local clock, and holidays. Pure.

    planned(rhythm, zone, holidays=…, since=…)   every occurrence from that day on, also those that are left out, in order
    Rhythm.__str__                               the same as people say it: "every weekday at 09:00, until 3 May 2027"

The wall clock is what counts: 09:00 stays 09:00 when clocks change. A time that does not exist on a day is the moment of the change, a time
that comes twice is taken the first time, and a day that does not exist at all (as in Samoa on 30 December 2011) has no occurrence. Each of
that is said by the occurrence, as is every holiday. Called by `sms.sends.recurring` and the pages that show what is planned.
"""

import calendar
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sms.values import time_zones
from sms.values.quiet_hours import local_instant, midnight

LAST = -1  # instead of a number from 1 to 4: the last of its weekday in a month
LONGEST_INTERVAL = 12
HORIZON = timedelta(
    days=366 * 12
)  # that `planned` walks at most; two occurrences are never further apart than a year

_DAY = timedelta(days=1)
_WEEKEND = 5  # Monday is 0
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", LAST: "last"}


class Frequency(StrEnum):
    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"
    ON_DATE = "date"
    ON_WEEKDAY = "weekday"


class OnHoliday(StrEnum):
    SEND = "send"
    SKIP = "skip"
    MOVE = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Which days, and at which minute of the wall clock. `interval` counts days, weeks or months from `starts_on`.

    `days` are of WEEKLY (Monday is 0), `day` is of ON_DATE (a month that is too short has its last day instead), `nth` and `weekday` are of
    ON_WEEKDAY. `times` is counted by the caller, who knows how often it came already.
    """

    frequency: Frequency
    at: time
    starts_on: date
    interval: int = 1
    days: frozenset[int] = field(default_factory=frozenset)
    day: int = 1
    nth: int = 1
    weekday: int = 0
    ends_on: date | None = None
    times: int | None = None
    on_holiday: OnHoliday = OnHoliday.SEND

    def __post_init__(self) -> None:
        if self.at.second or self.at.microsecond or self.at.tzinfo is not None:
            raise ValueError("A rhythm has a full minute of the local clock.")
        if not 1 <= self.interval <= LONGEST_INTERVAL:
            raise ValueError(f"Every 1 to {LONGEST_INTERVAL} days, weeks or months.")
        if self.frequency is Frequency.WEEKLY and not (self.days and self.days <= frozenset(range(7))):
            raise ValueError("Choose at least one day of the week.")
        if not 1 <= self.day <= 31 or self.nth not in _NTH or self.weekday not in range(7):
            raise ValueError("That day is in no month.")

    def falls_on(self, day: date) -> bool:
        """Whether the rhythm has this day, holidays apart."""
        if day < self.starts_on or (self.ends_on is not None and day > self.ends_on):
            return False
        months = (day.year - self.starts_on.year) * 12 + day.month - self.starts_on.month
        match self.frequency:
            case Frequency.DAILY:
                return (day - self.starts_on).days % self.interval == 0
            case Frequency.WEEKDAYS:
                return day.weekday() < _WEEKEND
            case Frequency.WEEKLY:
                weeks = (_monday(day) - _monday(self.starts_on)).days // 7
                return day.weekday() in self.days and weeks % self.interval == 0
            case Frequency.ON_DATE:
                return months % self.interval == 0 and day.day == min(self.day, _length(day))
            case Frequency.ON_WEEKDAY:
                if months % self.interval or day.weekday() != self.weekday:
                    return False
                return day.day + 7 > _length(day) if self.nth == LAST else (day.day + 6) // 7 == self.nth

    def __str__(self) -> str:
        end = f", until {_date(self.ends_on)}" if self.ends_on else ""
        times = f", {self.times} time{'' if self.times == 1 else 's'}" if self.times else ""
        return f"{self._days_in_words()} at {self.at:%H:%M}{end}{times}"

    def _days_in_words(self) -> str:
        match self.frequency:
            case Frequency.DAILY:
                return "every day" if self.interval == 1 else f"every {self.interval} days"
            case Frequency.WEEKDAYS:
                return "every weekday, Monday to Friday,"
            case Frequency.WEEKLY:
                names = [calendar.day_name[one] for one in sorted(self.days)]
                listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
                return f"every {listed}" if self.interval == 1 else f"every {self.interval} weeks on {listed}"
            case Frequency.ON_DATE:
                short = ", or its last day," if self.day > 28 else ""
                return f"on the {_ordinal(self.day)} of {self._months()}{short}"
            case Frequency.ON_WEEKDAY:
                return f"on the {_NTH[self.nth]} {calendar.day_name[self.weekday]} of {self._months()}"

    def _months(self) -> str:
        return "each month" if self.interval == 1 else f"every {self.interval} months"


@dataclass(frozen=True, slots=True)
class PlannedTime:
    """One occurrence: the day of the rhythm that it is of, its moment in UTC, and what is to be said of it in sentences.

    One that is `left_out` is not made, and says why; `at` is then when it would have been.
    """

    on: date
    at: datetime
    says: tuple[str, ...] = ()
    left_out: bool = False


def planned(rhythm: Rhythm, zone: str, *, holidays: Mapping[date, str], since: date) -> Iterator[PlannedTime]:
    """Every occurrence that stands on the day `since` of the local calendar or later, in order of time, over `HORIZON` at most.

    Every day of the rhythm has one, on that day or, moved, on a later one.

    `holidays` are days with their names. Raises ValueError with a sentence for a zone that this machine does not know.
    """
    clock = _Clock(zone)
    day = max(since, rhythm.starts_on)
    last = min(rhythm.ends_on or date.max, day + HORIZON)
    while day <= last:
        if rhythm.falls_on(day):
            if (found := _of_day(rhythm, clock, holidays, day)) is not None:
                yield found
        elif (moved := _moved_to(rhythm, holidays, day)) is not None:
            says = f"Moved from {_day(moved)}, which is a holiday ({holidays[moved]})."
            yield clock.planned(rhythm, day, on=moved, says=says)
        day += _DAY


def _of_day(rhythm: Rhythm, clock: "_Clock", holidays: Mapping[date, str], day: date) -> PlannedTime | None:
    """A day of the rhythm: as it is, or what becomes of a holiday; None where it is moved, and said there."""
    name = holidays.get(day)
    if name is None:
        return clock.planned(rhythm, day)
    says = f"{_day(day)} is a holiday ({name})"
    if rhythm.on_holiday is OnHoliday.SEND:
        return clock.planned(rhythm, day, says=f"{says}; it goes out all the same.")
    if rhythm.on_holiday is OnHoliday.SKIP:
        return clock.planned(rhythm, day, says=f"{says}, so it is left out.", left_out=True)
    there = _working_day_after(day, holidays)
    if rhythm.ends_on is not None and there > rhythm.ends_on:
        why = "the next working day is after the end"
    elif rhythm.falls_on(there) or _moved_to(rhythm, holidays, there) != day:
        why = f"{_day(there)} has one already"
    else:
        return None
    return clock.planned(rhythm, day, says=f"{says}, and {why}, so it is left out.", left_out=True)


def _moved_to(rhythm: Rhythm, holidays: Mapping[date, str], day: date) -> date | None:
    """The holiday whose occurrence is moved to this day: the first of those in the days off before it."""
    if rhythm.on_holiday is not OnHoliday.MOVE or not _works(day, holidays):
        return None
    found, before = None, day - _DAY
    while not _works(before, holidays):
        if before in holidays and rhythm.falls_on(before):
            found = before
        before -= _DAY
    return found


def _working_day_after(day: date, holidays: Mapping[date, str]) -> date:
    while not _works(day, holidays):
        day += _DAY
    return day


def _works(day: date, holidays: Mapping[date, str]) -> bool:
    return day.weekday() < _WEEKEND and day not in holidays


class _Clock:
    """The wall clock of a zone."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._there = zoneinfo.ZoneInfo(time_zones.here(zone) or zone)

    def planned(
        self, rhythm: Rhythm, day: date, *, on: date | None = None, says: str = "", left_out: bool = False
    ) -> PlannedTime:
        """The occurrence that stands on `day`, with what its clock and its month have to say."""
        shown = datetime.combine(day, rhythm.at)
        at = local_instant(shown, self.zone)
        said = [says] if says else []
        if rhythm.frequency is Frequency.ON_DATE and (on or day).day < rhythm.day:
            said.append(f"{on or day:%B} has no {_ordinal(rhythm.day)}, so it is the last day.")
        local = at.astimezone(self._there)
        if local.replace(tzinfo=None) != shown:
            if midnight(day, self.zone).astimezone(self._there).date() != day:
                said.append(f"{_day(day)} does not exist in {self.zone}, so it is left out.")
                left_out = True
            else:
                said.append(
                    f"Clocks are changed on {_day(day)}: {shown:%H:%M} does not exist, so it is {local:%H:%M}."
                )
        elif self._comes_twice(shown):
            said.append(
                f"Clocks are changed on {_day(day)}: {shown:%H:%M} comes twice; the first one counts."
            )
        return PlannedTime(on or day, at, tuple(said), left_out)

    def _comes_twice(self, shown: datetime) -> bool:
        first, second = (shown.replace(tzinfo=self._there, fold=fold).utcoffset() for fold in (0, 1))
        return first != second


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _day(day: date) -> str:
    return f"{day:%A %-d %B %Y}"


def _date(day: date) -> str:
    return f"{day:%-d %B %Y}"


def _ordinal(number: int) -> str:
    teen = 10 < number % 100 < 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
