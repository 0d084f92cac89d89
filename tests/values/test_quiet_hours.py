"""Quiet hours and local times against a walk minute by minute, and against dates on which clocks did strange things.

`python -c "from tests.values.test_quiet_hours import bench; bench()"` prints the time of a call.
"""

import time as clock
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sms.values.quiet_hours import HORIZON_DAYS, QuietHours, local_instant, next_allowed, zones_of

MINUTE = timedelta(minutes=1)
NIGHT = QuietHours(time(21), time(8))
LONDON, NEW_YORK, LORD_HOWE = "Europe/London", "America/New_York", "Australia/Lord_Howe"
KOLKATA, APIA = "Asia/Kolkata", "Pacific/Apia"
PLACES = (
    LONDON,
    NEW_YORK,
    LORD_HOWE,
    KOLKATA,
    APIA,
    "Africa/Casablanca",
    "America/Nuuk",
    "America/St_Johns",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
    "UTC",
)


def bench(calls: int = 100_000) -> None:
    """Not a test: prints microseconds a call."""
    russia = ("Europe/Moscow", "Asia/Omsk", "Asia/Yakutsk", "Asia/Kamchatka", "Europe/Samara")
    apart = (LONDON, "Asia/Tokyo", "Pacific/Honolulu")
    begin = utc(2027, 1, 1)
    moments = [begin + timedelta(minutes=5 * step) for step in range(calls)]
    for name, zones, quiet in (
        ("one zone", (LONDON,), NIGHT),
        ("one zone, text", (LONDON,), "21:00-08:00"),
        ("five zones", russia, NIGHT),
        ("never", apart, NIGHT),
    ):
        for label, batch in (("over a year", moments), ("around now", moments[:1] * calls)):
            start = clock.perf_counter()
            for moment in batch:
                next_allowed(moment, zones, quiet)
            print(f"{name}, {label}: {(clock.perf_counter() - start) / calls * 1e6:.2f} µs a call")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC)


# --- The oracle: what the wall clock shows, minute by minute ------------------------------------------------------------
def quiet_at(moment: datetime, zone: str, quiet: QuietHours) -> bool:
    wall = moment.astimezone(zoneinfo.ZoneInfo(zone))
    if wall.weekday() not in quiet.days:
        return True
    if quiet.start < quiet.end:
        return quiet.start <= wall.time() < quiet.end
    return wall.time() >= quiet.start or wall.time() < quiet.end


def walked(moment: datetime, zones: tuple[str, ...], quiet: QuietHours, minutes: int) -> datetime | None:
    """The first allowed moment among `moment` and the full minutes after it. (Offsets today are full minutes.)"""
    at = moment
    for _ in range(minutes):
        if not any(quiet_at(at, zone, quiet) for zone in zones):
            return at
        at = at.replace(second=0, microsecond=0) + MINUTE
    return None


# --- A local time becomes a moment --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("zone", "naive", "expected"),
    [
        (LONDON, datetime(2027, 1, 15, 9), utc(2027, 1, 15, 9)),
        (LONDON, datetime(2027, 7, 15, 9), utc(2027, 7, 15, 8)),
        (LONDON, datetime(2027, 3, 28, 0, 59, 59), utc(2027, 3, 28, 0, 59, 59)),
        (LONDON, datetime(2027, 3, 28, 1), utc(2027, 3, 28, 1)),  # missing from here …
        (LONDON, datetime(2027, 3, 28, 1, 30), utc(2027, 3, 28, 1)),
        (LONDON, datetime(2027, 3, 28, 1, 59, 59, 999999), utc(2027, 3, 28, 1)),  # … to here
        (LONDON, datetime(2027, 3, 28, 2), utc(2027, 3, 28, 1)),
        (LONDON, datetime(2027, 10, 31, 0, 59), utc(2027, 10, 30, 23, 59)),
        (LONDON, datetime(2027, 10, 31, 1, 30), utc(2027, 10, 31, 0, 30)),  # twice: the first
        (LONDON, datetime(2027, 10, 31, 1, 30, fold=1), utc(2027, 10, 31, 0, 30)),
        (LONDON, datetime(2027, 10, 31, 2), utc(2027, 10, 31, 2)),
        (NEW_YORK, datetime(2027, 3, 14, 2, 30), utc(2027, 3, 14, 7)),
        (NEW_YORK, datetime(2027, 11, 7, 1, 30), utc(2027, 11, 7, 5, 30)),
        (LORD_HOWE, datetime(2027, 10, 3, 2, 15), utc(2027, 10, 2, 15, 30)),  # half an hour is missing
        (LORD_HOWE, datetime(2027, 10, 3, 2, 30), utc(2027, 10, 2, 15, 30)),
        (LORD_HOWE, datetime(2027, 4, 4, 1, 45), utc(2027, 4, 3, 14, 45)),  # and comes back
        (LORD_HOWE, datetime(2027, 4, 4, 2), utc(2027, 4, 3, 15, 30)),
        (KOLKATA, datetime(2027, 3, 28, 1, 30, 0, 5), utc(2027, 3, 27, 20, 0, 0, 5)),
        (APIA, datetime(2011, 12, 30, 12), utc(2011, 12, 30, 10)),  # a day that Samoa left out
        (APIA, datetime(2011, 12, 29, 23, 59), utc(2011, 12, 30, 9, 59)),
        (APIA, datetime(2027, 6, 1, 0), utc(2027, 5, 31, 11)),
    ],
)
def test_a_local_time_is_one_moment(zone, naive, expected):
    moment = local_instant(naive, zone)
    assert moment == expected
    assert moment.tzinfo is UTC


