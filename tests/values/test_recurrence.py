"""Rhythms over ten years in every time zone, against an oracle that only asks what a clock there shows at a moment of UTC."""

import calendar
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms.values.recurrence import LAST, Frequency, OnHoliday, PlannedTime, Rhythm, planned

TEN_YEARS = timedelta(days=3653)
HOUR = timedelta(hours=1)
ZONES = sorted(one for one in zoneinfo.available_timezones() if not one.startswith("posix"))

_days = st.dates(date(2005, 1, 1), date(2030, 1, 1))


@st.composite
def rhythms(draw: st.DrawFn, frequencies: tuple[Frequency, ...] = tuple(Frequency)) -> Rhythm:
    starts_on = draw(_days)
    return Rhythm(
        frequency=draw(st.sampled_from(frequencies)),
        at=draw(st.one_of(st.times(), st.times(time(0), time(3)))).replace(second=0, microsecond=0),
        starts_on=starts_on,
        interval=draw(st.integers(1, 12)),
        days=frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
        day=draw(st.integers(28, 31) | st.integers(1, 31)),
        nth=draw(st.sampled_from((1, 2, 3, 4, LAST))),
        weekday=draw(st.integers(0, 6)),
        ends_on=draw(st.none() | st.just(starts_on + timedelta(days=draw(st.integers(0, 3000))))),
        on_holiday=draw(st.sampled_from(OnHoliday)),
    )


def days_by_hand(rhythm: Rhythm) -> set[date]:
    """Stepping from the start, instead of asking each day."""
    end = rhythm.starts_on + TEN_YEARS
    first = rhythm.starts_on
    months = []
    year, month = first.year, first.month
    while date(year, month, 1) <= end:
        months.append((year, month))
        year, month = year + (month + rhythm.interval - 1) // 12, (month + rhythm.interval - 1) % 12 + 1
    every_day = [first + timedelta(days=one) for one in range((end - first).days + 1)]
    match rhythm.frequency:
        case Frequency.DAILY:
            days = every_day[:: rhythm.interval]
        case Frequency.WEEKDAYS:
            days = [one for one in every_day if f"{one:%a}" not in ("Sat", "Sun")]
        case Frequency.WEEKLY:
            monday = first - timedelta(days=first.weekday())
            weeks = range(0, (end - monday).days + 1, 7 * rhythm.interval)
            days = [monday + timedelta(days=week + one) for week in weeks for one in rhythm.days]
        case Frequency.ON_DATE:
            days = [
                max(one for one in calendar.Calendar().itermonthdates(*each) if one.month == each[1])
                if rhythm.day > calendar.monthrange(*each)[1]
                else date(*each, rhythm.day)
                for each in months
            ]
        case Frequency.ON_WEEKDAY:
            columns = [
                [week[rhythm.weekday] for week in calendar.monthcalendar(*each) if week[rhythm.weekday]]
                for each in months
            ]
            places = [column[-1 if rhythm.nth == LAST else rhythm.nth - 1] for column in columns]
            days = [date(*each, place) for each, place in zip(months, places, strict=True)]
    last = min(rhythm.ends_on or end, end)
    return {one for one in days if first <= one <= last}


def moment_by_hand(shown: datetime, zone: zoneinfo.ZoneInfo) -> tuple[datetime, bool]:
    """The first moment of UTC at which the clock shows this, or the first at which it shows more; and whether it shows just this."""
    middle = shown.replace(tzinfo=UTC)
    offsets = {(middle + step * HOUR).astimezone(zone).utcoffset() for step in range(-36, 37, 3)}
    candidates = sorted(middle - one for one in offsets if one is not None)
    for one in candidates:
        if one.astimezone(zone).replace(tzinfo=None) == shown:
            return one, True
    at = candidates[0] - 3 * HOUR
    while at.astimezone(zone).replace(tzinfo=None) < shown:
        at += timedelta(seconds=60)
    return at, False


def works(day: date, holidays: dict[date, str]) -> bool:
    return day.isoweekday() < 6 and day not in holidays


def within(rhythm: Rhythm, zone: str, holidays: dict[date, str]) -> list[PlannedTime]:
    end = rhythm.starts_on + TEN_YEARS
    return [one for one in planned(rhythm, zone, holidays=holidays, since=rhythm.starts_on) if one.on <= end]


