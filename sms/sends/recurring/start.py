"""From a draft to a recurring send, and from another draft to what its next occurrences say."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.audiences.files import Limits
from sms.compose import drafts
from sms.compose.drafts.duplicate import OWN_FIELDS
from sms.compose.errors import ComposeError
from sms.models import Actor, Draft, Preparation, RecurringSend
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends.recurring import standing, timetable
from sms.values.problems import Problem, ProblemCode

CONTENT_CHANGED = gettext_noop("The text, the options or the list were changed.")


def obstacle(draft: Draft) -> str:
    """Why this draft cannot be sent again and again; empty where it can."""
    if draft.audience_id is None:
        return _(
            "Only a draft to a saved audience can be sent again and again: each time it goes to the list as it is then. "
            "Save the recipients as an audience, and choose that."
        )
    if draft.expires_at is not None:
        return _(
            "It expires at a date, which the next time would be over. Choose a validity instead: hours after it is handed over."
        )
    return ""


def start(
    draft: Draft, recurring: RecurringSend, *, by: Actor, seen: int | None = None, now: datetime | None = None
) -> RecurringSend:
    """Start `recurring`, which has its rhythm and its name and is not stored yet, with what the draft says.

    `seen` is the revision of the draft that the person was shown. Raises ComposeError: where the draft makes no send as it stands, was
    changed or is used already, and where no occurrence would ever come.
    """
    now = now or corrected_now()
    _check(draft)
    with transaction.atomic():
        locked = _locked(draft, seen=seen)
        recurring.service, recurring.draft, recurring.time_zone = (
            draft.service,
            locked,
            draft.service.time_zone,
        )
        recurring.passed_until, recurring.run_by = now, by.user
        timetable.set_next(recurring, timetable.holidays_of(draft.service_id), now=now)
        if recurring.next_at is None:
            says = _("With this rhythm it would never be sent. Choose a later last day, or other days.")
            raise ComposeError([Problem(ProblemCode.INVALID, "ends_on", says)])
        recurring.save()
        _take(locked, recurring, by=by, now=now)
        audit("recurring_send.started", recurring, by=by, draft=draft.pk, rhythm=str(recurring.rhythm))
    return recurring


def draft_to_change(recurring: RecurringSend, *, by: Actor) -> Draft:
    """A draft like the present content, to be written and then taken for the occurrences to come; the one that is open already, if any."""
    with transaction.atomic():
        locked = RecurringSend.objects.select_for_update(of=("self",)).get(pk=recurring.pk)
        there = locked.contents.filter(Draft.open_ones()).first()
        if there is not None:
            return there
        new = Draft(
            service=recurring.service,
            recurring=locked,
            name=locked.name,
            created_by=by.user,
            changed_by=by.user,
        )
        for field in Draft._meta.concrete_fields:
            if field.name not in OWN_FIELDS | {"service"}:
                setattr(new, field.attname, getattr(locked.draft, field.attname))
        new.revision = 1
        new.save()
        audit("draft.created", new, by=by, recurring=locked.pk)
    return new


def change_content(
    recurring: RecurringSend, draft: Draft, *, by: Actor, seen: int | None = None, now: datetime | None = None
) -> RecurringSend:
    """From the next occurrence on it is made of `draft`. Standing approvals end. Raises ComposeError as `start` does."""
    now = now or corrected_now()
    _check(draft)
    with transaction.atomic():
        stored = RecurringSend.objects.select_for_update(of=("self",)).get(pk=recurring.pk)
        if stored.state == RecurringSend.State.ENDED:
            says = _("“%(name)s” has ended. Send this draft once, or start a new recurring send.")
            says %= {"name": stored.name}
            raise ComposeError([Problem(ProblemCode.NOT_USABLE, "again", says)])
        locked = _locked(draft, seen=seen)
        stored.draft, stored.run_by = locked, by.user
        if stored.state == RecurringSend.State.RUNNING:
            timetable.set_next(stored, timetable.holidays_of(stored.service_id), now=now)
        stored.save()
        _take(locked, stored, by=by, now=now)
        standing.end_all(stored, because=CONTENT_CHANGED, by=by, now=now)
        audit("recurring_send.content_changed", stored, by=by, draft=draft.pk)
    return stored


def _check(draft: Draft) -> None:
    """Raises ComposeError where it makes no send as it stands; of a large list, as far as that is known by now."""
    if why := obstacle(draft):
        field = "audience" if draft.audience_id is None else "expires_at"
        raise ComposeError([Problem(ProblemCode.NOT_USABLE, field, why)])
    drafts.totals_of(draft, limits=Limits())


def _locked(draft: Draft, *, seen: int | None) -> Draft:
    locked = Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
    if not locked.is_open:
        says = _("This draft is in use already. Open the send that was made of it.")
        raise ComposeError([Problem(ProblemCode.CHANGED, "again", says)])
    if seen not in (None, locked.revision) or locked.revision != draft.revision:
        says = _("The draft was changed since this page was shown. Look again, then start it.")
        raise ComposeError([Problem(ProblemCode.CHANGED, "again", says)])
    return locked


def _take(draft: Draft, recurring: RecurringSend, *, by: Actor, now: datetime) -> None:
    """It is content from now on, which nobody edits; who made it that is one of its authors."""
    draft.recurring, draft.recurs_since, draft.send_at, draft.time_zone = recurring, now, None, ""
    draft.save(update_fields=["recurring", "recurs_since", "send_at", "time_zone", "changed_at"])
    if by.user is not None:
        draft.editors.add(by.user)
    Preparation.objects.filter(draft=draft).delete()