near_a_change = st.sampled_from(
    [
        (LONDON, datetime(2027, 3, 28, 1)),
        (LONDON, datetime(2027, 10, 31, 1)),
        (NEW_YORK, datetime(2027, 3, 14, 2)),
        (NEW_YORK, datetime(2027, 11, 7, 1)),
        (LORD_HOWE, datetime(2027, 10, 3, 2)),
        (LORD_HOWE, datetime(2027, 4, 4, 2)),
        (APIA, datetime(2011, 12, 30, 12)),
        (KOLKATA, datetime(2027, 1, 1)),
        ("America/Nuuk", datetime(2027, 3, 27, 23)),
    ]
)
seconds = st.integers(-100_000, 100_000).map(lambda count: timedelta(seconds=count))


@given(near_a_change, seconds, seconds)
def test_a_later_local_time_is_never_an_earlier_moment(place, one, other):
    zone, middle = place
    earlier, later = sorted((middle + one, middle + other))
    assert local_instant(earlier, zone) <= local_instant(later, zone)


@given(
    st.sampled_from(sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})),
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),
)
def test_a_local_time_comes_back_or_was_skipped(zone, naive):
    there = zoneinfo.ZoneInfo(zone)
    moment = local_instant(naive, zone)
    shown = moment.astimezone(there).replace(tzinfo=None)
    if shown != naive:
        assert shown > naive
        before = (moment - timedelta(microseconds=1)).astimezone(there).replace(tzinfo=None)
        assert before < naive
        return
    for hours in range(1, 4):  # no moment before it shows the same
        earlier = (moment - timedelta(hours=hours / 2)).astimezone(there).replace(tzinfo=None)
        assert earlier != naive


@pytest.mark.parametrize(
    ("naive", "zone", "words"),
    [
        (datetime(2027, 1, 1), "Mars/Base", "“Mars/Base” is no time zone"),
        (datetime(2027, 1, 1), "", "“” is no time zone"),
        (datetime(2027, 1, 1), "../../etc/passwd", "is no time zone"),
        (datetime(2027, 1, 1), "Europe", "“Europe” is no time zone"),
        (utc(2027, 1, 1), LONDON, "has an offset already"),
        (datetime.max, NEW_YORK, "outside the years"),
        (datetime.min, KOLKATA, "outside the years"),
    ],
)
def test_what_is_no_local_time_is_refused_in_a_sentence(naive, zone, words):
    with pytest.raises(ValueError, match=words):
        local_instant(naive, zone)