@pytest.mark.parametrize("frequency", Frequency)
@settings(max_examples=12, deadline=None)
@given(data=st.data(), zone=st.sampled_from(ZONES))
def test_nothing_is_missed_or_doubled_in_ten_years(
    frequency: Frequency, data: st.DataObject, zone: str
) -> None:
    rhythm = data.draw(rhythms((frequency,)))
    expected = days_by_hand(rhythm)
    some = st.sets(st.sampled_from(sorted(expected)), max_size=8) if expected else st.just(set())
    holidays = dict.fromkeys(data.draw(some), "Founders' Day")
    found = within(rhythm, zone, holidays)
    assert sorted(one.on for one in found) == sorted(expected)  # each day of the rhythm once
    made = [one for one in found if not one.left_out]
    assert len({one.at for one in made}) == len(made)
    assert [one.at for one in found] == sorted(one.at for one in found)

    there = zoneinfo.ZoneInfo(zone)
    for one in found:
        day = one.on
        if day in holidays and rhythm.on_holiday is not OnHoliday.SEND:
            assert any("Founders' Day" in says for says in one.says)
            if rhythm.on_holiday is OnHoliday.SKIP:
                assert one.left_out
                continue
            while not works(day, holidays):
                day += timedelta(days=1)
            if one.left_out:  # because another is there, or the end came first
                assert day in expected or day > (rhythm.ends_on or date.max) or _is_there(made, day, there)
                continue
        shown = datetime.combine(day, rhythm.at)
        at, exists = moment_by_hand(shown, there)
        assert one.at == at
        skipped = [says for says in one.says if "does not exist" in says]
        assert bool(skipped) is not exists, one  # never at a skipped hour without being said
        if one.left_out:
            assert "does not exist in" in skipped[0], one


def _is_there(made: list[PlannedTime], day: date, there: zoneinfo.ZoneInfo) -> bool:
    return any(abs((one.at.astimezone(there).date() - day).days) <= 1 for one in made)


@settings(max_examples=20, deadline=None)
@given(rhythm=rhythms(), zone=st.sampled_from(ZONES), skip=st.integers(0, 400))
def test_it_goes_on_from_any_day_as_if_read_from_the_start(rhythm: Rhythm, zone: str, skip: int) -> None:
    """What is asked day by day by a job is the same as what a page showed at once."""
    holidays = {rhythm.starts_on + timedelta(days=day): "Off" for day in range(0, 400, 9)}
    since = rhythm.starts_on + timedelta(days=skip)
    whole = planned(rhythm, zone, holidays=holidays, since=rhythm.starts_on)
    rest = list(islice(planned(rhythm, zone, holidays=holidays, since=since), 5))
    later = [one for one in islice(whole, 420) if one.on >= since or (rest and one.at >= rest[0].at)]
    assert rest == later[: len(rest)]


@pytest.mark.parametrize(
    ("rhythm", "words"),
    [
        ({"frequency": Frequency.WEEKDAYS}, "every weekday, Monday to Friday, at 09:00"),
        ({"frequency": Frequency.DAILY, "interval": 3, "times": 1}, "every 3 days at 09:00, 1 time"),
        (
            {"frequency": Frequency.WEEKLY, "days": frozenset({3, 0}), "ends_on": date(2027, 2, 1)},
            "every Monday and Thursday at 09:00, until 1 February 2027",
        ),
        ({"frequency": Frequency.ON_DATE, "day": 31}, "on the 31st of each month, or its last day, at 09:00"),
        (
            {"frequency": Frequency.ON_WEEKDAY, "nth": LAST, "weekday": 4, "interval": 2},
            "on the last Friday of every 2 months at 09:00",
        ),
    ],
)
def test_a_rhythm_in_words(rhythm: dict[str, object], words: str) -> None:
    assert str(Rhythm(at=time(9), starts_on=date(2026, 12, 1), **rhythm)) == words  # type: ignore[arg-type]


def test_days_and_hours_that_no_clock_shows_are_said() -> None:
    apia = Rhythm(frequency=Frequency.DAILY, at=time(0), starts_on=date(2011, 12, 29))
    found = list(islice(planned(apia, "Pacific/Apia", holidays={}, since=apia.starts_on), 3))
    assert [one.left_out for one in found] == [False, True, False]
    assert found[1].says == ("Friday 30 December 2011 does not exist in Pacific/Apia, so it is left out.",)
    late = Rhythm(frequency=Frequency.DAILY, at=time(1, 30), starts_on=date(2027, 3, 28))
    spring, _ = islice(planned(late, "Europe/London", holidays={}, since=late.starts_on), 2)
    assert spring.says == (
        "Clocks are changed on Sunday 28 March 2027: 01:30 does not exist, so it is 02:00.",
    )
    [autumn] = islice(planned(late, "Europe/London", holidays={}, since=date(2027, 10, 31)), 1)
    assert autumn.says == (
        "Clocks are changed on Sunday 31 October 2027: 01:30 comes twice; the first one counts.",
    )
    assert autumn.at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_two_holidays_before_one_working_day_make_one_occurrence() -> None:
    daily = Rhythm(
        frequency=Frequency.WEEKLY,
        days=frozenset({4, 5}),
        at=time(9),
        starts_on=date(2026, 12, 25),
        on_holiday=OnHoliday.MOVE,
    )
    holidays = {date(2026, 12, 25): "Christmas Day", date(2026, 12, 26): "Boxing Day"}
    found = list(islice(planned(daily, "Europe/London", holidays=holidays, since=daily.starts_on), 2))
    assert [(one.on.day, one.at.day, one.left_out) for one in found] == [(26, 26, True), (25, 28, False)]
    assert "Monday 28 December 2026 has one already" in found[0].says[0]
    assert found[1].says == ("Moved from Friday 25 December 2026, which is a holiday (Christmas Day).",)
