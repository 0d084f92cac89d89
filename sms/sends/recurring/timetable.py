"""Which occurrences of a recurring send come: their numbers, what is said of each, and what its row has to look for next."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F
from django.utils.translation import gettext as _

from sms import words
from sms.models import Holiday, Occurrence, RecurringSend
from sms.models.sql.clock import corrected_now
from sms.values import quiet_hours, time_zones
from sms.values.quiet_hours import QuietHours
from sms.values.recurrence import PlannedTime, planned

WALKED = 3_000  # occurrences that are looked at for those of a page or of a month
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ComingOccurrence:
    """One that is still to be made, or left out. `number` is None where it does not count, `skipped` where a person said so."""

    recurring: RecurringSend
    planned: PlannedTime
    number: int | None
    says: tuple[str, ...]
    skipped: bool = False

    @property
    def at(self) -> datetime:
        return self.planned.at

    @property
    def left_out(self) -> bool:
        return self.planned.left_out

    @property
    def goes_out(self) -> bool:
        return not (self.planned.left_out or self.skipped)

    @property
    def key(self) -> str:
        """As an address or a form names it."""
        return self.planned.on.isoformat()


def holidays_of(service_id: int) -> dict[date, str]:
    return dict(Holiday.objects.filter(service=service_id).values_list("on", "name"))


def after(recurring: RecurringSend, moment: datetime, holidays: Mapping[date, str]) -> Iterator[PlannedTime]:
    """What its rhythm has after that moment, left out or not. Raises ValueError where this machine does not know its time zone."""
    local = moment.astimezone(quiet_hours.zone_of(recurring.time_zone)).date()
    # from the day before, for a time that does not exist there stands on the next day
    found = planned(recurring.rhythm, recurring.time_zone, holidays=holidays, since=local - _DAY)
    return (one for one in found if one.at > moment)


def next_of(recurring: RecurringSend, holidays: Mapping[date, str]) -> PlannedTime | None:
    """The next that counts; None where it has come to its end."""
    if recurring.times is not None and recurring.made >= recurring.times:
        return None
    return next((one for one in after(recurring, recurring.passed_until, holidays) if not one.left_out), None)


def set_next(recurring: RecurringSend, holidays: Mapping[date, str], *, now: datetime) -> None:
    """Point it to its next occurrence, or end it; the caller saves it."""
    found = next_of(recurring, holidays)
    recurring.trouble = ""
    if found is None:
        recurring.state, recurring.ended_at = RecurringSend.State.ENDED, now
        recurring.next_at = recurring.look_at = None
    else:
        recurring.next_at = found.at
        recurring.look_at = found.at - timedelta(hours=recurring.hours_before)


def skipped_of(rows: Sequence[RecurringSend]) -> dict[int, set[tuple[date, datetime]]]:
    """The times to come that people skipped, of each of them, in one query for all."""
    found: dict[int, set[tuple[date, datetime]]] = {one.pk: set() for one in rows}
    ids = [pk for pk in found if pk]  # a rhythm that is only shown is not stored
    times = Occurrence.objects.filter(
        recurring__in=ids, outcome=Occurrence.Outcome.SKIPPED, at__gt=F("recurring__passed_until")
    )
    for pk, on, at in times.values_list("recurring", "on", "at") if ids else ():
        found[pk].add((on, at))
    return found


def coming(
    recurring: RecurringSend,
    *,
    most: int,
    since: datetime | None = None,
    until: datetime | None = None,
    holidays: Mapping[date, str] | None = None,
    skipped: Collection[tuple[date, datetime]] | None = None,
) -> list[ComingOccurrence]:
    """The next `most` that are not made yet, with those that are left out between them; those from `since` on, before `until`."""
    if recurring.state == RecurringSend.State.ENDED:
        return []
    holidays = holidays_of(recurring.service_id) if holidays is None else holidays
    skipped = skipped_of([recurring])[recurring.pk] if skipped is None else skipped
    found: list[ComingOccurrence] = []
    number = recurring.made
    for walked, one in enumerate(after(recurring, recurring.passed_until, holidays)):
        at_end = recurring.times is not None and number >= recurring.times
        if at_end or walked >= WALKED or len(found) >= most or (until is not None and one.at >= until):
            break
        number += not one.left_out
        if since is not None and one.at < since:
            continue
        found.append(
            ComingOccurrence(
                recurring,
                one,
                None if one.left_out else number,
                (*one.says, *_quiet(recurring, one)),
                (one.on, one.at) in skipped,
            )
        )
    return found


def _quiet(recurring: RecurringSend, one: PlannedTime) -> tuple[str, ...]:
    """Where it would stand in quiet hours, by the clock of the rhythm; recipients elsewhere have clocks of their own."""
    hours = recurring.service.quiet_hours
    if one.left_out or not hours or not recurring.draft.respect_quiet_hours:
        return ()
    allowed = quiet_hours.next_allowed(one.at, (recurring.time_zone,), QuietHours.parse(hours))
    if allowed == one.at:
        return ()
    if allowed is None:
        return (_("That is within the quiet hours (%(hours)s), which do not end.") % {"hours": hours},)
    local = allowed.astimezone(quiet_hours.zone_of(recurring.time_zone))
    says = _("That is within the quiet hours (%(hours)s): its messages wait until %(until)s.")
    return (says % {"hours": hours, "until": words.moment(local, "l j F, H:i")},)


def latest(recurring: RecurringSend) -> datetime:
    """From when on another rhythm would count: what is made already stays."""
    return max(recurring.passed_until, corrected_now())


def when(recurring: RecurringSend, at: datetime) -> str:
    """As in “Monday 7 December 2026 at 09:00 GMT”, on its own clock."""
    there = local(recurring, at)
    told = {"day": words.moment(there, "l j F Y"), "time": words.moment(there, "H:i T")}
    return _("%(day)s at %(time)s") % told


def local(recurring: RecurringSend, moment: datetime) -> datetime:
    """On the clock of the recurring send, in UTC where this machine does not know it."""
    return moment.astimezone(quiet_hours.zone_of(time_zones.or_utc(recurring.time_zone)))
