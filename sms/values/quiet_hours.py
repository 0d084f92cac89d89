"""Local time made exact: a moment from a wall clock, and the hours in which no message is sent. Pure.

    local_instant(naive, zone)            the UTC moment at which a clock there shows this
    QuietHours.parse("21:00-08:00")       the hours of silence, and the weekdays on which anything may go at all
    next_allowed(moment, zones, quiet)    the first moment at which it is quiet nowhere the recipient can be
    zones_of(column, number, service)     whose zones count

What counts is what the wall clock shows: where an hour is repeated, its quiet part is quiet twice. Called by
compose and the pages for due times, by dispatch before every post, and by the forecast.
"""

import re
import zoneinfo
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from sms.values import time_zones
from sms.values.clock_shifts import DAY, EPOCH, SECOND, change_between, stretches
from sms.words import gettext

HORIZON_DAYS = 400  # that `next_allowed` looks ahead: over a year, so that every summer time has its chance

_CHUNK = 32 * DAY
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LETTERS = "MTWTFSS"
_ALL = frozenset(range(7))
_TEXT = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})(?:\s+(\S.*))?", re.ASCII)

_Spans = list[tuple[int, int]]  # [start, end) in whole seconds, in order, not overlapping


def local_instant(naive: datetime, zone: str) -> datetime:
    """The UTC moment at which a clock in `zone` shows `naive`: never earlier for a later `naive`.

    A time that is skipped becomes the moment of the change, a time that happens twice its first. Raises
    ValueError with a sentence for an unknown zone, for a time that has an offset already, and outside years 1-9999.
    """
    if naive.tzinfo is not None:
        raise ValueError("This time has an offset already; a local time has none.")
    there = zone_of(zone)
    naive = naive.replace(fold=0)
    try:
        first = naive.replace(tzinfo=there).astimezone(UTC)
        if first.astimezone(there).replace(tzinfo=None) == naive:
            return first
        # With fold the offset after the change is taken, which leads to before it.
        before = naive.replace(tzinfo=there, fold=1).astimezone(UTC)
        return _at(change_between(there, _seconds(before), _seconds(first)))
    except OverflowError as error:
        raise ValueError(gettext("This time is outside the years that a calendar has.")) from error


def midnight(day: date, zone: str) -> datetime:
    return local_instant(datetime.combine(day, time()), zone)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nothing is sent, by the recipient's clock: from `start` up to, not including, `end`, over midnight if need be."""

    start: time
    end: time
    days: frozenset[int] = _ALL  # of the recipient's date, on which anything may be sent at all; Monday is 0
    zone: str = ""  # counts for a recipient without any zone. Not part of the text

    def __post_init__(self) -> None:
        for each in (self.start, self.end):
            if each.second or each.microsecond or each.tzinfo is not None:
                raise ValueError(
                    gettext("Quiet hours begin and end at a full minute of the recipient's clock.")
                )
        if self.start == self.end:
            says = gettext("Quiet hours begin and end at the same minute; leave them empty to have none.")
            raise ValueError(says)
        if not self.days or not self.days <= _ALL:
            says = gettext("Quiet hours need at least one weekday, Mon to Sun, on which texts may be sent.")
            raise ValueError(says)

    @classmethod
    def parse(cls, text: str, *, zone: str = "") -> "QuietHours":
        """From "21:00-08:00", "21:00-08:00 Mon-Fri", "… Mon,Wed,Fri" or "… MTW-F--" (a letter or dash per weekday).

        Raises ValueError with a sentence that names the text.
        """
        match, shown = _TEXT.fullmatch(text.strip()), {"text": text.strip()[:40]}
        if match is None:
            says = gettext("“%(text)s” is not read as quiet hours. Write them like 21:00-08:00.")
            raise ValueError(says % shown)
        hour, minute, end_hour, end_minute = (int(match[group]) for group in range(1, 5))
        if max(hour, end_hour) > 23 or max(minute, end_minute) > 59:
            says = gettext("“%(text)s” has a time that no clock shows; 00:00 to 23:59 exist.")
            raise ValueError(says % shown)
        days = _read_days(match[5]) if match[5] else _ALL
        return cls(time(hour, minute), time(end_hour, end_minute), days, zone)

    def __str__(self) -> str:
        """What `parse` reads back; at most 19 characters."""
        return f"{self.start:%H:%M}-{self.end:%H:%M} {_show_days(self.days)}".rstrip()


def zones_of(*, column: str, number: tuple[str, ...], service: str) -> tuple[str, ...]:
    """Whose zones count: the audience's column before what the number can be, before the service's own."""
    if column:
        return (column,)
    return number or (service,)


