"""What people do with a recurring send: pause and resume it, skip one occurrence, give it another rhythm or name, end it."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from sms.models import OVER, Actor, Occurrence, RecurringSend, Send
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends.recurring import standing, timetable
from sms.sends.recurring.timetable import ComingOccurrence
from sms.values.problems import ProblemCode

RHYTHM = (
    *("every", "at", "interval", "days", "day", "nth", "weekday", "starts_on", "ends_on", "times"),
    *("on_holiday", "hours_before"),
)
# why a standing approval ended, as it is kept
ENDED = gettext_noop("The recurring send ended.")
RHYTHM_CHANGED = gettext_noop("The rhythm was changed.")
NEAR = 60  # coming occurrences among which one can be skipped


class RecurringRefused(ValueError):
    """It cannot be done; the sentence says why, and what can."""

    code = ProblemCode.NOT_USABLE


def _locked(recurring: RecurringSend) -> RecurringSend:
    found = (
        RecurringSend.objects.select_for_update(of=("self",)).select_related("service").get(pk=recurring.pk)
    )
    if found.state == RecurringSend.State.ENDED:
        raise RecurringRefused(
            gettext("“%(name)s” has ended. Nothing more of it is made.") % {"name": found.name}
        )
    return found


def pause(recurring: RecurringSend, *, by: Actor) -> bool:
    """Make no more until it is resumed; what is made already waits for its time. False where it was paused. Raises RecurringRefused."""
    with transaction.atomic():
        locked = _locked(recurring)
        if locked.state == RecurringSend.State.PAUSED:
            return False
        locked.state = RecurringSend.State.PAUSED
        locked.save(update_fields=["state"])
        audit("recurring_send.paused", locked, by=by)
    return True


def resume(recurring: RecurringSend, *, by: Actor, now: datetime | None = None) -> bool:
    """Go on with the next occurrence from now on; what the pause let pass is not made up for. The person runs it from then on.

    False where it runs, which also makes the person the one who runs it. Raises RecurringRefused.
    """
    now = now or corrected_now()
    with transaction.atomic():
        locked = _locked(recurring)
        was_paused = locked.state == RecurringSend.State.PAUSED
        locked.state, locked.run_by = RecurringSend.State.RUNNING, by.user
        locked.passed_until = max(locked.passed_until, now) if was_paused else locked.passed_until
        timetable.set_next(locked, timetable.holidays_of(locked.service_id), now=now)
        locked.save()
        if by.user is not None:
            locked.draft.editors.add(by.user)
        audit("recurring_send.resumed", locked, by=by)
    return was_paused


def end(recurring: RecurringSend, *, by: Actor, now: datetime | None = None) -> None:
    """For good. Sends that are made stay, and are cancelled one by one. Raises RecurringRefused."""
    now = now or corrected_now()
    with transaction.atomic():
        locked = _locked(recurring)
        locked.state, locked.ended_at = RecurringSend.State.ENDED, now
        locked.next_at = locked.look_at = None
        locked.trouble = ""
        locked.save()
        standing.end_all(locked, because=ENDED, by=by, now=now)
        audit("recurring_send.ended", locked, by=by, occurrences=locked.made)


def still_to_go(recurring: RecurringSend) -> list[Send]:
    """Sends of it that are made and not over."""
    found = Send.objects.filter(occurrence__recurring=recurring).exclude(state__in=OVER)
    return list(found.order_by("due_at")[:50])


def one_to_come(recurring: RecurringSend, on: date) -> ComingOccurrence | None:
    """The occurrence of that day of the rhythm, if it is to come soon."""
    return next((one for one in timetable.coming(recurring, most=NEAR) if one.planned.on == on), None)


def skip(recurring: RecurringSend, on: date, *, by: Actor, now: datetime | None = None) -> ComingOccurrence:
    """Make none at that time. Raises RecurringRefused where it is made already, or there is none."""
    with transaction.atomic():
        locked = _locked(recurring)
        one = one_to_come(locked, on)
        if one is None or one.left_out:
            raise RecurringRefused(
                gettext(
                    "There is no occurrence to skip on that day. If it is made already, cancel its send instead."
                )
            )
        told = {
            "outcome": Occurrence.Outcome.SKIPPED,
            "noted_at": now or corrected_now(),
            "noted_by": by.label,
        }
        _, is_new = Occurrence.objects.get_or_create(recurring=locked, on=on, at=one.at, defaults=told)
        if is_new:
            audit("recurring_send.skipped", locked, by=by, at=one.at.isoformat())
    return one


def take_back_in(recurring: RecurringSend, on: date, *, by: Actor) -> bool:
    """Undo `skip`; False where it was not skipped, or its time is over. Raises RecurringRefused."""
    with transaction.atomic():
        locked = _locked(recurring)
        rows = locked.occurrences.filter(
            on=on, outcome=Occurrence.Outcome.SKIPPED, number=None, at__gt=locked.passed_until
        )
        if not rows.delete()[0]:
            return False
        audit("recurring_send.skip_withdrawn", locked, by=by, on=on.isoformat())
    return True


def change_rhythm(
    recurring: RecurringSend, wanted: RecurringSend, *, by: Actor, now: datetime | None = None
) -> bool:
    """Name and rhythm of `wanted` (which is not stored) from the next occurrence on; False where the rhythm stays.

    With another rhythm, occurrences that were to be skipped are forgotten and standing approvals end. Raises RecurringRefused where no
    occurrence would come any more.
    """
    now = now or corrected_now()
    with transaction.atomic():
        locked = _locked(recurring)
        locked.name = wanted.name
        changed = [name for name in RHYTHM if getattr(locked, name) != getattr(wanted, name)]
        if changed:
            for name in changed:
                setattr(locked, name, getattr(wanted, name))
            locked.time_zone, locked.run_by = locked.service.time_zone, by.user
            locked.passed_until = max(locked.passed_until, now)
            locked.occurrences.filter(number=None, at__gt=locked.passed_until).delete()
            if timetable.next_of(locked, timetable.holidays_of(locked.service_id)) is None:
                raise RecurringRefused(
                    gettext("With this rhythm no occurrence would come any more. End it instead.")
                )
            timetable.set_next(locked, timetable.holidays_of(locked.service_id), now=now)
            if by.user is not None:
                locked.draft.editors.add(by.user)
            standing.end_all(locked, because=RHYTHM_CHANGED, by=by, now=now)
        locked.save()
        audit("recurring_send.rhythm_changed", locked, by=by, changed=changed, rhythm=str(locked.rhythm))
    return bool(changed)
