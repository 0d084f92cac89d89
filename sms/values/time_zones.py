"""Where a recipient's clock may stand: the time zones of a number, and a zone as people write it. Pure.

    of_number("+61236618300")  the zones that its range can be in, () when the number says nothing
    read(" europe/london ")    "Europe/London", or `BadZone` with a sentence that names the cell

A number is where it was given out, not where its owner is: ported numbers and travellers are why a column of the
audience comes first (`sms.values.quiet_hours.zones_of`). Called by the audience reader, by dispatch and by the forecast.
"""

import zoneinfo
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from sms.values.msisdn import plan
from sms.values.msisdn.kinds import TEXTABLE, NumberKind
from sms.words import KeptSentence, gettext, gettext_noop

NO_ZONE = KeptSentence(gettext_noop("“%(written)s” is not a time zone. Write a place, like Europe/London."))

# Mobiles of these codes have an area in their number, as landlines do (North America; Mexico, Argentina, Brazil,
# Indonesia, China). Anywhere else a mobile's range belongs to an operator, so the whole country is possible.
_MOBILES_WITH_AREA = {"1", "52", "54", "55", "62", "86"}
_UNIVERSAL = {"utc": "UTC", "etc/utc": "Etc/UTC"}
_SHOWN = 40


class BadZone(ValueError):
    """No time zone that could be meant. str() is a sentence for a person and names the cell."""


def of_number(e164: str) -> tuple[str, ...]:
    """IANA names of every zone where this number (with or without its plus) can be, sorted.

    All zones of the calling code where the range is unknown or is a mobile's; () for a calling code without a
    place (+800, satellites) and for what is no number. A name that this machine does not know is among them, so that
    quiet hours are held and not somebody else's.
    """
    digits = e164.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return ()
    code = plan.calling_code(digits)
    whole = _zones(code)
    if len(whole) < 2 or (code not in _MOBILES_WITH_AREA and not _shows_area(code, digits[len(code) :])):
        return whole
    return _by_prefix(digits[:TIMEZONE_LONGEST_PREFIX])


def read(cell: str) -> str:
    """The zone that `cell` names, as IANA spells it; "" for an empty cell. Raises `BadZone`, and nothing else.

    Case, spaces around it and spaces for underscores are forgiven. Offsets ("GMT+2") and abbreviations ("EST")
    are refused: they know no summer time, and IANA's own Etc/GMT+2 lies west of Greenwich, which is never meant.
    """
    written = cell.strip()
    if not written:
        return ""
    found = _names().get(written.lower().replace(" ", "_"))
    if found is None:
        shown = written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
        raise BadZone(NO_ZONE(written=shown))
    return found


def _shows_area(code: str, number: str) -> bool:
    """Whether the range of `number` is that of a place smaller than all that share the calling code."""
    main = plan.main_territory(code)
    found = plan.settled(code, number, home=main)
    if found.owner is None:
        return False
    # Kazakhstan's numbers under Russia's code: their first digits are a country's, mobile or not.
    belongs_to_smaller = found.owner.leading is not None and found.owner is not main
    return belongs_to_smaller or found.kind not in (*TEXTABLE, NumberKind.MACHINE)


@cache
def _zones(prefix: str) -> tuple[str, ...]:
    """What the table has for exactly these digits. Asked for calling codes and for prefixes in the table, so bounded."""
    return tuple(sorted({here(name) or name for name in TIMEZONE_DATA.get(prefix, ())}))


def _by_prefix(digits: str) -> tuple[str, ...]:
    for length in range(len(digits), 0, -1):
        if digits[:length] in TIMEZONE_DATA:
            return _zones(digits[:length])
    return ()


def or_utc(name: str) -> str:
    """A stored name as far as this machine knows it: for screens and forecasts, where a page that says UTC beats none."""
    return here(name) or "UTC"


def here(name: str) -> str:
    """The name under which this machine has that clock: the same, or another that IANA has for it; "" where it has none."""
    if name == "UTC" or name in known():
        return name
    return next((twin for twin in _twins().get(name, ()) if twin in known()), "")


def waits_because(zone: str) -> str:
    """What is said of messages whose quiet hours cannot be told, and the way out."""
    return gettext(
        "This machine does not know the time zone %(zone)s, so messages with quiet hours wait. "
        "Choose another zone, or ask your operator to install the package tzdata."
    ) % {"zone": zone}


def unknown(names: Iterable[str]) -> list[str]:
    """Those of the names that this machine has under none; the empty one stands for no zone."""
    return sorted(name for name in set(names) if name and not here(name))


def unknown_of_numbers() -> list[str]:
    """Names in the table of numbers that this machine lacks: recipients there would be taken for somebody elsewhere."""
    return unknown(name for names in TIMEZONE_DATA.values() for name in names)


@cache
def known() -> frozenset[str]:
    """Of this machine's database; looking opens some hundred files."""
    return frozenset(zoneinfo.available_timezones())


@cache
def _twins() -> dict[str, list[str]]:
    """Of every name that has any, the others for the same clock, today's first."""
    lines = Path(__file__).with_name("zone_links.txt").read_text("utf-8").splitlines()
    names: dict[str, list[str]] = {}
    for old, today in (line.split() for line in lines if not line.startswith("#")):
        names.setdefault(today, [today]).append(old)
    return {name: alike for alike in names.values() for name in alike}


@cache
def _names() -> dict[str, str]:
    """Lower case → this machine's spelling, of every zone that is a place's."""
    outside = ("Etc/", "SystemV/")
    places = {
        name.lower(): here(name)
        for name in {*known(), *_twins()}
        if "/" in name and not name.startswith(outside) and here(name)
    }
    return places | _UNIVERSAL