# --- Quiet hours as text ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "expected", "written"),
    [
        ("21:00-08:00", NIGHT, "21:00-08:00"),
        (" 21:00 – 8:00 ", NIGHT, "21:00-08:00"),
        ("12:30-14:15", QuietHours(time(12, 30), time(14, 15)), "12:30-14:15"),
        ("21:00-00:00", QuietHours(time(21), time(0)), "21:00-00:00"),
        ("21:00-08:00 mon-fri", QuietHours(time(21), time(8), frozenset(range(5))), "21:00-08:00 Mon-Fri"),
        ("21:00-08:00 Sat-Mon", QuietHours(time(21), time(8), frozenset({5, 6, 0})), "21:00-08:00 Sat-Mon"),
        ("21:00-08:00 Wed", QuietHours(time(21), time(8), frozenset({2})), "21:00-08:00 Wed"),
        (
            "21:00-08:00 Mon, Wed–Thu, Sat",
            QuietHours(time(21), time(8), frozenset({0, 2, 3, 5})),
            "21:00-08:00 M-WT-S-",
        ),
        ("21:00-08:00 Sun-Sat", NIGHT, "21:00-08:00"),
    ],
)
def test_quiet_hours_are_read_and_written(text, expected, written):
    quiet = QuietHours.parse(text)
    assert quiet == expected
    assert str(quiet) == written


times = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))
weekdays = st.one_of(st.just(frozenset(range(7))), st.frozensets(st.integers(0, 6), min_size=1))
quiets = (
    st.tuples(times, times, weekdays).filter(lambda parts: parts[0] != parts[1]).map(lambda p: QuietHours(*p))
)


@given(quiets)
def test_what_is_written_reads_back_and_fits_its_column(quiet):
    assert QuietHours.parse(str(quiet)) == quiet
    assert len(str(quiet)) <= 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "“” is not read as quiet hours. Write them like 21:00-08:00"),
        ("9pm to 8am", "“9pm to 8am” is not read"),
        ("21:00", "“21:00” is not read"),
        ("21:00-08:00-09:00", "is not read"),
        ("٢١:00-08:00", "is not read"),
        ("25:00-08:00", "“25:00-08:00” has a time that no clock shows"),
        ("21:00-08:60", "no clock shows"),
        ("08:00-08:00", "begin and end at the same minute"),
        ("21:00-08:00 Mon-", None),
        ("21:00-08:00 Funday", "“Funday” is not read as weekdays"),
        ("21:00-08:00 Mon-Tue-Wed", "is not read as weekdays"),
        ("21:00-08:00 ,", "is not read as weekdays"),
        ("21:00-08:00 -------", "at least one weekday"),
    ],
)
def test_other_text_is_refused_in_a_sentence(text, words):
    if words is None:  # a range that stops is its first day
        assert QuietHours.parse(text).days == {0}
        return
    with pytest.raises(ValueError, match=words):
        QuietHours.parse(text)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        quiet = QuietHours.parse(text)
    except ValueError as refusal:
        assert str(refusal).endswith((".", "exist."))
    else:
        assert QuietHours.parse(str(quiet)) == quiet


@pytest.mark.parametrize(
    "parts",
    [
        (time(21, 0, 1), time(8)),
        (time(21), time(8, tzinfo=UTC)),
        (time(21), time(21)),
        (time(21), time(8), frozenset()),
        (time(21), time(8), frozenset({7})),
    ],
)
def test_a_value_that_makes_no_sense_cannot_be(parts):
    with pytest.raises(ValueError, match="Quiet hours"):
        QuietHours(*parts)


