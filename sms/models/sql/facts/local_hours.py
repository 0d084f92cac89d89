"""The hour that a service's clock shows, as an expression: a CASE of the services and of the days on which clocks change.

The database's own zones are not asked: SQLite has none, and PostgreSQL's may be of another year than those by which pages tell a day.
"""

import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from sms.models.fact import FactZone
from sms.models.service import Service
from sms.values.clock_shifts import stretches
from sms.values.time_zones import or_utc

# of a source `d` with its sends `r`
SENDS = "LEFT JOIN sms_reportedsend r ON r.send_id = d.send_id"
SERVICE = "coalesce(r.service_id, d.service_id)"
_QUARTER = "CASE WHEN d.quarter = 0 THEN r.quarter ELSE d.quarter END"
_OF_AN_HOUR = 4
QUARTER = 900  # seconds


@dataclass(frozen=True, slots=True)
class ZoneShift:
    """Up to the quarter `until` since 1970 (UTC), without it, clocks are `by` quarters ahead, as all clocks of today are by whole ones."""

    until: int
    by: int


def shifts_of(zone: str, first: int, last: int) -> list[ZoneShift]:
    """Those of the quarters from `first` to `last`, the earliest first. This machine knows the zone."""
    of = stretches(zoneinfo.ZoneInfo(zone), first * QUARTER, (last + 1) * QUARTER)
    return [ZoneShift(-(-one.until // QUARTER), one.ahead // QUARTER) for one in of]


def local_hour(*sources: str) -> str:
    """Hours since 1970 by the clock of its service, of each row of these sources. Services that are new get their `FactZone`."""
    ends = _ends(sources)
    services: dict[str, list[int]] = defaultdict(list)
    for pk, zone in _zones(ends).items():
        services[or_utc(zone)].append(pk)
    first = min((one.first for one in ends.values()), default=0)
    last = max((one.last for one in ends.values()), default=0)
    shifts = {zone: shifts_of(zone, first, last) for zone in services}
    ahead = "".join(
        f" WHEN {SERVICE} IN ({', '.join(map(str, services[zone]))}) THEN {_shift(its)}"
        for zone, its in shifts.items()
        if any(one.by for one in its)
    )
    shifted = f"{_QUARTER} + CASE{ahead} ELSE 0 END" if ahead else _QUARTER
    return f"(({shifted}) / {_OF_AN_HOUR})"


def _zones(services: Iterable[int]) -> dict[int, str]:
    found = FactZone.objects.zones(services)
    new = dict(Service.objects.filter(pk__in=set(services) - set(found)).values_list("pk", "time_zone"))
    rows = (FactZone(service_id=pk, zone=zone) for pk, zone in new.items())
    FactZone.objects.bulk_create(rows, ignore_conflicts=True)
    return found | new


def _shift(shifts: Sequence[ZoneShift]) -> str:
    *changes, latest = shifts
    if not changes:
        return str(latest.by)
    whens = "".join(f" WHEN {_QUARTER} < {one.until} THEN {one.by}" for one in changes)
    return f"CASE{whens} ELSE {latest.by} END"


def _ends(sources: Iterable[str]) -> dict[int, "_Ends"]:
    """Of each service in them the earliest and the latest quarter."""
    found: dict[int, _Ends] = {}
    with connection.cursor() as cursor:
        for source in sources:
            cursor.execute(
                f"SELECT {SERVICE}, min({_QUARTER}), max({_QUARTER}) FROM {source} AS d {SENDS} GROUP BY {SERVICE}"
            )
            for service, first, last in cursor.fetchall():
                if first is not None:
                    more = found.get(service, _Ends(first, last))
                    found[service] = _Ends(min(first, more.first), max(last, more.last))
    return found


@dataclass(frozen=True, slots=True)
class _Ends:
    first: int
    last: int
