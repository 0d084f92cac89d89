"""When something comes again: the days of a rhythm, its moments by a local clock, and holidays. Pure.

    planned(rhythm, zone, holidays=…, since=…)   every occurrence from that day on, also those that are left out, in order
    Rhythm.in_words()                            the same as people say it: "every weekday at 09:00, until 3 May 2027"

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
from sms.words import KeptSentence, gettext, gettext_noop, in_english, listed, moment, ngettext

LAST = -1  # instead of a number from 1 to 4: the last of its weekday in a month
LONGEST_INTERVAL = 12
HORIZON = timedelta(
    days=366 * 12
)  # that `planned` walks at most; two occurrences are never further apart than a year

_DAY = timedelta(days=1)
_WEEKEND = 5  # Monday is 0
_NTH = (1, 2, 3, 4, LAST)
_MONDAY = date(2024, 1, 1)
# Pages say them in the reader's language; jobs, which speak English, keep them.
MOVED = KeptSentence(gettext_noop("Moved from %(day)s, which is a holiday (%(holiday)s)."))
ALL_THE_SAME = KeptSentence(gettext_noop("%(day)s is a holiday (%(holiday)s); it goes out all the same."))
LEFT_OUT = KeptSentence(gettext_noop("%(day)s is a holiday (%(holiday)s), so it is left out."))
AFTER_THE_END = KeptSentence(
    gettext_noop(
        "%(day)s is a holiday (%(holiday)s), and the next working day is after the end, so it is left out."
    )
)
HAS_ONE_ALREADY = KeptSentence(
    gettext_noop("%(day)s is a holiday (%(holiday)s), and %(next)s has one already, so it is left out.")
)
# Translators: month is a month's name, day a day of it as a number, like “31st”.
SHORT_MONTH = KeptSentence(gettext_noop("%(month)s has no %(day)s, so it is the last day."))
NO_SUCH_DAY = KeptSentence(gettext_noop("%(day)s does not exist in %(zone)s, so it is left out."))
SKIPPED_HOUR = KeptSentence(
    gettext_noop("Clocks are changed on %(day)s: %(time)s does not exist, so it is %(becomes)s.")
)
TWICE = KeptSentence(
    gettext_noop("Clocks are changed on %(day)s: %(time)s comes twice; the first one counts.")
)


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
            raise ValueError(gettext("A rhythm has a full minute of the local clock."))
        if not 1 <= self.interval <= LONGEST_INTERVAL:
            says = gettext("Every 1 to %(most)s days, weeks or months.") % {"most": LONGEST_INTERVAL}
            raise ValueError(says)
        if self.frequency is Frequency.WEEKLY and not (self.days and self.days <= frozenset(range(7))):
            raise ValueError(gettext("Choose at least one day of the week."))
        if not 1 <= self.day <= 31 or self.nth not in _NTH or self.weekday not in range(7):
            raise ValueError(gettext("That day is in no month."))

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
        """In English: it is kept in the audit, and standing approvals are compared by it."""
        with in_english():
            return self.in_words()

    def in_words(self) -> str:
        said = {"days": self._days_in_words(), "time": f"{self.at:%H:%M}"}
        if self.ends_on and self.times:
            # Translators: days is like “every Monday and Friday”, times like “10 times”.
            words = gettext("%(days)s at %(time)s, until %(last)s, %(times)s")
            return words % {**said, "last": _date(self.ends_on), "times": self._times_in_words()}
        if self.ends_on:
            return gettext("%(days)s at %(time)s, until %(last)s") % {**said, "last": _date(self.ends_on)}
        if self.times:
            return gettext("%(days)s at %(time)s, %(times)s") % {**said, "times": self._times_in_words()}
        return gettext("%(days)s at %(time)s") % said

    def _times_in_words(self) -> str:
        times = self.times or 0
        return ngettext("%(n)s time", "%(n)s times", times) % {"n": times}

    def _days_in_words(self) -> str:
        match self.frequency:
            case Frequency.DAILY:
                return ngettext("every day", "every %(n)s days", self.interval) % {"n": self.interval}
            case Frequency.WEEKDAYS:
                return gettext("every weekday, Monday to Friday,")
            case Frequency.WEEKLY:
                names = {"days": listed(_weekday(one) for one in sorted(self.days)), "n": self.interval}
                # Translators: days are days of the week, like “Monday and Friday”.
                return ngettext("every %(days)s", "every %(n)s weeks on %(days)s", self.interval) % names
            case Frequency.ON_DATE:
                said = {"day": _ordinal(self.day), "n": self.interval}
                if self.day > 28:
                    words = ngettext(
                        "on the %(day)s of each month, or its last day,",
                        "on the %(day)s of every %(n)s months, or its last day,",
                        self.interval,
                    )
                else:
                    # Translators: day is a day of the month as a number, like “3rd”.
                    words = ngettext(
                        "on the %(day)s of each month", "on the %(day)s of every %(n)s months", self.interval
                    )
                return words % said
            case Frequency.ON_WEEKDAY:
                # Translators: day is a day of the week.
                words = {
                    1: ngettext(
                        "on the first %(day)s of each month",
                        "on the first %(day)s of every %(n)s months",
                        self.interval,
                    ),
                    2: ngettext(
                        "on the second %(day)s of each month",
                        "on the second %(day)s of every %(n)s months",
                        self.interval,
                    ),
                    3: ngettext(
                        "on the third %(day)s of each month",
                        "on the third %(day)s of every %(n)s months",
                        self.interval,
                    ),
                    4: ngettext(
                        "on the fourth %(day)s of each month",
                        "on the fourth %(day)s of every %(n)s months",
                        self.interval,
                    ),
                    LAST: ngettext(
                        "on the last %(day)s of each month",
                        "on the last %(day)s of every %(n)s months",
                        self.interval,
                    ),
                }[self.nth]
                return words % {"day": _weekday(self.weekday), "n": self.interval}


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
            says = gettext(MOVED.text) % {"day": _day(moved), "holiday": holidays[moved]}
            yield clock.planned(rhythm, day, on=moved, says=says)
        day += _DAY


def _of_day(rhythm: Rhythm, clock: "_Clock", holidays: Mapping[date, str], day: date) -> PlannedTime | None:
    """A day of the rhythm: as it is, or what becomes of a holiday; None where it is moved, and said there."""
    name = holidays.get(day)
    if name is None:
        return clock.planned(rhythm, day)
    said = {"day": _day(day), "holiday": name}
    if rhythm.on_holiday is OnHoliday.SEND:
        return clock.planned(rhythm, day, says=gettext(ALL_THE_SAME.text) % said)
    if rhythm.on_holiday is OnHoliday.SKIP:
        return clock.planned(rhythm, day, says=gettext(LEFT_OUT.text) % said, left_out=True)
    there = _working_day_after(day, holidays)
    if rhythm.ends_on is not None and there > rhythm.ends_on:
        says = gettext(AFTER_THE_END.text) % said
    elif rhythm.falls_on(there) or _moved_to(rhythm, holidays, there) != day:
        says = gettext(HAS_ONE_ALREADY.text) % {**said, "next": _day(there)}
    else:
        return None
    return clock.planned(rhythm, day, says=says, left_out=True)


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
            month = moment(on or day, "F")
            said.append(gettext(SHORT_MONTH.text) % {"month": month, "day": _ordinal(rhythm.day)})
        local = at.astimezone(self._there)
        if local.replace(tzinfo=None) != shown:
            if midnight(day, self.zone).astimezone(self._there).date() != day:
                said.append(gettext(NO_SUCH_DAY.text) % {"day": _day(day), "zone": self.zone})
                left_out = True
            else:
                times = {"time": f"{shown:%H:%M}", "becomes": f"{local:%H:%M}"}
                said.append(gettext(SKIPPED_HOUR.text) % {"day": _day(day), **times})
        elif self._comes_twice(shown):
            said.append(gettext(TWICE.text) % {"day": _day(day), "time": f"{shown:%H:%M}"})
        return PlannedTime(on or day, at, tuple(said), left_out)

    def _comes_twice(self, shown: datetime) -> bool:
        first, second = (shown.replace(tzinfo=self._there, fold=fold).utcoffset() for fold in (0, 1))
        return first != second


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _day(day: date) -> str:
    return moment(day, "l j F Y")


def _date(day: date) -> str:
    return moment(day, "j F Y")


def _weekday(number: int) -> str:
    return moment(_MONDAY + number * _DAY, "l")


def _ordinal(day: int) -> str:
    """`3rd`; a language writes the plain number where it has no such endings."""
    # Translators: 1st, 2nd, 3rd, 4th of a month; only the number where your language has no such endings.
    if 10 < day % 100 < 20:
        return gettext("%(n)sth") % {"n": day}
    return {
        1: gettext("%(n)sst"),
        2: gettext("%(n)snd"),
        3: gettext("%(n)srd"),
    }.get(day % 10, gettext("%(n)sth")) % {"n": day}
