"""Zones of numbers, against the library's own slow answer, and zones as people write them.

`python -c "from tests.values.test_time_zones import bench; bench()"` prints the rates.
"""

import random
import time
import zoneinfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from sms.values.time_zones import BadZone, of_number, read

MOBILE_AND_LANDLINE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)


def bench(numbers: int = 100_000) -> None:
    """Not a test: prints numbers per second, for a mix of every country and for the costliest one."""
    pick = random.Random(1)
    samples = [number for number, _ in examples()]
    for name, batch in (
        ("mixed", [pick.choice(samples) for _ in range(numbers)]),
        ("+61 4", [f"+614{pick.randrange(10**8):08}" for _ in range(numbers)]),
        ("+1", [f"+1212{pick.randrange(10**7):07}" for _ in range(numbers)]),
        ("+44 7", [f"+447{pick.randrange(10**9):09}" for _ in range(numbers)]),
    ):
        start = time.perf_counter()
        for number in batch:
            of_number(number)
        took = time.perf_counter() - start
        print(f"{name}: {numbers / took:,.0f} numbers/s, {took:.2f} s for {numbers:,}")


def examples() -> list[tuple[str, phonenumbers.PhoneNumber]]:
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in MOBILE_AND_LANDLINE:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                found.append((phonenumbers.format_number(number, PhoneNumberFormat.E164), number))
    return found


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+12125550123", ("America/New_York",)),
        ("12125550123", ("America/New_York",)),
        ("+18762101234", ("America/Jamaica",)),  # a mobile of one island, not of all of +1
        ("+919876543210", ("Asia/Calcutta",)),
        ("+6857212345", ("Pacific/Apia",)),
        ("+61236618300", ("Australia/Sydney",)),
        ("+5511961234567", ("America/Sao_Paulo",)),  # Brazil's mobiles have an area code
        ("+34612345678", ("Atlantic/Canary", "Europe/Madrid")),  # Spain's have none
        ("+34922123456", ("Atlantic/Canary",)),
        ("+77710009998", ("Asia/Almaty", "Asia/Aqtobe")),
        ("+80012345678", ()),
        ("+881612345678", ()),
        ("+9991234", ()),
        ("+", ()),
        ("", ()),
        ("+44•••", ()),
        ("+٤٤٧٧٠٠٩٠٠١٢٣", ()),
        ("hello", ()),
    ],
)
def test_a_number_has_these_zones(number, expected):
    assert of_number(number) == expected


def test_a_mobile_without_an_area_may_be_anywhere_in_its_country():
    australian = of_number("+61412345678")
    assert {"Australia/Perth", "Australia/Sydney"} <= set(australian)
    assert len(of_number("+79123456789")) > 10


def test_an_unassigned_range_is_as_wide_as_its_country():
    assert of_number("+61999999999") == of_number("+61412345678")
    assert of_number("+447") == of_number("+447700900123")
    assert "Europe/London" in of_number("+447")


def test_no_example_of_any_country_gets_fewer_zones_than_it_should():
    """The library's answer may be wider where islands share +1 or Kazakhstan +7: there the range is a country's own."""
    for e164, number in examples():
        theirs, ours = set(time_zones_for_number(number)) - {UNKNOWN_TIMEZONE}, set(of_number(e164))
        if number.country_code in {1, 7, 262, 599}:
            assert ours
            assert ours <= theirs, e164
        else:
            assert ours >= theirs, e164


def test_this_machine_knows_every_zone_of_every_number():
    named = {name for names in TIMEZONE_DATA.values() for name in names}
    assert len(named) > 250
    assert named - zoneinfo.available_timezones() == set()


@given(st.text(max_size=20) | st.from_regex(r"\+?[0-9]{0,18}", fullmatch=True))
def test_any_string_gets_zones_that_exist(text):
    zones = of_number(text)
    assert list(zones) == sorted(set(zones))
    for name in zones:
        zoneinfo.ZoneInfo(name)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Europe/London", "Europe/London"),
        ("  europe/LONDON ", "Europe/London"),
        ("America/New York", "America/New_York"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Australia/Lord_Howe", "Australia/Lord_Howe"),
        ("US/Eastern", "US/Eastern"),
        ("utc", "UTC"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_cell_names_a_zone(cell, expected):
    assert read(cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "GMT+2",
        "Etc/GMT+2",
        "EST",
        "CET",
        "+02:00",
        "localtime",
        "Factory",
        "London",
        "Mars/Base",
        "../etc/passwd",
        "\0",
    ],
)
def test_a_cell_that_names_none_is_quoted_in_the_refusal(cell):
    with pytest.raises(BadZone) as refused:
        read(cell)
    assert f"“{cell}”" in str(refused.value)
    assert "Europe/London" in str(refused.value)


def test_a_long_cell_is_cut_in_the_refusal():
    with pytest.raises(BadZone) as refused:
        read("x" * 5000)
    assert len(str(refused.value)) < 150


@given(st.text())
def test_any_cell_is_read_or_refused(cell):
    try:
        zone = read(cell)
    except BadZone:
        return
    assert zone == "" or zoneinfo.ZoneInfo(zone)
    assert read(zone) == zone


def test_every_zone_of_a_number_can_be_written_in_a_cell():
    for names in TIMEZONE_DATA.values():
        for name in names:
            assert read(name) == name
