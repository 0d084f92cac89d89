"""Times of a clock in a named zone: the choice of the zone, and the moment that a date and a time there mean."""

import zoneinfo
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sms.models.sql.clock import corrected_now
from sms.values.quiet_hours import local_instant
from sms.values.time_zones import here, known, or_utc
from sms.words import moment as in_order
from sms.words import retold

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_AREAS = {
    "Africa": gettext_lazy("Africa"),
    "America": gettext_lazy("America"),
    "Antarctica": gettext_lazy("Antarctica"),
    "Asia": gettext_lazy("Asia"),
    # Translators: as in the Atlantic Ocean, a group of time zones; so are Indian and Pacific.
    "Atlantic": gettext_lazy("Atlantic"),
    "Australia": gettext_lazy("Australia"),
    "Europe": gettext_lazy("Europe"),
    # Translators: as in the Indian Ocean, a group of time zones.
    "Indian": gettext_lazy("Indian"),
    # Translators: as in the Pacific Ocean, a group of time zones.
    "Pacific": gettext_lazy("Pacific"),
}
Group = tuple["StrOrPromise", list[tuple[str, str]]]


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
            raise forms.ValidationError(retold(str(problem))) from None


@cache
def _areas() -> list[Group]:
    """Every place of the world by its part of it: `Argentina, Buenos Aires` in America."""
    of_area: dict[str, list[tuple[str, str]]] = {area: [] for area in _AREAS}
    for name in sorted(known()):
        area, _slash, place = name.partition("/")
        if area in of_area:
            of_area[area].append((name, place.replace("_", " ").replace("/", ", ")))
    return [(_AREAS[area], places) for area, places in of_area.items()]


def choices(*names: str) -> list[Group]:
    """The zones that are near at hand first, then every place of the world."""
    near = [(name, name.replace("_", " ")) for name in dict.fromkeys(names) if name]
    return [(_("At hand"), [*near, ("UTC", "UTC")] if "UTC" not in names else near), *_areas()]


def is_zone(name: str) -> bool:
    return bool(here(name))


def moment(there: datetime, zone: str) -> datetime:
    """When a clock in `zone` shows `there`; raises ValidationError where it never does, with the way out."""
    if there.tzinfo is not None:
        return there
    try:
        found = local_instant(there, zone)
    except ValueError as problem:
        raise forms.ValidationError(retold(str(problem))) from None
    shown = found.astimezone(zoneinfo.ZoneInfo(or_utc(zone)))
    if shown.replace(tzinfo=None) != there.replace(fold=0):
        says = _(
            "%(time)s does not exist on %(day)s in %(zone)s: the clocks go forward to %(next)s. Choose %(next)s or later."
        )
        times = {"time": in_order(there, "H:i"), "next": in_order(shown, "H:i")}
        raise forms.ValidationError(says % {**times, "day": in_order(there, "j F Y"), "zone": zone})
    return found


def in_words(at: datetime, zone: str) -> str:
    """`Thu 3 Dec 2026, 09:00 in Europe/Berlin (UTC+01:00)`; says it where that hour comes twice, and what it is for the viewer.

    Without a zone it is the viewer's.
    """
    meant = zone or timezone.get_current_timezone_name()
    zone = or_utc(meant)
    there = at.astimezone(zoneinfo.ZoneInfo(zone))
    offset = there.strftime("%z")
    facts = {"time": in_order(there, "D j M Y, H:i"), "zone": zone, "offset": f"{offset[:3]}:{offset[3:5]}"}
    # Translators: %(offset)s is like +01:00.
    says = [_("%(time)s in %(zone)s (UTC%(offset)s).") % facts]
    again = there.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=1 - there.fold)
    if again.utcoffset() != there.utcoffset():
        twice = (
            _("The clocks go back that night, so %(time)s comes twice; the first one is meant.")
            if there.fold == 0
            else _("The clocks go back that night, so %(time)s comes twice; the second one is meant.")
        )
        says.append(twice % {"time": in_order(there, "H:i")})
    if zone == "UTC" and not here(meant):
        unknown = _("This machine does not know the time zone %(zone)s, so it is shown in UTC.")
        says.append(unknown % {"zone": meant})
    yours = timezone.localtime(at)
    if yours.utcoffset() != there.utcoffset():
        # Translators: the same moment by the viewer's own clock.
        own = {"time": in_order(yours, "D H:i"), "zone": timezone.get_current_timezone_name()}
        says.append(_("For you: %(time)s in %(zone)s.") % own)
    return " ".join(says)


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
        Preset("hour", _("In an hour"), in_an_hour.replace(tzinfo=None, second=0, microsecond=0)),
        Preset("tomorrow", _("Tomorrow 9:00"), nine + timedelta(days=1)),
        Preset("monday", _("Next Monday 9:00"), nine + timedelta(days=7 - now.weekday())),
    ]