# --- The first allowed moment -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("zone", "moment", "quiet", "expected"),
    [
        (LONDON, utc(2027, 1, 15, 12, 0, 0, 7), NIGHT, utc(2027, 1, 15, 12, 0, 0, 7)),
        (LONDON, utc(2027, 1, 15, 20, 59, 59, 999999), NIGHT, utc(2027, 1, 15, 20, 59, 59, 999999)),
        (LONDON, utc(2027, 1, 15, 21), NIGHT, utc(2027, 1, 16, 8)),
        (LONDON, utc(2027, 1, 16, 7, 59, 59, 999999), NIGHT, utc(2027, 1, 16, 8)),
        (LONDON, utc(2027, 1, 16, 8, 0, 0, 7), NIGHT, utc(2027, 1, 16, 8, 0, 0, 7)),
        (LONDON, utc(2027, 3, 27, 23), NIGHT, utc(2027, 3, 28, 7)),  # the night is an hour shorter
        (LONDON, utc(2027, 10, 30, 23), NIGHT, utc(2027, 10, 31, 8)),  # and longer
        (
            LONDON,
            utc(2027, 3, 28, 0, 30),
            "00:00-01:30",
            utc(2027, 3, 28, 1),
        ),  # its end is missing: the change
        (LONDON, utc(2027, 10, 30, 23, 30), "00:00-01:30", utc(2027, 10, 31, 0, 30)),
        (LONDON, utc(2027, 10, 31, 1, 10), "00:00-01:30", utc(2027, 10, 31, 1, 30)),  # 01:10 a second time
        (LONDON, utc(2027, 3, 28, 0, 59), "01:00-02:00", utc(2027, 3, 28, 0, 59)),  # all of it is missing
        (LONDON, utc(2027, 3, 28, 1), "01:00-02:00", utc(2027, 3, 28, 1)),
        (NEW_YORK, utc(2027, 3, 14, 5), NIGHT, utc(2027, 3, 14, 12)),
        (NEW_YORK, utc(2027, 11, 7, 5), NIGHT, utc(2027, 11, 7, 13)),
        # the last day of a stretch that is worked out at once
        (NEW_YORK, utc(2030, 3, 10, 5), NIGHT, utc(2030, 3, 10, 12)),
        (NEW_YORK, utc(2041, 11, 3, 5), NIGHT, utc(2041, 11, 3, 13)),
        (LORD_HOWE, utc(2027, 10, 2, 12), NIGHT, utc(2027, 10, 2, 21)),
        (LORD_HOWE, utc(2027, 4, 3, 12), NIGHT, utc(2027, 4, 3, 21, 30)),
        (KOLKATA, utc(2027, 6, 1, 16), NIGHT, utc(2027, 6, 2, 2, 30)),
        (APIA, utc(2027, 6, 1, 9), NIGHT, utc(2027, 6, 1, 19)),
        (APIA, utc(2011, 12, 30, 9), "21:00-08:00 Fri", utc(2012, 1, 5, 18)),  # that Friday never was
        (LONDON, utc(2027, 1, 15, 22), "21:00-08:00 Mon-Fri", utc(2027, 1, 18, 8)),
        (LONDON, utc(2027, 1, 15, 13), "12:00-14:00", utc(2027, 1, 15, 14)),
        (LONDON, utc(2027, 1, 15, 22), "21:00-00:00 Sun", utc(2027, 1, 17, 0)),
    ],
)
def test_the_first_allowed_moment(zone, moment, quiet, expected):
    found = next_allowed(moment, (zone,), quiet)
    assert found == expected
    assert found.tzinfo is UTC


def test_where_a_number_may_be_in_several_zones_all_must_be_awake():
    coasts = (NEW_YORK, "America/Los_Angeles")
    assert next_allowed(local(NEW_YORK, 2027, 1, 15, 8, 30), coasts, NIGHT) == local(
        coasts[1], 2027, 1, 15, 8
    )
    assert next_allowed(local(NEW_YORK, 2027, 1, 15, 21), coasts, NIGHT) == local(coasts[1], 2027, 1, 16, 8)
    assert next_allowed(local(NEW_YORK, 2027, 1, 15, 20), coasts, NIGHT) == local(NEW_YORK, 2027, 1, 15, 20)


def test_zones_too_far_apart_have_no_moment_in_common():
    around_the_world = (LONDON, "Asia/Tokyo", "Pacific/Honolulu")
    assert next_allowed(utc(2027, 1, 15, 12), around_the_world, NIGHT) is None
    assert walked(utc(2027, 1, 15, 12), around_the_world, NIGHT, 3 * 1440) is None


def test_a_moment_that_only_summer_time_gives_is_found_within_the_horizon():
    """In winter Kolkata is 5:30 ahead of London and the windows do not meet; in summer 4:30, and they do for half an hour."""
    quiet = QuietHours(time(14), time(9))  # five hours a day
    found = next_allowed(utc(2027, 11, 15), (LONDON, KOLKATA), quiet)
    assert found == utc(2028, 3, 26, 8)
    assert found - utc(2027, 11, 15) < timedelta(days=HORIZON_DAYS)


def test_any_offset_is_taken_and_none_is_refused():
    there = zoneinfo.ZoneInfo(NEW_YORK)
    assert next_allowed(datetime(2027, 1, 15, 23, tzinfo=there), (NEW_YORK,), NIGHT) == utc(2027, 1, 16, 13)
    with pytest.raises(ValueError, match="no offset"):
        next_allowed(datetime(2027, 1, 15, 23), (NEW_YORK,), NIGHT)


