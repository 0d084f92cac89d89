"""Times of a clock in a named zone: the choice of the zone, and the moment that a date and a time there mean."""

import zoneinfo
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sms.models.sql.clock import corrected_now
from sms.values.quiet_hours import local_instant
from sms.values.time_zones import here, known, or_utc

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


class LocalTimeField(WallClockField):
    """In the page's time zone, made exact: an hour that the clocks skip becomes the moment they change; one that they repeat, its first."""

    def to_python(self, value: Any) -> datetime | None:
        found = super().to_python(value)
        if found is None or found.tzinfo is not None:
            return found
        try:
            return local_instant(found, timezone.get_current_timezone_name())
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from None


@cache
def _areas() -> list[Group]:
    """Every place of the world by its part of it: `Argentina, Buenos Aires` in America."""
    of_area: dict[str, list[tuple[str, str]]] = {area: [] for area in _AREAS}
    for name in sorted(known()):
        area, _, place = name.partition("/")
        if area in of_area:
            of_area[area].append((name, place.replace("_", " ").replace("/", ", ")))
    return list(of_area.items())


def choices(*names: str) -> list[Group]:
    """The zones that are near at hand first, then every place of the world."""
    near = [(name, name.replace("_", " ")) for name in dict.fromkeys(names) if name]
    return [("At hand", [*near, ("UTC", "UTC")] if "UTC" not in names else near), *_areas()]


def is_zone(name: str) -> bool:
    return bool(here(name))


def moment(there: datetime, zone: str) -> datetime:
    """When a clock in `zone` shows `there`; raises ValidationError where it never does, with the way out."""
    if there.tzinfo is not None:
        return there
    try:
        found = local_instant(there, zone)
    except ValueError as problem:
        raise forms.ValidationError(str(problem)) from None
    shown = found.astimezone(zoneinfo.ZoneInfo(or_utc(zone)))
    if shown.replace(tzinfo=None) != there.replace(fold=0):
        raise forms.ValidationError(
            f"{there:%H:%M} does not exist on {there:%-d %B %Y} in {zone}: the clocks go forward to {shown:%H:%M}. "
            f"Choose {shown:%H:%M} or later."
        )
    return found


def in_words(at: datetime, zone: str) -> str:
    """`Thu 3 Dec 2026, 09:00 in Europe/Berlin (UTC+01:00)`; says it where that hour comes twice, and what it is for the viewer.

    Without a zone it is the viewer's.
    """
    meant = zone or timezone.get_current_timezone_name()
    zone = or_utc(meant)
    there = at.astimezone(zoneinfo.ZoneInfo(zone))
    offset = there.strftime("%z")
    words = f"{there:%a} {there.day} {there:%b %Y, %H:%M} in {zone} (UTC{offset[:3]}:{offset[3:5]})"
    again = there.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=1 - there.fold)
    if again.utcoffset() != there.utcoffset():
        first = "first" if there.fold == 0 else "second"
        words += f". The clocks go back that night, so {there:%H:%M} comes twice; the {first} one is meant"
    if zone == "UTC" and not here(meant):
        words += f". This machine does not know the time zone {meant}, so it is shown in UTC"
    yours = timezone.localtime(at)
    if yours.utcoffset() != there.utcoffset():
        words += f". For you: {yours:%a %H:%M} in {timezone.get_current_timezone_name()}"
    return f"{words}."


class Preset(NamedTuple):
    name: str
    label: str
    at: datetime  # as a clock shows it, without a zone


def presets(zone: str) -> list[Preset]:
    """Times that people often choose, by a clock in `zone`."""
    now = (
        corrected_now()
        .astimezone(zoneinfo.ZoneInfo(or_utc(zone)))
        .replace(tzinfo=None, second=0, microsecond=0)
    )
    in_an_hour = (corrected_now() + timedelta(hours=1)).astimezone(zoneinfo.ZoneInfo(or_utc(zone)))
    nine = now.replace(hour=9, minute=0)
    return [
        Preset("hour", "In an hour", in_an_hour.replace(tzinfo=None, second=0, microsecond=0)),
        Preset("tomorrow", "Tomorrow 9:00", nine + timedelta(days=1)),
        Preset("monday", "Next Monday 9:00", nine + timedelta(days=7 - now.weekday())),
    ]
