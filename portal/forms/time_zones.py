"""Times of a clock in a named zone: the choice of the zone, and the moment that a date and a time there mean."""

import zoneinfo
from datetime import datetime
from functools import cache
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sms.values.quiet_hours import local_instant

_AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
Group = tuple[str, list[tuple[str, str]]]


class WallClockField(forms.DateTimeField):
    """A date and a time as a clock shows them, without a zone; what carries an offset keeps it. `moment` makes it exact."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, str):
            try:
                if (found := parse_datetime(value.strip())) is not None:
                    return found
            except ValueError:  # the 30th of February
                pass
        return super().to_python(value)


@cache
def _known() -> frozenset[str]:
    """Looking opens some hundred files, too many for every save."""
    return frozenset(zoneinfo.available_timezones())


@cache
def _areas() -> list[Group]:
    names = sorted(_known())
    return [
        (
            area,
            [(name, _place(name)) for name in names if name.startswith(f"{area}/")],
        )
        for area in _AREAS
    ]


def _place(name: str) -> str:
    return name.partition("/")[2].replace("_", " ").replace("/", ", ")


def choices(*names: str) -> list[Group]:
    """The zones that are near at hand first, then every place of the world."""
    near = [(name, name.replace("_", " ")) for name in dict.fromkeys(names) if name]
    return [("At hand", [*near, ("UTC", "UTC")] if "UTC" not in names else near), *_areas()]


def is_zone(name: str) -> bool:
    return name == "UTC" or name in _known()


def moment(there: datetime, zone: str) -> datetime:
    """When a clock in `zone` shows `there`; raises ValidationError where it never does, with the way out."""
    if there.tzinfo is not None:
        return there
    try:
        found = local_instant(there, zone)
    except ValueError as problem:
        raise forms.ValidationError(str(problem)) from None
    shown = found.astimezone(zoneinfo.ZoneInfo(zone))
    if shown.replace(tzinfo=None) != there.replace(fold=0):
        raise forms.ValidationError(
            f"{there:%H:%M} does not exist on {there:%-d %B %Y} in {zone}: the clocks go forward to {shown:%H:%M}. "
            f"Choose {shown:%H:%M} or later."
        )
    return found


def in_words(at: datetime, zone: str) -> str:
    """`Thu 3 Dec 2026, 09:00 in Europe/Berlin (UTC+01:00)`; says it where that hour comes twice, and what it is for the viewer."""
    there = at.astimezone(zoneinfo.ZoneInfo(zone))
    words = f"{there:%a} {there.day} {there:%b %Y, %H:%M} in {zone} (UTC{_offset(there)})"
    again = there.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=1 - there.fold)
    if again.utcoffset() != there.utcoffset():
        first = "first" if there.fold == 0 else "second"
        words += f". The clocks go back that night, so {there:%H:%M} comes twice; the {first} one is meant"
    here = timezone.localtime(at)
    if here.utcoffset() != there.utcoffset():
        words += f". For you: {here:%a %H:%M} in {timezone.get_current_timezone_name()}"
    return f"{words}."


def _offset(there: datetime) -> str:
    written = there.strftime("%z")
    return f"{written[:3]}:{written[3:5]}"