def test_without_zones_the_one_of_the_quiet_hours_counts():
    tokyo = QuietHours.parse("21:00-08:00", zone="Asia/Tokyo")
    assert next_allowed(utc(2027, 1, 15, 12), (), tokyo) == utc(2027, 1, 15, 23)
    assert next_allowed(utc(2027, 1, 15, 12), (LONDON,), tokyo) == utc(2027, 1, 15, 12)
    with pytest.raises(ValueError, match="need a time zone"):
        next_allowed(utc(2027, 1, 15, 12), (), NIGHT)
    with pytest.raises(ValueError, match="“Mars/Base” is no time zone"):
        next_allowed(utc(2027, 1, 15, 12), (LONDON, "Mars/Base"), NIGHT)


def test_a_column_comes_before_the_number_and_the_number_before_the_service():
    both = (LONDON, NEW_YORK)
    assert zones_of(column=KOLKATA, number=both, service=APIA) == (KOLKATA,)
    assert zones_of(column="", number=both, service=APIA) == both
    assert zones_of(column="", number=(), service=APIA) == (APIA,)


# --- For any moment, zones and hours ------------------------------------------------------------------------------------
@lru_cache
def changes(zone: str) -> list[datetime]:
    """The moments in 2027 and 2028 at which the clocks there are changed, to a quarter of an hour."""
    there, found = zoneinfo.ZoneInfo(zone), []
    day, quarter = timedelta(days=1), timedelta(minutes=15)
    at = utc(2027, 1, 1)
    while at.year < 2029:
        if at.astimezone(there).utcoffset() != (at + day).astimezone(there).utcoffset():
            change = at
            while change.astimezone(there).utcoffset() == at.astimezone(there).utcoffset():
                change += quarter
            found.append(change)
        at += day
    return found


@st.composite
def cases(draw):
    zones = tuple(draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True)))
    near = [moment for zone in zones for moment in changes(zone)]
    middle = draw(st.sampled_from(near)) if near and draw(st.booleans()) else utc(2027, 1, 1)
    reach = timedelta(days=3) if middle in near else timedelta(days=730)
    moment = middle + draw(st.timedeltas(-timedelta(days=3), reach))
    return moment, zones, draw(quiets)


@given(cases())
@settings(max_examples=150)
@example((utc(2027, 10, 31, 1, 10), (LONDON,), QuietHours(time(0), time(1, 30))))
@example((utc(2027, 4, 3, 15, 10), (LORD_HOWE,), QuietHours(time(1, 40), time(1, 50))))
def test_the_first_allowed_moment_is_the_one_that_walking_finds(case):
    moment, zones, quiet = case
    week = 8 * 1440
    found, expected = next_allowed(moment, zones, quiet), walked(moment, zones, quiet, week)
    if expected is None:
        assert found is None or found > moment + timedelta(minutes=week - 1)
    else:
        assert found == expected
    if found is not None:
        assert found >= moment
        assert not any(quiet_at(found, zone, quiet) for zone in zones)
        assert next_allowed(found, zones, quiet) == found
        if found > moment:
            just_before = found - timedelta(microseconds=1)
            assert any(quiet_at(just_before, zone, quiet) for zone in zones)


def test_at_every_change_of_every_zone_the_night_is_kept():
    """Every zone there is, probes around each change in two years: 08:00 by the clock, not before."""
    checked = 0
    for zone in sorted(zoneinfo.available_timezones() - {"Factory", "localtime"}):
        for change in changes(zone):
            for hours in range(-14, 15, 4):
                moment = change + timedelta(hours=hours)
                found = next_allowed(moment, (zone,), NIGHT)
                wall = found.astimezone(zoneinfo.ZoneInfo(zone))
                assert time(8) <= wall.time() < time(21), (zone, moment)
                assert found == moment or (wall.time() == time(8) and quiet_at(found - MINUTE, zone, NIGHT))
                checked += 1
    assert checked > 1000


def test_dates_before_1970_and_far_ahead_work_too():
    assert next_allowed(utc(1960, 1, 15, 22), (LONDON,), NIGHT) == utc(1960, 1, 16, 8)
    assert next_allowed(utc(2300, 7, 15, 22), (LONDON,), NIGHT) == utc(2300, 7, 16, 7)
    assert date(2300, 7, 16).weekday() == 0