def next_allowed(moment: datetime, zones: tuple[str, ...], quiet: QuietHours | str) -> datetime | None:
    """The first moment, `moment` or later, at which sending is allowed in every one of `zones`; in UTC.

    None if there is none within `HORIZON_DAYS`: the zones lie so far apart that it is always quiet in one of them.
    The caller says so, or asks with fewer zones. Without zones the one of `quiet` counts. Raises ValueError with a
    sentence for an unknown zone, for no zone at all, for a moment without an offset and for text that
    `QuietHours.parse` refuses. The first call for a combination costs up to some milliseconds, the next ones microseconds.
    """
    if moment.tzinfo is None:
        raise ValueError("This moment has no offset; quiet hours need one.")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return _calendar(zones, quiet).first(moment)


class _Calendar:
    """The allowed spans of one combination of zones and quiet hours, worked out in chunks as they are asked for."""

    __slots__ = ("_chunks", "_quiet", "_zones")

    def __init__(self, zones: tuple[str, ...], quiet: QuietHours) -> None:
        self._zones = [zone_of(name) for name in dict.fromkeys(zones)]
        self._quiet = quiet
        self._chunks: dict[int, tuple[list[int], list[int]]] = {}

    def first(self, moment: datetime) -> datetime | None:
        now = (moment - EPOCH) // SECOND
        for chunk in range(now // _CHUNK, (now + HORIZON_DAYS * DAY) // _CHUNK + 1):
            starts, ends = self._chunks.get(chunk) or self._work_out(chunk)
            place = bisect_right(ends, now)
            if place < len(ends):
                return moment if starts[place] <= now else _at(starts[place])
        return None

    def _work_out(self, chunk: int) -> tuple[list[int], list[int]]:
        common: _Spans = [(chunk * _CHUNK, (chunk + 1) * _CHUNK)]
        for there in self._zones:
            common = _both(common, _allowed(there, self._quiet, chunk * _CHUNK, (chunk + 1) * _CHUNK))
        found = ([start for start, _ in common], [end for _, end in common])
        self._chunks[chunk] = found
        return found


@lru_cache(maxsize=2048)
def _calendar(zones: tuple[str, ...], quiet: QuietHours | str) -> _Calendar:
    hours = QuietHours.parse(quiet) if isinstance(quiet, str) else quiet
    names = zones or ((hours.zone,) if hours.zone else ())
    if not names:
        raise ValueError("Quiet hours need a time zone.")
    return _Calendar(names, hours)


def _allowed(there: zoneinfo.ZoneInfo, quiet: QuietHours, start: int, end: int) -> _Spans:
    """Where in [start, end) a clock there shows an allowed time."""
    spans: _Spans = []
    windows = _windows(quiet)
    for one in stretches(there, start, end):
        for day in range((one.begin + one.ahead) // DAY, (one.until - 1 + one.ahead) // DAY + 1):
            if (day + _EPOCH_ORDINAL - 1) % 7 not in quiet.days:
                continue
            midnight = day * DAY - one.ahead
            for opens, closes in windows:
                span = max(one.begin, midnight + opens), min(one.until, midnight + closes)
                if span[0] < span[1]:
                    spans.append(span)
    return spans


def _windows(quiet: QuietHours) -> _Spans:
    start, end = ((each.hour * 60 + each.minute) * 60 for each in (quiet.start, quiet.end))
    windows = [(end, start)] if start > end else [(0, start), (end, DAY)]
    return [span for span in windows if span[0] < span[1]]


def _both(left: _Spans, right: _Spans) -> _Spans:
    found: _Spans = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            found.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return found


def _read_days(text: str) -> frozenset[int]:
    compact = text.strip().upper()
    if len(compact) == 7 and all(char in ("-", _LETTERS[day]) for day, char in enumerate(compact)):
        return frozenset(day for day, char in enumerate(compact) if char != "-")
    days: set[int] = set()
    for part in compact.replace("–", "-").replace(" ", "").split(","):
        first, _, last = part.partition("-")
        begin, until = _read_day(first, text), _read_day(last or first, text)
        days.update((begin + step) % 7 for step in range((until - begin) % 7 + 1))
    return frozenset(days)


def _read_day(name: str, text: str) -> int:
    for day, short in enumerate(_DAYS):
        if name == short.upper():
            return day
    says = gettext("“%(text)s” is not read as weekdays. Write them like Mon-Fri or Mon,Wed,Fri.")
    raise ValueError(says % {"text": text.strip()[:40]})


def _show_days(days: frozenset[int]) -> str:
    if days == _ALL:
        return ""
    begins = [day for day in sorted(days) if (day - 1) % 7 not in days]
    if len(begins) > 1:
        return "".join(_LETTERS[day] if day in days else "-" for day in range(7))
    last = (begins[0] + len(days) - 1) % 7
    return _DAYS[last] if len(days) == 1 else f"{_DAYS[begins[0]]}-{_DAYS[last]}"


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(time_zones.here(name) or name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        says = gettext("“%(name)s” is no time zone that this machine knows.") % {"name": name[:40]}
        raise ValueError(says) from error


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // SECOND


def _at(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)
